"""Where each frame's points lie in the reference frame: one least-squares problem for all frames.

Unknown are the knots of a spline in every frame, which moves each point from where it first
stands. Matched points are to land on one spot. The problem is solved in stages: short gaps
first, long gaps under weights that the shorter ones make sceptical.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .matches import Matches
from .splines import Lattice

# Longest gap, number of reweightings.
STAGES = ((2, 2), (8, 1), (10**9, 2))
SCEPTICISM = 3.0
ITERATIONS = 60
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Problem:
    """Matches as equations. ``offset`` is how far a match misses where its points first stand."""

    pairs: Tensor  # [P, 2]
    bounds: list[int]  # match numbers at which the pairs begin, and the end
    start: Tensor  # [M, 2]
    end: Tensor  # [M, 2]
    offset: Tensor  # [M, 2]
    weight: Tensor  # [M]


@dataclass(frozen=True)
class _Normal:
    """The normal equations in blocks of one frame's active knots, k of them."""

    diagonal: Tensor  # [T, k, k]
    beside: Tensor  # [P, k, k]
    right: Tensor  # [T, k, 2]
    pairs: Tensor  # [P, 2]

    def times(self, knots: Tensor) -> Tensor:
        first, second = self.pairs[:, 0], self.pairs[:, 1]
        product = self.diagonal @ knots
        product.index_add_(0, first, self.beside @ knots[second])
        return product.index_add_(0, second, self.beside.mT @ knots[first])


def problem(matches: Matches, offset: np.ndarray) -> Problem:
    """Sort ``matches`` into equations; ``offset`` [M, 2] is end minus start in the reference."""
    codes = matches.first * (matches.second.max(initial=0) + 1) + matches.second
    _, begins = np.unique(codes, return_index=True)
    pairs = np.stack([matches.first[begins], matches.second[begins]], 1)
    return Problem(
        torch.from_numpy(pairs),
        [*begins.tolist(), len(codes)],
        *(
            torch.from_numpy(np.ascontiguousarray(values, np.float32))
            for values in (matches.start, matches.end, offset, matches.weight)
        ),
    )


def solve(
    equations: Problem,
    lattice: Lattice,
    stiffness: Tensor,
    *,
    frames: int,
    reference: int,
    before_round: Callable[[], None],
) -> tuple[Tensor, float]:
    """Return the knots of all frames, [T, rows, columns, 2], and the mean squared misfit.

    The reference frame keeps its place. ``stiffness`` [K, K] is one frame's energy.
    ``before_round`` is called before each reweighting.
    """
    active, eliminated, filling = _eliminate(equations, lattice, stiffness)
    knots = torch.zeros(frames, len(active), 2)
    rounds = [gap for gap, count in STAGES for _ in range(count)]
    for gap in rounds:
        before_round()
        normal = _assemble(equations, lattice, active, eliminated, knots, gap)
        knots = _conjugate_gradients(normal, knots, reference)
    misfit = _misfit(equations, lattice, active, knots)
    whole = torch.zeros(frames, lattice.rows * lattice.columns, 2)
    whole[:, active] = knots
    rest = torch.ones(whole.shape[1], dtype=torch.bool)
    rest[active] = False
    whole[:, rest] = filling @ knots
    return whole.reshape(frames, lattice.rows, lattice.columns, 2), misfit


def _eliminate(
    equations: Problem, lattice: Lattice, stiffness: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the knots that any match touches, their energy, and how the others follow them."""
    touched = torch.zeros(len(stiffness), dtype=torch.bool)
    for points in (equations.start, equations.end):
        for part in points.split(20_000):
            touched |= (lattice.basis(part) > 0).any(0)
    active, rest = touched.nonzero()[:, 0], (~touched).nonzero()[:, 0]
    exact = stiffness.double()
    between = exact[rest][:, active]
    filling = -torch.linalg.solve(exact[rest][:, rest], between)
    energy = exact[active][:, active] + between.T @ filling
    return active, energy.float(), filling.float()


def _rows(
    equations: Problem, lattice: Lattice, active: Tensor, pair: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    part = slice(equations.bounds[pair], equations.bounds[pair + 1])
    before = lattice.basis(equations.start[part])[:, active]
    after = lattice.basis(equations.end[part])[:, active]
    return before, after, equations.offset[part], equations.weight[part]


def _assemble(
    equations: Problem,
    lattice: Lattice,
    active: Tensor,
    energy: Tensor,
    knots: Tensor,
    longest_gap: int,
) -> _Normal:
    pairs = equations.pairs
    chosen = ((pairs[:, 1] - pairs[:, 0]) <= longest_gap).nonzero()[:, 0]
    diagonal = energy.repeat(len(knots), 1, 1)
    right = torch.zeros_like(knots)
    beside = torch.empty(len(chosen), len(active), len(active))
    for place, pair in enumerate(chosen.tolist()):
        first, second = pairs[pair].tolist()
        before, after, offset, weight = _rows(equations, lattice, active, pair)
        error = before @ knots[first] - after @ knots[second] - offset
        trust = (weight / (1 + error.square().sum(1) / SCEPTICISM**2)).sqrt()[:, None]
        before, after, offset = before * trust, after * trust, offset * trust
        diagonal[first] += before.T @ before
        diagonal[second] += after.T @ after
        beside[place] = -before.T @ after
        right[first] += before.T @ offset
        right[second] -= after.T @ offset
    return _Normal(diagonal, beside, right, pairs[chosen])


def _conjugate_gradients(normal: _Normal, knots: Tensor, reference: int) -> Tensor:
    """Go on from ``knots``, each frame's own block as preconditioner."""
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(normal.diagonal))
    inverse[reference] = 0  # its knots never move
    residual = normal.right - normal.times(knots)
    residual[reference] = 0
    ahead = inverse @ residual
    direction, size = ahead, (residual * ahead).sum((0, 1))
    goal = size * TOLERANCE**2
    for _ in range(ITERATIONS):
        product = normal.times(direction)
        product[reference] = 0
        step = size / (direction * product).sum((0, 1)).clamp(min=1e-20)
        knots, residual = knots + step * direction, residual - step * product
        ahead = inverse @ residual
        previous, size = size, (residual * ahead).sum((0, 1))
        if bool((size <= goal).all()):
            break
        direction = ahead + size / previous.clamp(min=1e-20) * direction
    return knots


def _misfit(equations: Problem, lattice: Lattice, active: Tensor, knots: Tensor) -> float:
    total, amount = 0.0, 1e-9
    for pair, (first, second) in enumerate(equations.pairs.tolist()):
        before, after, offset, weight = _rows(equations, lattice, active, pair)
        error = (before @ knots[first] - after @ knots[second] - offset).square().sum(1)
        trust = weight / (1 + error / SCEPTICISM**2)
        total += float((trust * error).sum())
        amount += float(trust.sum())
    return total / amount
