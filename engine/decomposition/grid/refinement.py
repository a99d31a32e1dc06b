"""Flow-guided refinement of the mapping: neighbouring frames are made to agree with the flow.

The registration is accurate over the whole video; between neighbouring frames its splines jitter by
fractions of a pixel, and lag where limbs and cloth move faster than their knots allow. One smooth
displacement of all frames minimizes the residuals of flow and tracks: a sparse linear least-squares
problem, solved by iteratively reweighted least squares (IRLS). Flow drifts; tracks, and a small
penalty on the displacement's length, bind frames that are far apart. The mapping must not fold:
where it would, the stiffness is raised, round by round, until the place moves together with its
neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ...checkpoint import tensor_once
from ...partial_results import UNSAVED, PartialResults
from .chunks import chunks, of_frames
from .flow_constraints import INSIDE, FlowConstraint, coarse, flow_constraint
from .folds import areas, around, dilate, least_areas, move_without_folds
from .matches import NONE, Matches
from .track_constraints import TrackConstraint, track_constraint

COARSE_SIDE = 256  # px of the frame's longer side, as many places move by themselves
HELD = 0.01  # weight of a displacement of a coarse pixel, where that of as much flow residual is 1
STIFFNESS = 0.07  # weight of a difference in displacement from the pixel beside it
OUTSIDE = 0.1, 0.01  # of stiffness and of hold where the object is not
ROUNDS = 3, 12  # of reweighting; at most, where something would fold
STIFFER = 4.0  # times as stiff as before are places that would fold
ITERATIONS = 40
TOLERANCE = 1e-3  # of the first gradient, in the preconditioner's square


def refine_mapping(
    uv: Tensor,
    masks: Tensor,
    ahead: tuple[Tensor, Tensor],
    behind: tuple[Tensor, Tensor],
    *,
    tracks: Matches = NONE,
    longest_side: int = COARSE_SIDE,
    partial: PartialResults = UNSAVED,
) -> Tensor:
    """Return ``uv`` [T, h, w, 2] of boxes with the object, refined by the flow.

    ``masks`` [T, h, w] in [0, 1]; ``ahead`` and ``behind`` are where the flow ends in the next and
    in the last box, px [T-1, h, w, 2], and where it holds [T-1, h, w]. ``tracks`` are in px of the
    boxes. ``longest_side`` of the frame, px, says how finely places move by themselves. Rounds
    that are in ``partial`` are not computed again.
    """
    if len(uv) < 2 or not (masks > 0.5).any():
        return uv
    times = max(1, round(longest_side / COARSE_SIDE))
    first = uv.permute(0, 3, 1, 2).contiguous()
    parts = chunks(len(uv), masks[0].numel(), uv.device)
    median_area = _median_area(first, masks, parts)
    displacement = _displacement(
        first, masks, ahead, behind, tracks,
        median_area=median_area, times=times, partial=partial,
    )  # fmt: skip
    refined, size = torch.empty_like(first), tuple(masks.shape[1:])
    for frames in parts:
        start = of_frames(first, frames)
        step = functional.interpolate(of_frames(displacement, frames), size=size, mode="bilinear")
        inside = dilate((of_frames(masks, frames) > INSIDE).float()[:, None], times)
        least = least_areas(start, inside, median_area)
        of_frames(refined, frames).copy_(move_without_folds(start, step, least, reach=times))
    return refined.permute(0, 2, 3, 1)


def _median_area(first: Tensor, masks: Tensor, parts: Sequence[range]) -> Tensor:
    """Return the median area of a pixel of the object in the atlas."""
    found = [
        areas(of_frames(first, frames))[of_frames(masks, frames)[:, :-1, :-1] > 0.5]
        for frames in parts
    ]
    return torch.cat(found).median().clamp_min(1e-12)


def _displacement(
    first: Tensor,  # [T, 2, h, w]
    masks: Tensor,
    ahead: tuple[Tensor, Tensor],
    behind: tuple[Tensor, Tensor],
    tracks: Matches,
    *,
    median_area: Tensor,
    times: int,
    partial: PartialResults,
) -> Tensor:
    """Return the displacement in the atlas of places of ``times`` pixels, [T, 2, h', w']."""
    size = -(-masks.shape[1] // times), -(-masks.shape[2] // times)
    step = median_area.sqrt() * times
    parts = chunks(len(first) - 1, masks[0].numel(), first.device)
    constraints = [
        flow_constraint(1, ahead, first, masks, size=size, step=step, parts=parts),
        flow_constraint(-1, behind, first, masks, size=size, step=step, parts=parts),
    ]
    bound = track_constraint(tracks, first, size=size, step=step)
    start = coarse(first, size) / step
    inside = coarse((masks > INSIDE).float()[:, None], size) > 0.5
    least = least_areas(start, dilate(inside.float(), 1), 1.0)
    displacement, stiffness = torch.zeros_like(start), torch.full_like(start[:, :1], STIFFNESS)
    for done in range(1, ROUNDS[1] + 1):
        displacement = tensor_once(
            partial, f"refinement {done}", first.device,
            _least_energy, constraints, bound, inside, stiffness, displacement,
        )  # fmt: skip
        folded = areas(start + displacement) < least
        if done >= ROUNDS[0] and not folded.any():
            break
        stiffness = torch.where(around(folded, 1) > 0, STIFFER * stiffness, stiffness)
    return displacement * step


@dataclass(frozen=True)
class _Energy:
    """Half the weighted sum of squares that a displacement [T, 2, h, w] is to minimize."""

    constraints: list[FlowConstraint]
    weights: list[Tensor]  # [T-1, 1, h, w] for each of them
    parts: list[range]  # the pairs, some at a time
    tracks: TrackConstraint
    track_weight: Tensor  # [N]
    hold: Tensor  # [T, 1, h, w]
    across: Tensor  # [T, 1, h, w-1], stiffness between neighbours
    down: Tensor  # [T, 1, h-1, w]

    def minimize(self, displacement: Tensor) -> Tensor:
        """Go on from ``displacement`` by conjugate gradients to where the energy is least."""
        diagonal = self._diagonal()
        gradient = self._gradient(torch.zeros_like(displacement), with_residual=True)
        goal = TOLERANCE * (gradient.square() / diagonal).sum()
        residual = -self._gradient(displacement, with_residual=True)
        direction = ahead = residual / diagonal
        size = (residual * ahead).sum()
        for _ in range(ITERATIONS):
            if bool(size <= goal):
                break
            product = self._gradient(direction, with_residual=False)
            step = size / (direction * product).sum().clamp_min(1e-20)
            displacement = torch.addcmul(displacement, step, direction)
            residual = torch.addcmul(residual, step, product, value=-1)
            ahead = residual / diagonal
            previous, size = size, (residual * ahead).sum()
            direction = torch.addcmul(ahead, size / previous.clamp_min(1e-20), direction)
        return displacement

    def _gradient(self, displacement: Tensor, *, with_residual: bool) -> Tensor:
        """Return the energy's gradient at ``displacement``, [T, 2, h, w].

        ``with_residual`` false leaves out the constraints' own residuals: the linear part.
        """
        gradient = self.hold * displacement
        residual = self.tracks.residual_change(displacement)
        if with_residual:
            residual = residual + self.tracks.residual
        self.tracks.add_gradient(gradient, residual, self.track_weight)
        for axis, stiffness in ((3, self.across), (2, self.down)):
            count = displacement.shape[axis] - 1
            pull = stiffness * displacement.diff(dim=axis)
            gradient.narrow(axis, 1, count).add_(pull)
            gradient.narrow(axis, 0, count).sub_(pull)
        for pairs in self.parts:
            frames = range(pairs.start, pairs.stop + 1)
            with torch.enable_grad():
                part = of_frames(displacement, frames).detach().requires_grad_()
                energy = part.new_zeros(())
                for constraint, weight in zip(self.constraints, self.weights, strict=True):
                    residual = constraint.residual_change(part, pairs)
                    if with_residual:
                        residual = residual + of_frames(constraint.residual, pairs)
                    energy = energy + (of_frames(weight, pairs) * residual.square()).sum() / 2
                of_frames(gradient, frames).add_(torch.autograd.grad(energy, part)[0])
        return gradient

    def _diagonal(self) -> Tensor:
        """Return approximate second derivatives: where the flow ends is between four places."""
        diagonal = self.hold.clone()
        self.tracks.add_diagonal(diagonal, self.track_weight)
        for constraint, weight in zip(self.constraints, self.weights, strict=True):
            begins, ends = (diagonal[:-1], diagonal[1:])[:: constraint.ahead]
            begins += weight
            ends += weight / 2
        for axis, stiffness in ((3, self.across), (2, self.down)):
            count = stiffness.shape[axis]
            diagonal.narrow(axis, 1, count).add_(stiffness)
            diagonal.narrow(axis, 0, count).add_(stiffness)
        return diagonal


def _least_energy(
    constraints: list[FlowConstraint],
    tracks: TrackConstraint,
    inside: Tensor,
    stiffness: Tensor,
    displacement: Tensor,
) -> Tensor:
    """Return where the energy that is weighted at ``displacement`` is least."""
    return _energy(constraints, tracks, inside, stiffness, displacement).minimize(displacement)


def _energy(
    constraints: list[FlowConstraint],
    tracks: TrackConstraint,
    inside: Tensor,
    stiffness: Tensor,
    displacement: Tensor,
) -> _Energy:
    """Return the energy whose constraints have their IRLS weights at ``displacement``.

    ``inside`` bool [T, 1, h, w] is where the object is, ``stiffness`` is per place, of that shape.
    """
    parts = chunks(len(displacement) - 1, inside[0].numel(), displacement.device)
    weights = [
        torch.cat(
            [each.irls_weights(displacement[some.start : some.stop + 1], some) for some in parts]
        )
        for each in constraints
    ]
    softer, looser = (torch.where(inside, 1.0, share) for share in OUTSIDE)
    stiffness = softer * stiffness
    across = (stiffness[..., 1:] * stiffness[..., :-1]).sqrt()
    down = (stiffness[:, :, 1:] * stiffness[:, :, :-1]).sqrt()
    return _Energy(
        constraints, weights, parts, tracks, tracks.irls_weights(displacement),
        HELD * looser, across, down,
    )  # fmt: skip
