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
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..decomposition.model import AtlasNetwork
from .shading import ShadingStatistics

WEIGHTS_FILE = "stylized_atlas.safetensors"
FACTS_FILE = "stylized_atlas.json"

FEATURES = 128
BANDWIDTH = 10.0  # deviation of the Fourier features, in half turns over half an object
WIDTH = 96
SHARPNESS = 6.0  # of the softmax between the palette's colours
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
        """Return the colours [N, 3] at ``uv`` [N, 2] before the light."""
        raise NotImplementedError

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return what ``albedo`` [N, 3] looks like under ``shading`` [N]."""
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
        """Return the network's colours; the foreground's quadrant is [0, 1]^2 itself."""
        return self.network(uv)

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
        self.frequencies: Tensor
        self.centre: Tensor
        self.scale: Tensor
        frequencies = torch.randn(2, FEATURES, generator=generator) * BANDWIDTH
        self.register_buffer("frequencies", frequencies)
        self.register_buffer("centre", torch.tensor(frame.centre))
        self.register_buffer("scale", torch.tensor(frame.scale))
        self.mixer = nn.Sequential(
            nn.Linear(2 * FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(),
            nn.Linear(WIDTH, colours),
        )  # fmt: skip
        self.palette = nn.Parameter(torch.zeros(colours, 3))
        self._start(generator)

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the palette's colours as they are mixed at ``uv``."""
        return self.mix(uv) @ self.palette.sigmoid()

    def mix(self, uv: Tensor) -> Tensor:
        """Return the parts [N, K] of the palette's colours at ``uv`` [N, 2]; they sum to 1."""
        return self.mix_of(self.features(self.places(uv)))

    def places(self, uv: Tensor) -> Tensor:
        """Turn ``uv`` [N, 2] into units of half the object's longer side, from its centre."""
        return (uv - self.centre) * self.scale

    def features(self, places: Tensor) -> Tensor:
        """Return the Fourier features [N, 2 F] of ``places`` [N, 2]."""
        angles = torch.pi * places @ self.frequencies
        return torch.cat([angles.sin(), angles.cos()], 1)

    def mix_of(self, features: Tensor) -> Tensor:
        """Return the parts [N, K] of the palette's colours where the features are these."""
        return (SHARPNESS * self.mixer(features)).softmax(1)

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return ``albedo`` times ``shading``, within the colours that there are."""
        return (albedo * shading[:, None]).clamp(0, 1)

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


def save_atlas(atlas: StylizedAtlas, folder: Path) -> None:
    """Write ``atlas`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.detach().cpu().contiguous() for name, t in atlas.state_dict().items()}
    save_file(tensors, folder / WEIGHTS_FILE)
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
