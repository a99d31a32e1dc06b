"""The stylized atlas: where a pixel reads and how the footage lights it, to the pixel's colour.

Two forms behind one interface: here the paper's, the decomposition's colour network, finetuned;
in `texture` a picture times the footage's light.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..decomposition.model import AtlasNetwork
from .shading import ShadingStatistics

WINDOW = 0.57  # texels, deviation of the window through which waves are seen
AT_ONCE = 131_072  # points whose activations in the colour network are held at a time


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
    """What both forms share; ``statistics`` are for `shading`, at any size of the footage.

    ``holds_light`` says that the colours are those of the footage's own light and softness; else
    they are paint, which is lit, and softened where the footage is soft.
    """

    form = ""
    holds_light = False

    def __init__(self, statistics: ShadingStatistics) -> None:
        super().__init__()
        self.statistics = statistics

    def paint(self, uv: Tensor, shading: Tensor) -> Tensor:
        """Return the colours [N, 3] in [0, 1] at ``uv`` [N, 2], lit by ``shading`` [N]."""
        return self.lit(self.albedo(uv), shading)

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the colours at ``uv`` [N, 2] before the light, [N, 3]."""
        raise NotImplementedError

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return what ``albedo`` looks like under ``shading`` [N], as colours [N, 3]."""
        raise NotImplementedError

    def finished(self) -> StylizedAtlas:
        """Return the atlas as it is saved and rendered, without what only learning needs."""
        return self

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
    holds_light = True

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


def wave_shares(frequencies: int, texel: tuple[float, float]) -> Tensor:
    """Return how much each of `fourier_features` of uv counts where it is read every ``texel``.

    As much as is left of the wave in a Gaussian window (integrated positional encoding, Barron
    et al. 2021, eq. 14): .90, .67 and .20 of waves of 8, 4 and 2 texels, next to nothing of 1.
    """
    octaves = math.pi * 2.0 ** torch.arange(frequencies)  # radians per uv
    widths = WINDOW * octaves[:, None] * torch.tensor(texel)
    return torch.exp(-widths.square() / 2).flatten().repeat(2)
