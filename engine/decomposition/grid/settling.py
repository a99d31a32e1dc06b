"""Lets the mapping settle along the motion: paint must not slide from one frame to the next.

The registration keeps points in place over the whole video; between neighbouring frames its
splines tremble by parts of a pixel, and lag where limbs and cloth move faster than they can. One
smooth movement of all frames together makes neighbours agree with the flow: a sparse linear
least-squares problem. It is held back a little, so that over many frames the registration stays
right, for flow drifts. Nothing is moved so far that the mapping folds: what would fold is made
stiffer, round by round, until it moves as one with what is beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .folds import areas, around, grown, least_areas, unfolded
from .portions import of_frames, portions
from .ties import INSIDE, Tie, coarse, tied

COARSE_SIDE = 256  # px of the frame's longer side, as many places move by themselves
HELD = 0.01  # a movement of a coarse pixel, against as much disagreement with the flow
STIFFNESS = 0.07  # a movement that differs as much from the pixel beside it
OUTSIDE = 0.1, 0.01  # of stiffness and of hold where the object is not
ROUNDS = 3, 12  # of doubt in what still disagrees; at most, where something would fold
STIFFER = 4.0  # times as stiff as before are places that would fold
ITERATIONS = 40
TOLERANCE = 1e-3  # of the first slope, in the preconditioner's square


def settled(
    uv: Tensor,
    masks: Tensor,
    ahead: tuple[Tensor, Tensor],
    behind: tuple[Tensor, Tensor],
    *,
    longest_side: int = COARSE_SIDE,
) -> Tensor:
    """Return ``uv`` [T, h, w, 2] of boxes with the object, settled.

    ``masks`` [T, h, w] in [0, 1]; ``ahead`` and ``behind`` are where the flow ends in the next and
    in the last box, px [T-1, h, w, 2], and where it holds [T-1, h, w]. ``longest_side`` of the
    frame, px, says how finely places move by themselves.
    """
    if len(uv) < 2 or not (masks > 0.5).any():
        return uv
    times = max(1, round(longest_side / COARSE_SIDE))
    first = uv.permute(0, 3, 1, 2).contiguous()
    parts = portions(len(uv), masks[0].numel(), uv.device)
    usual = _usual_area(first, masks, parts)
    movement = _movement(first, masks, ahead, behind, usual=usual, times=times)
    moved, size = torch.empty_like(first), tuple(masks.shape[1:])
    for frames in parts:
        start = of_frames(first, frames)
        step = functional.interpolate(of_frames(movement, frames), size=size, mode="bilinear")
        inside = grown((of_frames(masks, frames) > INSIDE).float()[:, None], times)
        least = least_areas(start, inside, usual)
        of_frames(moved, frames).copy_(unfolded(start, step, least, reach=times))
    return moved.permute(0, 2, 3, 1)


def _usual_area(first: Tensor, masks: Tensor, parts: Sequence[range]) -> Tensor:
    """Return the median area of a pixel of the object in the atlas."""
    found = [
        areas(of_frames(first, frames))[of_frames(masks, frames)[:, :-1, :-1] > 0.5]
        for frames in parts
    ]
    return torch.cat(found).median().clamp_min(1e-12)


def _movement(
    first: Tensor,  # [T, 2, h, w]
    masks: Tensor,
    ahead: tuple[Tensor, Tensor],
    behind: tuple[Tensor, Tensor],
    *,
    usual: Tensor,
    times: int,
) -> Tensor:
    """Return by how much of the atlas places of ``times`` pixels move, [T, 2, h', w']."""
    size = -(-masks.shape[1] // times), -(-masks.shape[2] // times)
    step = usual.sqrt() * times
    parts = portions(len(first) - 1, masks[0].numel(), first.device)
    ties = [
        tied(1, ahead, first, masks, size=size, step=step, parts=parts),
        tied(-1, behind, first, masks, size=size, step=step, parts=parts),
    ]
    start = coarse(first, size) / step
    inside = coarse((masks > INSIDE).float()[:, None], size) > 0.5
    least = least_areas(start, grown(inside.float(), 1), 1.0)
    moved, stiffness = torch.zeros_like(start), torch.full_like(start[:, :1], STIFFNESS)
    for done in range(1, ROUNDS[1] + 1):
        moved = _energy(ties, inside, stiffness, moved).least(moved)
        folded = areas(start + moved) < least
        if done >= ROUNDS[0] and not folded.any():
            break
        stiffness = torch.where(around(folded, 1) > 0, STIFFER * stiffness, stiffness)
    return moved * step


@dataclass(frozen=True)
class _Energy:
    """Half the squares of what a movement [T, 2, h, w] leaves to be wished."""

    ties: list[Tie]
    trusts: list[Tensor]  # [T-1, 1, h, w] for each of them
    parts: list[range]  # the pairs, some at a time
    hold: Tensor  # [T, 1, h, w]
    across: Tensor  # [T, 1, h, w-1], stiffness between neighbours
    down: Tensor  # [T, 1, h-1, w]

    def least(self, moved: Tensor) -> Tensor:
        """Go on from ``moved`` by conjugate gradients to where the energy is least."""
        diagonal = self._diagonal()
        slopes = self._slopes(torch.zeros_like(moved), missing=True)
        goal = TOLERANCE * (slopes.square() / diagonal).sum()
        residual = -self._slopes(moved, missing=True)
        direction = ahead = residual / diagonal
        size = (residual * ahead).sum()
        for _ in range(ITERATIONS):
            if bool(size <= goal):
                break
            product = self._slopes(direction, missing=False)
            step = size / (direction * product).sum().clamp_min(1e-20)
            moved = torch.addcmul(moved, step, direction)
            residual = torch.addcmul(residual, step, product, value=-1)
            ahead = residual / diagonal
            previous, size = size, (residual * ahead).sum()
            direction = torch.addcmul(ahead, size / previous.clamp_min(1e-20), direction)
        return moved

    def _slopes(self, moved: Tensor, *, missing: bool) -> Tensor:
        """Return the gradient at ``moved``, of what is ``missing`` already or of the rest alone."""
        slopes = self.hold * moved
        for axis, stiffness in ((3, self.across), (2, self.down)):
            count = moved.shape[axis] - 1
            pull = stiffness * moved.diff(dim=axis)
            slopes.narrow(axis, 1, count).add_(pull)
            slopes.narrow(axis, 0, count).sub_(pull)
        for pairs in self.parts:
            frames = range(pairs.start, pairs.stop + 1)
            with torch.enable_grad():
                part = of_frames(moved, frames).detach().requires_grad_()
                energy = part.new_zeros(())
                for tie, trust in zip(self.ties, self.trusts, strict=True):
                    left = tie.left(part, pairs)
                    if missing:
                        left = left + of_frames(tie.miss, pairs)
                    energy = energy + (of_frames(trust, pairs) * left.square()).sum() / 2
                of_frames(slopes, frames).add_(torch.autograd.grad(energy, part)[0])
        return slopes

    def _diagonal(self) -> Tensor:
        """Return about the second derivatives: where the flow ends it lies between four places."""
        diagonal = self.hold.clone()
        for tie, trust in zip(self.ties, self.trusts, strict=True):
            begins, ends = (diagonal[:-1], diagonal[1:])[:: tie.ahead]
            begins += trust
            ends += trust / 2
        for axis, stiffness in ((3, self.across), (2, self.down)):
            count = stiffness.shape[axis]
            diagonal.narrow(axis, 1, count).add_(stiffness)
            diagonal.narrow(axis, 0, count).add_(stiffness)
        return diagonal


def _energy(ties: list[Tie], inside: Tensor, stiffness: Tensor, moved: Tensor) -> _Energy:
    """Return the energy in which each tie is trusted as far as ``moved`` agrees with it.

    ``inside`` bool [T, 1, h, w] is where the object is, ``stiffness`` as much of it is there.
    """
    parts = portions(len(moved) - 1, inside[0].numel(), moved.device)
    trusts = [
        torch.cat([tie.trusted(moved[pairs.start : pairs.stop + 1], pairs) for pairs in parts])
        for tie in ties
    ]
    softer, looser = (torch.where(inside, 1.0, share) for share in OUTSIDE)
    stiffness = softer * stiffness
    across = (stiffness[..., 1:] * stiffness[..., :-1]).sqrt()
    down = (stiffness[:, :, 1:] * stiffness[:, :, :-1]).sqrt()
    return _Energy(ties, trusts, parts, HELD * looser, across, down)
