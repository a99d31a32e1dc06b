"""Lets the mapping settle along the motion: paint must not slide from one frame to the next.

The registration keeps points in place over the whole video; between neighbouring frames its
splines still tremble by parts of a pixel where limbs bend faster than they can. Each place moves
towards where the flow says that its neighbours in time have it, only where they disagree, and
never so far that the mapping folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .portions import of_frames, portions

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
    in the last box, px [T-1, h, w, 2], and where it holds [T-1, h, w]. Some frames at a time, for
    all at once would take as much memory as all else together.
    """
    if len(uv) < 2 or not (masks > 0.5).any():
        return uv
    first = uv.permute(0, 3, 1, 2).contiguous()
    parts = portions(len(uv), masks[0].numel(), uv.device)
    links = [_Link(1, *ahead), _Link(-1, *behind)]
    usual = _usual_area(first, masks, parts)
    moved = first
    for _ in range(ROUNDS):
        following = torch.empty_like(moved)
        for frames in parts:
            pull, count = _pull(moved, masks, frames, links, usual)
            step = RATE * _averaged(pull, count)
            of_frames(following, frames).copy_(of_frames(moved, frames) + step)
        moved = following
    for frames in parts:
        start, end = of_frames(first, frames), of_frames(moved, frames)
        end.copy_(_unfolded(start, end - start, LEAST_AREA * usual))
    return moved.permute(0, 2, 3, 1)


@dataclass(frozen=True)
class _Link:
    """What ties frames to those ``ahead`` frames later, see `settled`."""

    ahead: int
    ends: Tensor  # [T-1, h, w, 2]
    valid: Tensor  # [T-1, h, w]

    def tied(self, frames: range, count: int) -> range:
        """Return those of ``frames``, of ``count`` in all, that have such a neighbour."""
        begin = max(frames.start, -self.ahead)
        return range(begin, max(begin, min(frames.stop, count - self.ahead)))


def _usual_area(first: Tensor, masks: Tensor, parts: Sequence[range]) -> Tensor:
    """Return the median area of a pixel of the object in the atlas."""
    found = [
        _areas(of_frames(first, frames))[of_frames(masks, frames)[:, :-1, :-1] > 0.5]
        for frames in parts
    ]
    return torch.cat(found).median().clamp_min(1e-12)


def _pull(
    moved: Tensor, masks: Tensor, frames: range, links: Sequence[_Link], usual: Tensor
) -> tuple[Tensor, Tensor]:
    """Return where ``frames`` are drawn, [n, 2, h, w], and by how many neighbours [n, 1, h, w]."""
    pull = torch.zeros_like(of_frames(moved, frames))
    count = torch.zeros_like(of_frames(masks, frames))[:, None]
    for link in links:
        own = link.tied(frames, len(moved))
        if not own:
            continue
        other = _later(own, link.ahead)
        number = _later(own, min(0, link.ahead))
        grid = for_sampling(of_frames(link.ends, number))
        inside = of_frames(masks, other), of_frames(masks, own)
        holds = _holding(*inside, grid, of_frames(link.valid, number))
        step = holds * (_read(of_frames(moved, other), grid) - of_frames(moved, own))
        far = step.square().sum(1, keepdim=True) / usual
        here = _later(own, -frames.start)
        of_frames(pull, here).add_(step * far / (far + DISAGREEMENT**2))
        of_frames(count, here).add_(holds)
    return pull, (count > 0).float()


def _later(frames: range, by: int) -> range:
    return range(frames.start + by, frames.stop + by)


def _holding(there: Tensor, here: Tensor, grid: Tensor, valid: Tensor) -> Tensor:
    """Return where both are the object and the flow holds, [n, 1, h, w]."""
    inside = [(each > 0.3).float()[:, None] for each in (there, here)]
    both = (_read(inside[0], grid) > 0.99).float() * inside[1] * valid[:, None]
    return both * (grid.abs() < 1).all(3)[:, None]


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
