"""The matches as equations of the frames' knots, taken for many pairs of frames at a time.

The number of operations grows with the chunks of pairs, not with the pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...device import at_once, send
from .matches import Matches
from .splines import Lattice

ROBUST_SCALE = 3.0
# The most values of one matrix of a chunk. On a processor it is to stay near its caches.
CHUNK, CHUNK_ON_PROCESSOR = 1 << 24, 1 << 20
POINTS = 1 << 17  # located at a time


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


@dataclass(frozen=True)
class Own:
    """Which of the k active knots the matches of each frame touch, N - 1 at most."""

    numbers: Tensor  # [T, 1, N], padded
    places: Tensor  # [T, 1, k], where they are among the frame's own; N - 1 where they are not

    def of(self, knots: Tensor) -> Tensor:
        """Return each frame's own ``knots`` [T, 2, k], [T, 2, N]; the last are anything."""
        return knots.gather(2, self.numbers.expand(-1, 2, -1))

    def put(self, sums: Tensor) -> Tensor:
        """Return ``sums`` [T, 2, N] over the frames' own as [T, 2, k]; the last are to be 0."""
        return sums.gather(2, self.places.expand(-1, 2, -1))

    def put_both_ways(self, blocks: Tensor) -> Tensor:
        """Return ``blocks`` [T, N, N] over the frames' own as [T, k, k]."""
        active = self.places.shape[2]
        rows = blocks.gather(1, self.places.mT.expand(-1, -1, blocks.shape[2]))
        return rows.gather(2, self.places.expand(-1, active, -1))


@dataclass(frozen=True)
class PairChunk:
    """A chunk of C pairs, which have about as many matches each."""

    part: slice  # of all pairs of this round
    first: Tensor  # [C], frames
    second: Tensor  # [C]
    begin: Tensor  # [C], match numbers
    end: Tensor  # [C]
    most: int  # matches of one pair

    def matches(self) -> tuple[Tensor, Tensor]:
        """Return the numbers of the matches, [C, m], and which of them are there."""
        numbers = self.begin[:, None] + torch.arange(self.most, device=self.begin.device)
        there = numbers < self.end[:, None]
        return numbers.where(there, self.begin[:, None]), there


@dataclass(frozen=True)
class Equations:
    """A problem on a lattice. A frame's knots are counted in its own ones, the frames in rows."""

    active: Tensor  # [k], the knots of the lattice that any match touches
    own: Own
    codes: Tensor  # int32 [2, M, 16], frame times N plus the knot's number: at start and end
    shares: Tensor  # [2, M, 16], how much they count; negative at the end
    offset: Tensor  # [M, 2]
    weight: Tensor  # [M]
    pairs: Tensor  # [P, 4], on the CPU: frames, and match numbers from which and up to which

    def error(self, knots: Tensor) -> Tensor:
        """Return by how much the matches miss with ``knots`` [T, 2, k], [M, 2]."""
        flat = self.own.of(knots).mT.flatten(0, 1)  # [T * N, 2]
        places = [
            functional.embedding_bag(codes, flat, per_sample_weights=shares, mode="sum")
            for codes, shares in zip(self.codes, self.shares, strict=True)
        ]
        return places[0] + places[1] - self.offset

    def irls_weights(self, error: Tensor) -> Tensor:
        """Return the IRLS weights [M] of matches with these ``error`` [M, 2]."""
        return self.weight / (1 + error.square().sum(1) / ROBUST_SCALE**2)

    def within(self, longest_gap: int) -> tuple[Tensor, list[PairChunk]]:
        """Return ``pairs`` no farther apart than ``longest_gap``, where it is computed, and parts.

        Those with the most matches come first.
        """
        pairs = self.pairs[self.pairs[:, 1] - self.pairs[:, 0] <= longest_gap]
        counts, order = (pairs[:, 3] - pairs[:, 2]).sort(descending=True, stable=True)
        there = send(pairs[order], self.codes.device)
        limit = CHUNK_ON_PROCESSOR if there.device.type == "cpu" else at_once(CHUNK)
        chunks, begin = [], 0
        while begin < len(there):
            most = int(counts[begin])
            end = begin + max(1, limit // (most * self.own.numbers.shape[2]))
            part = slice(begin, end)
            chunks.append(PairChunk(part, *there[part].unbind(1), most=most))
            begin = end
        return there, chunks

    def sides(self, chunk: PairChunk, root: Tensor, matches: Tensor) -> list[Tensor]:
        """Return the equations of ``matches`` [C, m] times ``root`` [C, m, 1], twice [C, m, N]."""
        size = self.own.numbers.shape[2]
        found = []
        for frames, codes, shares in zip(
            (chunk.first, chunk.second), self.codes, self.shares, strict=True
        ):
            numbers = codes[matches].long() - (frames * size)[:, None, None]
            empty = shares.new_zeros(*matches.shape, size)
            found.append(empty.scatter_(2, numbers, shares[matches] * root))
        return found


def build_equations(
    problem: Problem, lattice: Lattice, frames: int, device: torch.device
) -> Equations:
    """Find the knots around all points of ``frames`` frames, on ``device``."""
    moved = problem.to(device)
    bounds = torch.tensor(problem.bounds)
    pairs = torch.cat([problem.pairs, bounds[:-1, None], bounds[1:, None]], 1)
    total, count = lattice.rows * lattice.columns, len(moved.weight)
    counts = send(bounds.diff(), device)
    numbers = send(problem.pairs * total, device)
    firsts = numbers.repeat_interleave(counts, 0, output_size=count).T  # [2, M]
    codes = torch.empty(2, count, 16, dtype=torch.int32, device=device)
    shares = torch.empty(2, count, 16, device=device)
    touched = torch.zeros(frames * total, dtype=torch.bool, device=device)
    for side, points in enumerate((moved.start, moved.end)):
        for begin in range(0, count, at_once(POINTS)):
            part = slice(begin, begin + at_once(POINTS))
            near, shares[side, part] = lattice.near(points[part])
            near += firsts[side, part, None]
            touched.index_fill_(0, near.flatten(), True)
            codes[side, part] = near
    shares[1].neg_()
    active, own, found = _assign_own(touched.view(frames, total))
    for side in codes:
        for part in side.split(at_once(POINTS)):
            part.copy_(found[part])
    return Equations(active, own, codes, shares, moved.offset, moved.weight, pairs)


def _assign_own(touched: Tensor) -> tuple[Tensor, Own, Tensor]:
    """Return which knots are active, which are each frame's own, and the codes of those.

    ``touched`` bool [T, K]. The codes, int32 [T * K], are 0 where a knot is not touched.
    """
    frames = len(touched)
    active = touched.any(0).nonzero()[:, 0]
    places = touched.cumsum(1) - 1
    size = int(places[:, -1].max()) + 2
    # The knots of a frame, and then any others.
    numbers = touched[:, active].int().sort(dim=1, descending=True, stable=True).indices[:, :size]
    numbers = functional.pad(numbers, (0, size - numbers.shape[1]))
    rows = torch.arange(frames, device=touched.device)[:, None] * size
    codes = (rows + places).where(touched, 0).int().flatten()
    places = places.where(touched, size - 1)[:, active]
    return active, Own(numbers[:, None], places[:, None]), codes
