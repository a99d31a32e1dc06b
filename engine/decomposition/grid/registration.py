"""Where each frame's points lie in the reference frame: one least-squares problem for all frames.

Unknown are the knots of a spline in every frame, which moves each point from where it first
stands. Matched points are to land on one spot. The problem is solved in stages: short gaps
first, long gaps under weights that the shorter ones make sceptical, and with more knots in the
end than in the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...checkpoint import tensor_once
from ...partial_results import UNSAVED, PartialResults
from .equations import Equations, Own, Problem, build_equations
from .splines import Lattice

# The longest gap of each reweighting.
ALL = 10**9
ROUNDS = (2, 2, 8, ALL, ALL)
ITERATIONS = 60
TOLERANCE = 1e-3
# On a GPU convergence is tested no more often: a test waits for all that was begun.
CHECK_EVERY = 6


@dataclass(frozen=True)
class _Normal:
    """The normal equations of the active knots, k in each frame. Knots come as [T, 2, k]."""

    diagonal: Tensor  # [T, k, k], symmetric
    own: Own
    first: Tensor  # [P], the frames of each pair
    second: Tensor  # [P]
    beside: Tensor  # [P, N, N], what ties the first's own knots to the second's
    right: Tensor  # [T, 2, k]

    def times(self, knots: Tensor) -> Tensor:
        """Multiply ``knots``. Rows times matrix is faster than matrix times two columns."""
        own = self.own.of(knots)
        sums = torch.zeros_like(own)
        sums.index_add_(0, self.second, own[self.first] @ self.beside)
        sums.index_add_(0, self.first, own[self.second] @ self.beside.mT)
        return torch.baddbmm(self.own.put(sums), knots, self.diagonal)


def solve(
    problem: Problem,
    lattice: Lattice,
    stiffness: Tensor,
    *,
    start: Tensor,
    reference: int,
    rounds: Sequence[int] = ROUNDS,
    device: torch.device,
    before_round: Callable[[], None],
    partial: PartialResults = UNSAVED,
    name: str = "",
) -> tuple[Tensor, float]:
    """Return the knots of all frames, [T, rows, columns, 2], and the mean squared misfit.

    They begin as ``start``, of the same shape; the reference frame keeps its place. ``stiffness``
    [K, K] is one frame's energy. ``before_round`` is called before each of ``rounds``; those that
    are in ``partial`` under ``name`` are not computed again. All comes from the CPU and goes there;
    it is computed on ``device``.
    """
    equations = build_equations(problem, lattice, len(start), device)
    energy, filling, rest = _eliminate(equations.active, stiffness.to(device))
    knots = start.to(device).flatten(1, 2)[:, equations.active].mT.contiguous()
    for number, gap in enumerate(rounds):
        before_round()
        knots = tensor_once(
            partial, f"{name} {number}", device, _round, equations, energy, knots, gap, reference
        )
    whole = torch.zeros(len(start), lattice.rows * lattice.columns, 2, device=device)
    whole[:, equations.active] = knots.mT
    whole[:, rest] = filling @ knots.mT
    return whole.view_as(start).cpu(), _misfit(equations, knots)


def _round(
    equations: Equations, energy: Tensor, knots: Tensor, longest_gap: int, reference: int
) -> Tensor:
    """Return the knots after they were solved for under weights of where they are."""
    return _conjugate_gradients(_assemble(equations, energy, knots, longest_gap), knots, reference)


def _eliminate(active: Tensor, stiffness: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the energy of the ``active`` knots, how the others follow them, and which they are."""
    others = torch.ones(len(stiffness), dtype=torch.bool, device=stiffness.device)
    rest = others.index_fill_(0, active, False).nonzero()[:, 0]
    exact = stiffness.double()
    between = exact[rest][:, active]
    filling = -torch.linalg.solve(exact[rest][:, rest], between)
    energy = exact[active][:, active] + between.T @ filling
    return energy.float(), filling.float(), rest


def _assemble(equations: Equations, energy: Tensor, knots: Tensor, longest_gap: int) -> _Normal:
    """Return the normal equations, with the IRLS weights at ``knots`` [T, 2, k]."""
    weights = equations.irls_weights(equations.error(knots))
    own = equations.own
    frames, size = len(knots), own.numbers.shape[2]
    squares = knots.new_zeros(frames, size, size)
    right = knots.new_zeros(frames, 2, size)
    pairs, chunks = equations.within(longest_gap)
    beside = knots.new_empty(len(pairs), size, size)
    for chunk in chunks:
        matches, there = chunk.matches()
        root = (weights[matches] * there).sqrt()[..., None]
        offset = (equations.offset[matches] * root).mT
        before, after = equations.sides(chunk, root, matches)
        for frame, side in ((chunk.first, before), (chunk.second, after)):
            squares.index_add_(0, frame, side.mT @ side)
            right.index_add_(0, frame, offset @ side)
        torch.bmm(before.mT, after, out=beside[chunk.part])
    diagonal = own.put_both_ways(squares).add_(energy)
    return _Normal(diagonal, own, pairs[:, 0], pairs[:, 1], beside, own.put(right))


def _conjugate_gradients(normal: _Normal, knots: Tensor, reference: int) -> Tensor:
    """Go on from ``knots``, each frame's own block as preconditioner."""
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(normal.diagonal))
    inverse[reference] = 0  # its knots never move
    residual = normal.right - normal.times(knots)
    residual[reference] = 0
    ahead = residual @ inverse
    direction, size = ahead, (residual * ahead).sum((0, 2), keepdim=True)
    goal = size * TOLERANCE**2
    check_every = 1 if knots.device.type == "cpu" else CHECK_EVERY
    for number in range(1, ITERATIONS + 1):
        product = normal.times(direction)
        product[reference] = 0
        step = size / (direction * product).sum((0, 2), keepdim=True).clamp(min=1e-20)
        knots = torch.addcmul(knots, step, direction)
        residual = torch.addcmul(residual, step, product, value=-1)
        ahead = residual @ inverse
        previous, size = size, (residual * ahead).sum((0, 2), keepdim=True)
        if number % check_every == 0 and bool((size <= goal).all()):
            break
        direction = torch.addcmul(ahead, size / previous.clamp(min=1e-20), direction)
    return knots


def _misfit(equations: Equations, knots: Tensor) -> float:
    error = equations.error(knots)
    weights = equations.irls_weights(error)
    return float((weights * error.square().sum(1)).sum() / (weights.sum() + 1e-9))
