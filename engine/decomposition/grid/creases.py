"""Where a mapping folds, pixel by pixel, and how little of a movement is taken back against it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

LEAST_AREA = 0.02  # parts of the usual area of a pixel in the atlas that stay unfolded
SHARE = 0.5  # of what it had, that is enough where a pixel had little
KEPT = 0.9  # of the movement around a fold, in each attempt
ATTEMPTS = 80
WIDER = 10  # attempts after which more is taken back around a fold


def areas(uv: Tensor) -> Tensor:
    """Return det J of ``uv`` [n, 2, h, w] at all pixels but the last, [n, h-1, w-1]."""
    across = (uv[..., :, 1:] - uv[..., :, :-1])[..., :-1, :]
    down = (uv[..., 1:, :] - uv[..., :-1, :])[..., :, :-1]
    return across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]


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
    return grown(marks, reach)


def grown(marks: Tensor, reach: int) -> Tensor:
    """Return the most of ``marks`` [n, 1, h, w] within a square of ``reach`` px."""
    size = 2 * reach + 1
    rows = functional.max_pool2d(marks, (size, 1), 1, (reach, 0))
    return functional.max_pool2d(rows, (1, size), 1, (0, reach))


def unfolded(first: Tensor, movement: Tensor, least: Tensor, *, reach: int) -> Tensor:
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
