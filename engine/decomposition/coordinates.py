"""Every change of coordinates of the `mlp` decomposition.

A pixel is (column, row, frame); a point is the same place in [-1, 1]; a uv is a place in one
layer's square [-1, 1]^2; a quadrant is that square's place in the plane of the shared atlas.
Knows nothing of networks or losses.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# The mappings start as the identity times this, so that they have room to move (NLA: 0.8).
MAPPING_SCALE = 0.8

# Keep alpha off 0 and 1, where its logarithm has no value (NLA: 0.99 and 0.001).
ALPHA_SPAN = 0.99
ALPHA_FLOOR = 0.001


@dataclass(frozen=True)
class Extent:
    """The size of a video.

    Both axes of the picture are divided by its longer side: a circle of pixels is a circle of
    points, and a portrait video is a landscape video turned.
    """

    frames: int
    height: int
    width: int

    @property
    def half(self) -> float:
        """Return how many pixels make one unit of a point."""
        return max(self.width, self.height) / 2

    @property
    def half_time(self) -> float:
        """Return how many frames make one unit of a point."""
        return self.frames / 2

    @property
    def pixels(self) -> int:
        """Return the number of pixels of the whole video."""
        return self.frames * self.height * self.width

    def pixel(self, numbers: Tensor) -> Tensor:
        """Return the pixels [N, 3] (column, row, frame) numbered ``numbers`` [N] row by row."""
        column = numbers % self.width
        row = numbers // self.width % self.height
        frame = numbers // (self.width * self.height)
        return torch.stack([column, row, frame], dim=1)

    def number(self, pixels: Tensor) -> Tensor:
        """Undo `pixel`."""
        column, row, frame = pixels.unbind(dim=1)
        return (frame * self.height + row) * self.width + column


def points_of_pixels(pixels: Tensor, extent: Extent) -> Tensor:
    """Turn ``pixels`` [N, 3] (column, row, frame) into points [N, 3].

    NLA's released code, not centred: the longer side and the time reach from -1 to just short
    of 1, the shorter side ends sooner.
    """
    column, row, frame = pixels.float().unbind(dim=1)
    return torch.stack([column / extent.half, row / extent.half, frame / extent.half_time], 1) - 1


def offset_of_flow(flow: Tensor, extent: Extent) -> Tensor:
    """Turn ``flow`` [N, 2] in pixels into an offset of points [N, 2]."""
    return flow / extent.half


def uv_step(pixels: float, extent: Extent) -> float:
    """Return how far uv moves over ``pixels`` pixels where the mapping is the scaled identity."""
    return MAPPING_SCALE * pixels / extent.half


def to_foreground_quadrant(uv: Tensor) -> Tensor:
    """Place the foreground's ``uv`` [..., 2] in the quadrant [0, 1]^2 of the shared atlas."""
    return uv / 2 + 0.5


def to_background_quadrant(uv: Tensor) -> Tensor:
    """Place the background's ``uv`` [..., 2] in the quadrant [-1, 0]^2 of the shared atlas."""
    return uv / 2 - 0.5


def layers_uv_of_quadrant(quadrant: Tensor) -> Tensor:
    """Turn a place in the foreground's quadrant into `Layers.uv`, and back: they are the same.

    Rounding may lift tanh to exactly 1; nothing may leave [0, 1].
    """
    return quadrant.clamp(0, 1)


def alpha_of_signed(signed: Tensor) -> Tensor:
    """Turn a network's output in [-1, 1] into alpha in [0.001, 0.991]."""
    return ALPHA_SPAN * (signed + 1) / 2 + ALPHA_FLOOR
