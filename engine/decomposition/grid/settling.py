"""Lets the mapping settle along the motion: paint must not slide from one frame to the next.

The registration keeps points in place over the whole video; between neighbouring frames its
splines still tremble by parts of a pixel where limbs bend faster than they can. Each place moves
towards where the flow says that its neighbours in time have it, only where they disagree, and
never so far that the mapping folds.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

ROUNDS = 3
RATE = 0.25  # of the disagreement with both neighbours, in each round
DISAGREEMENT = 0.15  # px below which nothing moves much
AROUND = 5  # px over which a movement is averaged
LEAST_AREA = 0.1  # parts of the usual area of a pixel in the atlas that stay unfolded
ATTEMPTS = 4


def settled(
    uv: Tensor,
    masks: Tensor,
    ahead: tuple[Tensor, Tensor],
    behind: tuple[Tensor, Tensor],
) -> Tensor:
    """Return ``uv`` [T, h, w, 2] of boxes with the object after some rounds.

    ``masks`` [T, h, w] in [0, 1]; ``ahead`` and ``behind`` are where the flow ends in the next and
    in the last box, px [T-1, h, w, 2], and where it holds [T-1, h, w].
    """
    if len(uv) < 2 or not (masks > 0.5).any():
        return uv
    first = uv.permute(0, 3, 1, 2)
    inside = (masks > 0.3).float()[:, None]
    links = [
        _link(inside[1:], inside[:-1], *ahead),
        _link(inside[:-1], inside[1:], *behind),
    ]
    area = _areas(first)
    usual = area[(masks[:, :-1, :-1] > 0.5)].median().clamp_min(1e-12)
    moved = first
    for _ in range(ROUNDS):
        pull, count = torch.zeros_like(first), torch.zeros_like(inside)
        for (grid, holds), own, other in zip(
            links, (slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1)), strict=True
        ):
            step = holds * (_read(moved[other], grid) - moved[own])
            far = step.square().sum(1, keepdim=True) / usual
            pull[own] += step * far / (far + DISAGREEMENT**2)
            count[own] += holds
        moved = moved + RATE * _averaged(pull, (count > 0).float())
    return _unfolded(first, moved - first, LEAST_AREA * usual).permute(0, 2, 3, 1)


def _link(there: Tensor, here: Tensor, ends: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return the places to read at, for `grid_sample`, and where both are the object."""
    grid = for_sampling(ends)
    both = (_read(there, grid) > 0.99).float() * here * valid[:, None]
    return grid, both * (grid.abs() < 1).all(3)[:, None]


def for_sampling(ends: Tensor) -> Tensor:
    """Turn px ``ends`` [n, h, w, 2] of boxes of this size into places for `grid_sample`."""
    height, width = ends.shape[1:3]
    across, down = ends.unbind(3)
    return torch.stack([(across + 0.5) / width * 2 - 1, (down + 0.5) / height * 2 - 1], 3)


def _read(pictures: Tensor, grid: Tensor) -> Tensor:
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _averaged(pull: Tensor, known: Tensor) -> Tensor:
    """Average over the neighbourhood, so that shapes stay; it fades where nothing is known."""
    total, share = (
        functional.avg_pool2d(each, AROUND, 1, AROUND // 2, count_include_pad=False)
        for each in (pull, known)
    )
    return total / share.clamp_min(0.2)


def _unfolded(first: Tensor, movement: Tensor, least: Tensor) -> Tensor:
    """Take movements back where they would fold the mapping, or more than it is."""
    limit = torch.minimum(_areas(first), least)
    for attempt in range(ATTEMPTS):
        folded = _areas(first + movement) < limit
        if not folded.any():
            break
        reach = (AROUND << attempt) | 1
        marks = functional.pad(folded.float(), (0, 1, 0, 1))[:, None]
        near = functional.max_pool2d(marks, reach, 1, reach // 2)
        soft = functional.avg_pool2d(near, reach, 1, reach // 2, count_include_pad=False)
        movement = movement * (1 - torch.maximum(near, soft))
    else:
        folded = _areas(first + movement) < limit
        movement = movement * (~folded.flatten(1).any(1))[:, None, None, None]
    return first + movement


def _areas(uv: Tensor) -> Tensor:
    """Return det J of ``uv`` [T, 2, h, w] at all pixels but the last, [T, h-1, w-1]."""
    across = (uv[..., :, 1:] - uv[..., :, :-1])[..., :-1, :]
    down = (uv[..., 1:, :] - uv[..., :-1, :])[..., :, :-1]
    return across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]
