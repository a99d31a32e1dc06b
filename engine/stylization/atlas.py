"""The stylized atlas: where a pixel reads and how the footage lights it, to the pixel's colour.

Two forms behind one interface. ``network`` is the paper's: the decomposition's colour network,
finetuned. ``palette`` mixes a few colours that the whole object shares and multiplies them by the
footage's shading; it suits small encoders, which see tints badly.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..decomposition.model import AtlasNetwork
from .shading import ShadingStatistics

WEIGHTS_FILE = "stylized_atlas.safetensors"
FACTS_FILE = "stylized_atlas.json"

FEATURES = 128
BANDWIDTH = 10.0  # of the Fourier features, in half turns over half an object
WIDTH = 96
AT_ONCE = 32_768  # points whose activations in the colour network are held at a time
SHARPNESS = 6.0  # of the softmax between the palette's colours
TONE = 0.4  # logarithm of how much lighter or darker one colour gets
SHOULDER = 0.7  # brightness from which lit colours approach white without reaching it
DARKEST = 0.08  # black paint still shows the light: where it is 0 all relief is lost
GLOSS = 0.8  # logarithm of how much more or less one colour makes of the light
SPREAD = 0.35  # deviation of the mixing network's outputs before the first step


@dataclass(frozen=True)
class AtlasFrame:
    """A place to stand on the atlas: ``centre``, and units per uv along both axes.

    One unit is half the longer side of the object's box on every axis, however the decomposition
    stretched the object into the atlas.
    """

    centre: tuple[float, float]
    scale: tuple[float, float]


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

        [N, 4] where a form knows more than the colour; only its own `lit` reads the fourth.
        """
        raise NotImplementedError

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return what ``albedo`` looks like under ``shading`` [N], as colours [N, 3]."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """Return what `load_atlas` must know beside the weights."""
        return {"form": self.form, "statistics": asdict(self.statistics)}


class NetworkAtlas(StylizedAtlas):
    """The paper's form: light and paint together in one coordinate network."""

    form = "network"

    def __init__(self, network: AtlasNetwork, statistics: ShadingStatistics) -> None:
        super().__init__(statistics)
        self.network = network

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the network's colours; the foreground's quadrant is [0, 1]^2 itself.

        Its activations, 10 kB for each point, are computed again on the way back: three frames
        of 500 pixels would else take gigabytes.
        """
        pieces = [checkpoint(self.network, some, use_reentrant=False) for some in uv.split(AT_ONCE)]
        return torch.cat(pieces)

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return ``albedo``: it carries the light already."""
        return albedo


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
        self.centre: Tensor
        self.scale: Tensor
        self.register_buffer("radii", _radii(generator), persistent=False)
        self.register_buffer("angles", torch.rand(FEATURES, generator=generator), persistent=False)
        self.register_buffer("frequencies", torch.zeros(2, FEATURES))
        self.shape_pattern(BANDWIDTH, spread=1.0, turn=0.0)
        self.register_buffer("centre", torch.tensor(frame.centre))
        self.register_buffer("scale", torch.tensor(frame.scale))
        self.mixer = nn.Sequential(
            nn.Linear(2 * FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(),
            nn.Linear(WIDTH, colours + 1),
        )  # fmt: skip
        self.palette = nn.Parameter(torch.zeros(colours, 3))
        self.gloss = nn.Parameter(torch.zeros(colours))
        self._start(generator)

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the palette's colours as they are mixed at ``uv``, and their finish, [N, 4]."""
        return self.finished(self.mix(uv))

    def finished(self, mix: Tensor) -> Tensor:
        """Return colour and finish [N, 4] of a ``mix`` [N, K].

        The finish is the power of the light: above 1 highlights are brighter and hollows darker,
        as on metal, below 1 the surface is dull.
        """
        parts = mix / mix.sum(1, keepdim=True).clamp_min(1e-6)
        finish = parts @ (GLOSS * torch.tanh(self.gloss)).exp()
        return torch.cat([mix @ self.colours(), finish[:, None]], 1)

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
        """Return the Fourier features [N, 2 F] of ``places`` [N, 2]."""
        angles = torch.pi * places @ self.frequencies
        return torch.cat([angles.sin(), angles.cos()], 1)

    def mix_of(self, features: Tensor) -> Tensor:
        """Return how much [N, K] of each colour is where the features are these.

        The parts sum to 1 before the tone, which makes flat patches lighter and darker.
        """
        outputs = self.mixer(features)  # [N, K + 1]
        parts = (SHARPNESS * outputs[:, :-1]).softmax(1)
        return parts * (TONE * torch.tanh(2 * outputs[:, -1:])).exp()

    def shape_pattern(
        self, bandwidth: float, *, spread: float, turn: float, crossed: bool = False
    ) -> None:
        """Give the features waves of about ``bandwidth`` half turns in one unit.

        Their directions fill ``spread`` half turns around ``turn``: all of them make blotches, a
        few make stripes and grain before anything is learnt. ``crossed`` turns every second one
        by a right angle, which makes courses, checks and scales.
        """
        across = 0.5 * (torch.arange(FEATURES, device=self.angles.device) // 2 % 2) * crossed
        angles = torch.pi * (turn + spread * (self.angles - 0.5) + across)
        self.frequencies.copy_(bandwidth * self.radii * torch.stack([angles.cos(), angles.sin()]))

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return colours times ``shading`` in the power of their finish.

        Near white they bend, so that relief stays seen.
        """
        lit = albedo[:, :3] * shading.clamp_min(1e-3).pow(albedo[:, 3])[:, None]
        room = 1 - SHOULDER
        bent = SHOULDER + room * torch.tanh((lit - SHOULDER) / room)
        return torch.where(lit > SHOULDER, bent, lit)

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
        places = 2 * torch.rand(2048, 2, generator=generator) - 1
        outputs = self.mixer(self.features(places))
        last = self.mixer[-1]
        assert isinstance(last, nn.Linear)
        last.weight.mul_(SPREAD / outputs.std())
        last.bias.zero_()


def _radii(generator: torch.Generator) -> Tensor:
    """Draw how much faster or slower than the pattern each feature is, [F].

    Most are near 1, for a band of frequencies makes a texture of one size; a quarter are slow, so
    that the texture can differ between parts of the object.
    """
    near = 1 + 0.3 * torch.randn(FEATURES, generator=generator)
    slow = torch.arange(FEATURES) % 4 == 0
    return torch.where(slow, torch.rand(FEATURES, generator=generator), near)


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
        return NetworkAtlas(AtlasNetwork.from_state(inner), statistics)
    atlas = PaletteAtlas(
        AtlasFrame((0.0, 0.0), (1.0, 1.0)),
        statistics,
        colours=facts["colours"],
        generator=torch.Generator(),
    )
    atlas.load_state_dict(tensors)
    return atlas
