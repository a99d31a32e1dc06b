"""Where each frame's points lie in the reference frame: one least-squares problem for all frames.

Unknown are the knots of a spline in every frame, which moves each point from where it first
stands. Matched points are to land on one spot. The problem is solved in stages: short gaps
first, long gaps under weights that the shorter ones make sceptical, and with more knots in the
end than in the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .matches import Matches
from .splines import Lattice

# The longest gap of each reweighting.
ALL = 10**9
ROUNDS = (2, 2, 8, ALL, ALL)
SCEPTICISM = 3.0
ITERATIONS = 60
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Problem:
    """Matches as equations. ``offset`` is how far a match misses where its points first stand."""

    pairs: Tensor  # [P, 2]
    bounds: list[int]  # match numbers at which the pairs begin, and the end
    start: Tensor  # [M, 2]
    end: Tensor  # [M, 2]
    offset: Tensor  # [M, 2]
    weight: Tensor  # [M]

    def to(self, device: torch.device) -> Problem:
        """Return the same on ``device``; the pairs' numbers stay."""
        names = ("start", "end", "offset", "weight")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


@dataclass(frozen=True)
class _Beside:
    """What ties one frame's knots, n of them, to m knots of later frames, numbered over all."""

    own: Tensor  # [n]
    others: Tensor  # [m]
    block: Tensor  # [n, m]


@dataclass(frozen=True)
class _Normal:
    """The normal equations of the active knots, k in each frame. Knots come as [2, T, k]."""

    diagonal: Tensor  # [T, k, k], symmetric
    beside: list[_Beside]
    right: Tensor  # [2, T, k]

    def times(self, knots: Tensor) -> Tensor:
        product = _each(knots, self.diagonal)
        sums, flat = product.view(2, -1), knots.view(2, -1)
        # Rows times matrix: several times as fast as matrix times columns, where there are two.
        for part in self.beside:
            sums.index_add_(1, part.own, flat[:, part.others] @ part.block.T)
            sums.index_add_(1, part.others, flat[:, part.own] @ part.block)
        return product


def _each(knots: Tensor, matrices: Tensor) -> Tensor:
    """Multiply each frame's ``knots`` [2, T, k] by its symmetric matrix [T, k, k]."""
    return (knots.transpose(0, 1) @ matrices).transpose(0, 1).contiguous()


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
    start: Tensor,
    reference: int,
    rounds: Sequence[int] = ROUNDS,
    device: torch.device,
    before_round: Callable[[], None],
) -> tuple[Tensor, float]:
    """Return the knots of all frames, [T, rows, columns, 2], and the mean squared misfit.

    They begin as ``start``, of the same shape; the reference frame keeps its place. ``stiffness``
    [K, K] is one frame's energy. ``before_round`` is called before each of ``rounds``. All comes
    from the CPU and goes there; it is computed on ``device``.
    """
    equations = equations.to(device)
    start, stiffness = start.to(device), stiffness.to(device)
    sides = [_located(points, lattice) for points in (equations.start, equations.end)]
    active, eliminated, filling = _eliminate(sides, stiffness)
    knots = start.flatten(1, 2)[:, active].permute(2, 0, 1).contiguous()
    used = _used(equations, sides, active, start)
    for gap in rounds:
        before_round()
        normal = _assemble(equations, sides, used, eliminated, knots, gap)
        knots = _conjugate_gradients(normal, knots, reference)
    misfit = _misfit(equations, sides, used, knots)
    whole = torch.zeros(len(start), lattice.rows * lattice.columns, 2, device=device)
    whole[:, active] = knots.permute(1, 2, 0)
    rest = torch.ones(whole.shape[1], dtype=torch.bool, device=device)
    rest[active] = False
    whole[:, rest] = filling @ whole[:, active]
    return whole.view_as(start).cpu(), misfit


@dataclass(frozen=True)
class _Located:
    """The knots around points, and their shares."""

    numbers: Tensor  # int32 [M, 16]
    shares: Tensor  # [M, 16]


def _located(points: Tensor, lattice: Lattice) -> _Located:
    parts = [lattice.near(part) for part in points.split(20_000)]
    numbers, shares = zip(*parts, strict=True)
    return _Located(torch.cat([each.int() for each in numbers]), torch.cat(shares))


def _eliminate(sides: list[_Located], stiffness: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the knots that any match touches, their energy, and how the others follow them."""
    touched = torch.zeros(len(stiffness), dtype=torch.bool, device=stiffness.device)
    for side in sides:
        touched[side.numbers.flatten()] = True
    active, rest = touched.nonzero()[:, 0], (~touched).nonzero()[:, 0]
    exact = stiffness.double()
    between = exact[rest][:, active]
    filling = -torch.linalg.solve(exact[rest][:, rest], between)
    energy = exact[active][:, active] + between.T @ filling
    return active, energy.float(), filling.float()


@dataclass(frozen=True)
class _Used:
    """Which knots the matches of a frame touch."""

    active: Tensor  # [n], their numbers among the active ones
    places: Tensor  # [K], where among the n a knot of the lattice is; -1 elsewhere


def _used(equations: Problem, sides: list[_Located], active: Tensor, knots: Tensor) -> list[_Used]:
    """Return what each frame uses of the ``knots`` [T, rows, columns, 2]."""
    touched = torch.zeros(knots.shape[:3], dtype=torch.bool, device=knots.device).flatten(1)
    for pair, both in enumerate(equations.pairs.tolist()):
        part = slice(equations.bounds[pair], equations.bounds[pair + 1])
        for frame, side in zip(both, sides, strict=True):
            touched[frame, side.numbers[part].flatten()] = True
    found = []
    for each in touched:
        own = each.nonzero()[:, 0]
        places = torch.full(each.shape, -1, device=each.device)
        places[own] = torch.arange(len(own), device=each.device)
        found.append(_Used(each[active].nonzero()[:, 0], places))
    return found


@dataclass(frozen=True)
class _Rows:
    """One pair's equations: of the knots that each frame's matches touch."""

    before: Tensor  # [m, n]
    after: Tensor  # [m, n']
    error: Tensor  # [m, 2]
    offset: Tensor  # [m, 2]
    trust: Tensor  # [m]


def _rows(
    equations: Problem, sides: list[_Located], used: list[_Used], knots: Tensor, pair: int
) -> _Rows:
    part = slice(equations.bounds[pair], equations.bounds[pair + 1])
    matrices, places = [], []
    for frame, side in zip(equations.pairs[pair].tolist(), sides, strict=True):
        numbers, shares = side.numbers[part], side.shares[part]
        own = used[frame]
        matrix = shares.new_zeros(len(shares), len(own.active))
        matrices.append(matrix.scatter_(1, own.places[numbers], shares))
        places.append(matrix @ knots[:, frame, own.active].T)
    offset = equations.offset[part]
    error = places[0] - places[1] - offset
    trust = equations.weight[part] / (1 + error.square().sum(1) / SCEPTICISM**2)
    before, after = matrices
    return _Rows(before, after, error, offset, trust)


def _assemble(
    equations: Problem,
    sides: list[_Located],
    used: list[_Used],
    energy: Tensor,
    knots: Tensor,
    longest_gap: int,
) -> _Normal:
    touched = [energy.new_zeros(len(own.active), len(own.active)) for own in used]
    right = torch.zeros_like(knots)
    found: dict[int, list[tuple[Tensor, Tensor]]] = {}
    for pair, (first, second) in enumerate(equations.pairs.tolist()):
        if second - first > longest_gap:
            continue
        rows = _rows(equations, sides, used, knots, pair)
        weight = rows.trust.sqrt()[:, None]
        before, after, offset = rows.before * weight, rows.after * weight, rows.offset * weight
        for frame, side, sign in ((first, before, 1), (second, after, -1)):
            touched[frame].addmm_(side.T, side)
            right[:, frame, used[frame].active] += sign * (offset.T @ side)
        numbers = used[second].active + second * len(energy)
        found.setdefault(first, []).append((numbers, -before.T @ after))
    beside = [
        _Beside(
            used[first].active + first * len(energy),
            torch.cat([numbers for numbers, _ in parts]),
            torch.cat([block for _, block in parts], 1),
        )
        for first, parts in found.items()
    ]
    diagonal = energy.repeat(knots.shape[1], 1, 1)
    for frame, own in enumerate(used):
        diagonal[frame, own.active[:, None], own.active] += touched[frame]
    return _Normal(diagonal, beside, right)


def _conjugate_gradients(normal: _Normal, knots: Tensor, reference: int) -> Tensor:
    """Go on from ``knots``, each frame's own block as preconditioner."""
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(normal.diagonal))
    inverse[reference] = 0  # its knots never move
    residual = normal.right - normal.times(knots)
    residual[:, reference] = 0
    ahead = _each(residual, inverse)
    direction, size = ahead, (residual * ahead).sum((1, 2), keepdim=True)
    goal = size * TOLERANCE**2
    for _ in range(ITERATIONS):
        product = normal.times(direction)
        product[:, reference] = 0
        step = size / (direction * product).sum((1, 2), keepdim=True).clamp(min=1e-20)
        knots, residual = knots + step * direction, residual - step * product
        ahead = _each(residual, inverse)
        previous, size = size, (residual * ahead).sum((1, 2), keepdim=True)
        if bool((size <= goal).all()):
            break
        direction = ahead + size / previous.clamp(min=1e-20) * direction
    return knots


def _misfit(equations: Problem, sides: list[_Located], used: list[_Used], knots: Tensor) -> float:
    total, amount = 0.0, 1e-9
    for pair in range(len(equations.pairs)):
        rows = _rows(equations, sides, used, knots, pair)
        total += float((rows.trust * rows.error.square().sum(1)).sum())
        amount += float(rows.trust.sum())
    return total / amount
