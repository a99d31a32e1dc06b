"""The stylized atlas: where a pixel reads and how the footage lights it, to the pixel's colour.

Two forms behind one interface. ``network`` is the paper's: the decomposition's colour network,
finetuned. ``palette`` mixes a few colours that the whole object shares and multiplies them by the
footage's shading; it suits small encoders, which see tints badly.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..decomposition.model import AtlasNetwork
from .basis import (
    PLAIN,
    TILE_FEATURES,
    WAVES,
    Pattern,
    draw_names,
    draw_radii,
    tile_features,
    wave_features,
)
from .finish import MATT, Finish, bent, powers_and_sheens, under_light
from .shading import ShadingStatistics

WEIGHTS_FILE = "stylized_atlas.safetensors"
FACTS_FILE = "stylized_atlas.json"

FIRST_PATTERN = Pattern(10.0)
GRAIN = 0.35  # how much the waves count beside tiles
TILE_GAIN = 3.8  # with which tiles move the network as much as waves do
WIDTH = 96
WINDOW = 0.57  # texels, deviation of the window through which waves are seen
AT_ONCE = 131_072  # points whose activations in the colour network are held at a time
SHARPNESS = 6.0  # of the softmax between the palette's colours
TONE = 0.4  # logarithm of how much lighter or darker one colour gets
DARKEST = 0.08  # black paint still shows the light: where it is 0 all relief is lost
SPREAD = 0.35  # deviation of the mixing network's outputs before the first step


@dataclass(frozen=True)
class AtlasFrame:
    """A place to stand on the atlas: ``centre``, and units per uv along both axes.

    One unit is half the longer side of the object's box on every axis, however the decomposition
    stretched the object into the atlas.
    """

    centre: tuple[float, float]
    scale: tuple[float, float]

    def texel(self, density: float) -> tuple[float, float]:
        """Return how far texels lie apart in uv, ``density`` of them in one unit."""
        across, down = self.scale
        return 1 / (density * across), 1 / (density * down)


class StylizedAtlas(nn.Module):
    """What both forms share; ``statistics`` are for `shading`, at any size of the footage."""

    form = ""

    def __init__(self, statistics: ShadingStatistics) -> None:
        super().__init__()
        self.statistics = statistics

    def paint(self, uv: Tensor, shading: Tensor) -> Tensor:
        """Return the colours [N, 3] in [0, 1] at ``uv`` [N, 2], lit by ``shading`` [N]."""
        return self.lit(self.albedo(uv), shading)

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the colours at ``uv`` [N, 2] before the light, [N, 3].

        With more columns where a form knows more than the colour; only its own `lit` reads them.
        """
        raise NotImplementedError

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return what ``albedo`` looks like under ``shading`` [N], as colours [N, 3]."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """Return what `load_atlas` must know beside the weights."""
        return {"form": self.form, "statistics": asdict(self.statistics)}


class NetworkAtlas(StylizedAtlas):
    """The paper's form: light and paint together in one coordinate network.

    Of its waves those count less that are short beside ``texel`` [2] (uv, across and down): the
    network learns at places that far apart, and what shorter waves do between them nobody sees
    before the end. 0: all count, as in the paper.
    """

    form = "network"

    def __init__(
        self,
        network: AtlasNetwork,
        statistics: ShadingStatistics,
        texel: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        super().__init__(statistics)
        self.network = network
        self.texel = texel
        self.shares: Tensor
        shares = wave_shares(network.frequencies, texel).to(next(network.parameters()))
        self.register_buffer("shares", shares, persistent=False)

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the network's colours; the foreground's quadrant is [0, 1]^2 itself."""
        return self.albedo_of(self.features(uv))

    def features(self, uv: Tensor) -> Tensor:
        """Return what the network sees of ``uv`` [N, 2], [N, F]."""
        return self.network.features(uv) * self.shares

    def albedo_of(self, features: Tensor) -> Tensor:
        """Return the colours [N, 3] where the features are these.

        The network's activations take 10 kB for each point. Of very many points they are computed
        again on the way back.
        """
        if len(features) <= AT_ONCE:
            return self.network.colours(features)
        pieces = [
            checkpoint(self.network.colours, some, use_reentrant=False, preserve_rng_state=False)
            for some in features.split(AT_ONCE)
        ]
        return torch.cat(pieces)

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return ``albedo``: it carries the light already."""
        return albedo

    def facts(self) -> dict[str, Any]:
        """Return what `load_atlas` must know beside the weights."""
        return {**super().facts(), "texel": self.texel}


class PaletteAtlas(StylizedAtlas):
    """A few colours, mixed by a network over Fourier features of the place, times the light."""

    form = "palette"

    def __init__(
        self,
        frame: AtlasFrame,
        statistics: ShadingStatistics,
        *,
        colours: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__(statistics)
        self.radii: Tensor
        self.angles: Tensor
        self.frequencies: Tensor
        self.names: Tensor
        self.tiling: Tensor
        self.centre: Tensor
        self.scale: Tensor
        self.register_buffer("radii", draw_radii(generator), persistent=False)
        self.register_buffer("angles", torch.rand(WAVES, generator=generator), persistent=False)
        self.register_buffer("names", draw_names(generator))
        self.register_buffer("frequencies", torch.zeros(2, WAVES))
        self.register_buffer("tiling", torch.zeros(3))  # which, tiles in one unit, turn
        self.shape_pattern(FIRST_PATTERN)
        self.register_buffer("centre", torch.tensor(frame.centre))
        self.register_buffer("scale", torch.tensor(frame.scale))
        self.mixer = nn.Sequential(
            nn.Linear(2 * WAVES + TILE_FEATURES, WIDTH), nn.ReLU(),
            nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, colours + 1),
        )  # fmt: skip
        self.tile_paint = nn.Linear(TILE_FEATURES, colours, bias=False)
        self.palette = nn.Parameter(torch.zeros(colours, 3))
        self.gloss = nn.Parameter(torch.full((colours,), MATT.gloss))
        self.sheen = nn.Parameter(torch.full((colours,), MATT.sheen))
        self._start(generator)

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the palette's colours as they are mixed at ``uv``, and their finish, [N, 5]."""
        return self.finished(self.mix(uv))

    def finished(self, mix: Tensor) -> Tensor:
        """Return colour, power and sheen [N, 5] of a ``mix`` [N, K], see `powers_and_sheens`."""
        parts = mix / mix.sum(1, keepdim=True).clamp_min(1e-6)
        power, sheen = (parts @ each for each in powers_and_sheens(self.gloss, self.sheen))
        return torch.cat([mix @ self.colours(), power[:, None], sheen[:, None]], 1)

    def colours(self) -> Tensor:
        """Return the palette [K, 3] as it is painted."""
        return DARKEST + (1 - DARKEST) * self.palette.sigmoid()

    @torch.no_grad()
    def set_colours(self, colours: Tensor) -> None:
        """Make the palette as near to ``colours`` [K, 3] in [0, 1] as it can be."""
        self.palette.copy_(((colours - DARKEST) / (1 - DARKEST)).clamp(0.02, 0.98).logit())

    def mix(self, uv: Tensor) -> Tensor:
        """Return how much [N, K] of each of the palette's colours is at ``uv`` [N, 2]."""
        return self.mix_of(self.features(self.places(uv)))

    def places(self, uv: Tensor) -> Tensor:
        """Turn ``uv`` [N, 2] into units of half the object's longer side, from its centre."""
        return (uv - self.centre) * self.scale

    def features(self, places: Tensor) -> Tensor:
        """Return what the mixing network sees of ``places`` [N, 2], [N, 2 F + tiles']."""
        waves = wave_features(places, self.frequencies)
        kind, count, turn = int(self.tiling[0]), self.tiling[1], float(self.tiling[2])
        if kind == PLAIN:
            return torch.cat([waves, waves.new_zeros(len(waves), TILE_FEATURES)], 1)
        tiles = tile_features(places * count, self.names, kind, turn)
        return torch.cat([GRAIN * waves, tiles], 1)

    def mix_of(self, features: Tensor) -> Tensor:
        """Return how much [N, K] of each colour is where the features are these.

        The parts sum to 1 before the tone, which makes flat patches lighter and darker.
        """
        return self.mixed(self.mixer(features), self.tile_paint(self.tiles_of(features)))

    def tiles_of(self, features: Tensor) -> Tensor:
        """Return those of ``features`` that tiles say, [N, `TILE_FEATURES`]."""
        return features[:, 2 * WAVES :]

    def mixed(self, outputs: Tensor, tiles: Tensor | float) -> Tensor:
        """Turn the network's ``outputs`` [N, K + 1] and what ``tiles`` choose [N, K] into a mix."""
        parts = (SHARPNESS * (outputs[:, :-1] + tiles)).softmax(1)
        return parts * (TONE * torch.tanh(2 * outputs[:, -1:])).exp()

    @torch.no_grad()
    def shape_pattern(self, pattern: Pattern) -> None:
        """Let the features be those of ``pattern``."""
        self.frequencies.copy_(pattern.waves(self.radii, self.angles))
        self.tiling.copy_(torch.tensor([float(pattern.tiling), pattern.tiles, pattern.turn]))

    @torch.no_grad()
    def set_tile_paint(self, weights: Tensor) -> None:
        """Let the features of tiles choose colours by ``weights`` [K, `TILE_FEATURES`]."""
        self.tile_paint.weight.copy_(weights)

    @torch.no_grad()
    def set_finish(self, finish: Finish) -> None:
        """Let all colours answer the light like ``finish``."""
        self.gloss.fill_(finish.gloss)
        self.sheen.fill_(finish.sheen)

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return colours times ``shading`` in their power, with highlights of their sheen."""
        light, highlight = under_light(shading, albedo[:, 3], albedo[:, 4])
        return bent(albedo[:, :3] * light[:, None] + highlight[:, None])

    def facts(self) -> dict[str, Any]:
        """Return what `load_atlas` must know beside the weights."""
        return {**super().facts(), "colours": len(self.palette)}

    @torch.no_grad()
    def _start(self, generator: torch.Generator) -> None:
        """Draw the first weights, and scale the last ones so that the mix is neither flat nor hard.

        The generator is ours, for the same seed must give the same start beside any other work.
        """
        for layer in self.mixer:
            if isinstance(layer, nn.Linear):
                bound = layer.in_features**-0.5
                for tensor in (layer.weight, layer.bias):
                    drawn = torch.rand(tensor.shape, generator=generator)
                    tensor.copy_((2 * drawn - 1) * bound)
        self.tile_paint.weight.zero_()
        places = 2 * torch.rand(2048, 2, generator=generator) - 1
        outputs = self.mixer(self.features(places))
        first, last = self.mixer[0], self.mixer[-1]
        assert isinstance(first, nn.Linear) and isinstance(last, nn.Linear)
        first.weight[:, 2 * WAVES :] *= TILE_GAIN
        last.weight.mul_(SPREAD / outputs.std())
        last.bias.zero_()


def wave_shares(frequencies: int, texel: tuple[float, float]) -> Tensor:
    """Return how much each of `fourier_features` of uv counts where it is read every ``texel``.

    As much as is left of the wave in a Gaussian window (integrated positional encoding, Barron
    et al. 2021, eq. 14): .90, .67 and .20 of waves of 8, 4 and 2 texels, next to nothing of 1.
    """
    octaves = math.pi * 2.0 ** torch.arange(frequencies)  # radians per uv
    widths = WINDOW * octaves[:, None] * torch.tensor(texel)
    return torch.exp(-widths.square() / 2).flatten().repeat(2)


def save_atlas(atlas: StylizedAtlas, folder: Path) -> None:
    """Write ``atlas`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.detach().cpu().contiguous() for name, t in atlas.state_dict().items()}
    (folder / WEIGHTS_FILE).write_bytes(save(tensors))
    (folder / FACTS_FILE).write_text(json.dumps(atlas.facts(), indent=2), encoding="utf-8")


def load_atlas(folder: Path) -> StylizedAtlas:
    """Read what `save_atlas` wrote, onto the CPU."""
    facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    tensors = load_file(folder / WEIGHTS_FILE)
    statistics = ShadingStatistics(**facts["statistics"])
    if facts["form"] == NetworkAtlas.form:
        inner = {name.removeprefix("network."): tensor for name, tensor in tensors.items()}
        texel = tuple(facts.get("texel", (0.0, 0.0)))
        return NetworkAtlas(AtlasNetwork.from_state(inner), statistics, texel)
    atlas = PaletteAtlas(
        AtlasFrame((0.0, 0.0), (1.0, 1.0)),
        statistics,
        colours=facts["colours"],
        generator=torch.Generator(),
    )
    atlas.load_state_dict(tensors)
    return atlas
