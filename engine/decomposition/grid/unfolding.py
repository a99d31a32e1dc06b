"""Takes folds out of a registration where they are, and leaves the rest as it is."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .splines import Lattice, field

LEAST_AREA = 0.02  # of a pixel, that the mapping leaves of it
REACH = 0.05  # share of a folded spot from which on a knot is smoothed
TRIES = 60


def unfolded(lattice: Lattice, knots: Tensor, inside: Tensor) -> Tensor:
    """Return ``knots`` [T, rows, columns, 2] without folds where ``inside`` bool [T, h, w].

    Knots around a fold come nearer to their neighbours, until the mapping p + field(p) keeps the
    orientation of every pixel of the window. Frames without a fold stay as they are.
    """
    height, width = inside.shape[1:]
    across = lattice.basis_x(torch.arange(width).float())
    down = lattice.basis_y(torch.arange(height).float())
    result = knots.clone()
    for frame, where in enumerate(inside):
        for _ in range(TRIES):
            folded = _areas(result[frame], across, down) < LEAST_AREA
            folded &= where[:-1, :-1]
            if not folded.any():
                break
            near = down[:-1].T @ folded.float() @ across[:-1]
            smooth = _neighbours(result[frame])
            moving = (near > REACH)[..., None]
            result[frame] = torch.where(moving, (result[frame] + smooth) / 2, result[frame])
    return result


def _areas(knots: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Return the area that each pixel has after the mapping, [h - 1, w - 1]."""
    shift = field(knots[None], across[None], down[None])[0]
    right = (shift[:, 1:] - shift[:, :-1])[:-1] + shift.new_tensor([1.0, 0.0])
    below = (shift[1:] - shift[:-1])[:, :-1] + shift.new_tensor([0.0, 1.0])
    return right[..., 0] * below[..., 1] - right[..., 1] * below[..., 0]


def _neighbours(knots: Tensor) -> Tensor:
    """Return the mean of the four knots around each, [rows, columns, 2]."""
    padded = functional.pad(knots.permute(2, 0, 1)[None], (1, 1, 1, 1), mode="replicate")[0]
    mean = padded[:, 1:-1, 2:] + padded[:, 1:-1, :-2] + padded[:, 2:, 1:-1] + padded[:, :-2, 1:-1]
    return mean.permute(1, 2, 0) / 4
