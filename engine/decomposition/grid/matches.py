"""Pairs of points that show the same spot of the object, from optical flow over several gaps.

Neighbours alone drift; long gaps alone deceive. Both come with weights that say how far the
way there and the way back agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy import ndarray as Array

GAPS = (1, 2, 4, 8, 16)
AGREEMENT = 1.5
LEAST_WEIGHT = 0.05
POINTS_PER_PAIR = 450


@dataclass(frozen=True)
class Matches:
    """Point ``start`` of frame ``first`` shows what point ``end`` of frame ``second`` shows."""

    first: Array  # [M]
    second: Array  # [M]
    start: Array  # [M, 2]
    end: Array  # [M, 2]
    weight: Array  # [M]

    def arrays(self) -> tuple[Array, ...]:
        """Return all of it, in this order."""
        return self.first, self.second, self.start, self.end, self.weight


_NOTHING, _NOWHERE = np.zeros(0, np.int64), np.zeros((0, 2))
NONE = Matches(_NOTHING, _NOTHING, _NOWHERE, _NOWHERE, np.zeros(0))


def join(parts: Iterable[Matches]) -> Matches:
    """Return all matches as one, in order of time: ``first`` is before ``second``."""
    given = list(parts)
    first, second = (
        np.concatenate([np.asarray(getattr(part, name), np.int64) for part in given])
        for name in ("first", "second")
    )
    start, end = (
        np.concatenate([getattr(part, name) for part in given]) for name in ("start", "end")
    )
    weight = np.concatenate([part.weight for part in given])
    turned = (first > second)[:, None]
    start, end = np.where(turned, end, start), np.where(turned, start, end)
    first, second = np.minimum(first, second), np.maximum(first, second)
    order = np.lexsort((second, first))
    return Matches(first[order], second[order], start[order], end[order], weight[order])


def pairs(frames: int, reference: int, gaps: tuple[int, ...] = GAPS) -> list[tuple[int, int]]:
    """Return the pairs of frames to match: some gaps, and every frame with the reference."""
    found = {(frame, frame + gap) for gap in gaps for frame in range(frames - gap)}
    found |= {
        (min(frame, reference), max(frame, reference))
        for frame in range(frames)
        if frame != reference
    }
    return sorted(found)


def both_flows(first: Array, second: Array) -> tuple[Array, Array]:
    """Return `dense_flow` there and back."""
    return dense_flow(first, second), dense_flow(second, first)


def flow_matches(
    flows: tuple[Array, Array],
    masks: Array,
    pair: tuple[int, int],
    random: np.random.Generator,
) -> Matches:
    """Match two frames by the ``flows`` between them; ``masks`` [T, h, w] in [0, 1]."""
    first, second = pair
    there, back = flows
    return join(
        [
            _sample(there, back, masks, (first, second), random),
            _sample(back, there, masks, (second, first), random),
        ]
    )


def dense_flow(first: Array, second: Array) -> Array:
    """Return the DIS flow from ``first`` to ``second``, uint8 [h, w], as px [h, w, 2].

    Patches are sparser and iterations fewer than in the preset: the solve averages over
    thousands of matches.
    """
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    method.setFinestScale(0)
    method.setPatchStride(4)
    method.setGradientDescentIterations(16)
    method.setVariationalRefinementIterations(2)
    return method.calc(first, second, None)  # type: ignore[call-overload]


def read(field: Array, points: Array) -> Array:
    """Read ``field`` [h, w] or [h, w, C] bilinearly at ``points`` [N, 2]; 0 outside."""
    place = points.astype(np.float32)[:, None]
    return cv2.remap(field, place[..., 0], place[..., 1], cv2.INTER_LINEAR)[:, 0]


def _sample(
    there: Array, back: Array, masks: Array, pair: tuple[int, int], random: np.random.Generator
) -> Matches:
    start = _points(masks[pair[0]] > 0.6, random)
    end = start + read(there, start) if len(start) else start
    weight = np.zeros(len(start))
    if len(start):
        error = np.square(end + read(back, end) - start).sum(1)
        weight = np.exp(-error / AGREEMENT**2) * (read(masks[pair[1]], end) > 0.5)
    kept = weight > LEAST_WEIGHT
    count = int(kept.sum())
    return Matches(
        np.full(count, pair[0]), np.full(count, pair[1]), start[kept], end[kept], weight[kept]
    )


def _points(inside: Array, random: np.random.Generator) -> Array:
    """Return points on a lattice with a random offset, at most about `POINTS_PER_PAIR`."""
    stride = max(1, int(np.ceil(np.sqrt(inside.sum() / POINTS_PER_PAIR))))
    left, top = random.integers(0, stride, 2)
    rows, columns = np.nonzero(inside[top::stride, left::stride])
    return np.stack([columns * stride + left, rows * stride + top], 1).astype(np.float32)
