"""Against fold-overs: places where a mapping turns pixels over, so that det J is not above 0.

`unfold_knots` takes them out of a registration, whose knots come nearer to their neighbours
there; `move_without_folds` takes as much of a displacement back as folds. What `refinement` moves
it makes stiffer where this module says that it would fold.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .splines import Lattice, field

LEAST_AREA = 0.02  # parts of the usual area of a pixel that stay unfolded
KNOT_SHARE = 0.05  # share of a folded spot from which on a knot is smoothed
KNOT_ATTEMPTS = 60
SHARE = 0.5  # of what it had, that is enough where a pixel had little
KEPT = 0.9  # of the movement around a fold, in each attempt
ATTEMPTS = 80
WIDER = 10  # attempts after which more is taken back around a fold


def areas(uv: Tensor) -> Tensor:
    """Return det J of ``uv`` [n, 2, h, w] at all pixels but the last, [n, h-1, w-1]."""
    across = (uv[..., :, 1:] - uv[..., :, :-1])[..., :-1, :]
    down = (uv[..., 1:, :] - uv[..., :-1, :])[..., :, :-1]
    return _cross_product(across.movedim(1, -1), down.movedim(1, -1))


def least_areas(first: Tensor, inside: Tensor, usual: Tensor | float) -> Tensor:
    """Return from what area on a pixel counts as folded when ``first`` moves, [n, h-1, w-1].

    It counts where ``inside`` [n, 1, h, w] is not 0 and where ``first`` [n, 2, h, w] is not folded
    itself; ``usual`` is the usual area of a pixel.
    """
    there = areas(first)
    counts = (inside[:, 0, :-1, :-1] > 0) & (there > 0)
    return (SHARE * there).clamp(max=LEAST_AREA * usual).masked_fill(~counts, -torch.inf)


def around(folded: Tensor, reach: int) -> Tensor:
    """Return where ``folded`` bool [n, h-1, w-1] is set within ``reach`` px, [n, 1, h, w]."""
    marks = functional.pad(folded.float(), (0, 1, 0, 1))[:, None]
    return dilate(marks, reach)


def dilate(marks: Tensor, reach: int) -> Tensor:
    """Return the most of ``marks`` [n, 1, h, w] within a square of ``reach`` px."""
    size = 2 * reach + 1
    rows = functional.max_pool2d(marks, (size, 1), 1, (reach, 0))
    return functional.max_pool2d(rows, (1, size), 1, (0, reach))


def move_without_folds(first: Tensor, movement: Tensor, least: Tensor, *, reach: int) -> Tensor:
    """Return ``first`` [n, 2, h, w] after as much of ``movement`` as folds nothing.

    ``least`` is of `least_areas`. Around folds, at first within ``reach`` px, the movement shrinks
    softly until there is none; a frame that stays folded does not move at all.
    """
    share = torch.ones_like(first[:, :1])
    for attempt in range(ATTEMPTS):
        folded = areas(first + share * movement) < least
        if not folded.any():
            break
        near = around(folded, reach * (1 + attempt // WIDER)) > 0
        share = torch.where(near, KEPT * share, share)
        # What is beside does not stay behind by leaps, which would be folds again.
        size = 2 * reach + 1
        mean = functional.avg_pool2d(share, size, 1, reach, count_include_pad=False)
        share = torch.minimum(share, mean)
    else:
        folded = areas(first + share * movement) < least
        share = share * (~folded.flatten(1).any(1))[:, None, None, None]
    return first + share * movement


def unfold_knots(lattice: Lattice, knots: Tensor, inside: Tensor) -> Tensor:
    """Return ``knots`` [T, rows, columns, 2] without folds where ``inside`` bool [T, h, w].

    Knots around a fold come nearer to their neighbours, until the mapping p + field(p) keeps the
    orientation of every pixel of the window. Frames without a fold stay as they are.
    """
    height, width = inside.shape[1:]
    across = lattice.basis_x(torch.arange(width).float())
    down = lattice.basis_y(torch.arange(height).float())
    result = knots.clone()
    for frame, where in enumerate(inside):
        for _ in range(KNOT_ATTEMPTS):
            folded = _knot_areas(result[frame], across, down) < LEAST_AREA
            folded &= where[:-1, :-1]
            if not folded.any():
                break
            near = down[:-1].T @ folded.float() @ across[:-1]
            smooth = _neighbours(result[frame])
            moving = (near > KNOT_SHARE)[..., None]
            result[frame] = torch.where(moving, (result[frame] + smooth) / 2, result[frame])
    return result


def _knot_areas(knots: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Return the area that each pixel has after the mapping, [h - 1, w - 1]."""
    shift = field(knots[None], across[None], down[None])[0]
    right = (shift[:, 1:] - shift[:, :-1])[:-1] + shift.new_tensor([1.0, 0.0])
    below = (shift[1:] - shift[:-1])[:, :-1] + shift.new_tensor([0.0, 1.0])
    return _cross_product(right, below)


def _neighbours(knots: Tensor) -> Tensor:
    """Return the mean of the four knots around each, [rows, columns, 2]."""
    padded = functional.pad(knots.permute(2, 0, 1)[None], (1, 1, 1, 1), mode="replicate")[0]
    mean = padded[:, 1:-1, 2:] + padded[:, 1:-1, :-2] + padded[:, 2:, 1:-1] + padded[:, :-2, 1:-1]
    return mean.permute(1, 2, 0) / 4


def _cross_product(right: Tensor, below: Tensor) -> Tensor:
    """Return the areas [...] between steps [..., 2] to the right and below."""
    return right[..., 0] * below[..., 1] - right[..., 1] * below[..., 0]
