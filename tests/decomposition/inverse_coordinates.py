"""The inverses of `engine.decomposition.coordinates`, which only tests need."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.decomposition.coordinates import ALPHA_FLOOR, ALPHA_SPAN, Extent


def pixels_of_points(points: Tensor, extent: Extent) -> Tensor:
    """Turn ``points`` [N, 3] back into pixels [N, 3]."""
    x, y, t = (points + 1).unbind(dim=1)
    return torch.stack([x * extent.half, y * extent.half, t * extent.half_time], dim=1)


def flow_of_offset(offset: Tensor, extent: Extent) -> Tensor:
    """Turn an ``offset`` of points [N, 2] back into flow in pixels [N, 2]."""
    return offset * extent.half


def from_foreground_quadrant(quadrant: Tensor) -> Tensor:
    """Undo `to_foreground_quadrant`."""
    return (quadrant - 0.5) * 2


def from_background_quadrant(quadrant: Tensor) -> Tensor:
    """Undo `to_background_quadrant`."""
    return (quadrant + 0.5) * 2


def signed_of_alpha(alpha: Tensor) -> Tensor:
    """Undo `alpha_of_signed`."""
    return (alpha - ALPHA_FLOOR) / ALPHA_SPAN * 2 - 1
