"""What the ground looks like where the object covers it, as other frames show it.

Knows pictures and where the object is; which pixels are the object is for others to judge.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .affine import affine_steps, away_from, between
from .flow import Flow

GAPS = (4, 8, 12, 16, 24, 32, 48)  # frames, forth and back: slow objects need the wide ones
ROOM = 14  # px around the object that are looked at
WARPING = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


@dataclass(frozen=True)
class Ground:
    """The ground behind and around the object, in the levels of the pictures it was made from.

    ``plate`` and ``deviation`` are float32 [T, H, W, 3]: the median of what other frames show
    and the median deviation from it. ``seen`` bool [T, H, W] says where any does.
    """

    plate: np.ndarray
    deviation: np.ndarray
    seen: np.ndarray


def ground_of(frames: np.ndarray, flow: Flow, support: np.ndarray) -> Ground:
    """Look for the ground around ``support`` bool [T, H, W] of ``frames`` uint8 [T, H, W, 3]."""
    away = away_from(support)
    steps = affine_steps(flow, away)
    free = away.astype(np.float32)
    plate, deviation = (np.zeros(frames.shape, np.float32) for _ in range(2))
    seen = np.zeros(support.shape, bool)
    for index, one in enumerate(support):
        if one.any():
            part = _around(one)
            views = _views(frames, free, steps, index, part)
            plate[index][part], deviation[index][part], seen[index][part] = _median(views)
    return Ground(plate, deviation, seen)


def _views(
    frames: np.ndarray,
    free: np.ndarray,
    steps: list[np.ndarray],
    index: int,
    part: tuple[slice, slice],
) -> np.ndarray:
    """Return how other frames show a ``part`` of a frame, [N, h, w, 3]; infinite where none."""
    rows, columns = part
    size = (columns.stop - columns.start, rows.stop - rows.start)
    corner = np.array([[1.0, 0.0, columns.start], [0.0, 1.0, rows.start], [0.0, 0.0, 1.0]])
    views = [np.full((size[1], size[0], 3), np.inf, np.float32)]
    for other in (index + sign * gap for gap in GAPS for sign in (-1, 1)):
        if not 0 <= other < len(frames):
            continue
        motion = between(steps, index, other) @ corner
        # What lies beyond the border of the other frame is not free.
        clear = cv2.warpPerspective(free[other], motion, size, flags=WARPING) > 0.99
        if clear.any():
            view = cv2.warpPerspective(
                frames[other], motion, size, flags=WARPING, borderMode=cv2.BORDER_REPLICATE
            ).astype(np.float32)
            view[~clear] = np.inf
            views.append(view)
    return np.stack(views)


def _median(views: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the median of ``views`` [N, h, w, 3], the median deviation, where there is any."""
    count = np.isfinite(views[..., 0]).sum(axis=0)
    places = [(np.maximum(count - 1 + more, 0) // 2)[None, ..., None] for more in (0, 1)]

    def middle(values: np.ndarray) -> np.ndarray:
        ordered = np.sort(values, axis=0)
        low, high = (np.take_along_axis(ordered, place, axis=0)[0] for place in places)
        return np.where(count[..., None] > 0, 0.5 * (low + high), 0.0)

    plate = middle(views)
    return plate, middle(np.abs(views - plate)), count > 0


def _around(one: np.ndarray) -> tuple[slice, slice]:
    rows, columns = (np.flatnonzero(one.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(0, int(rows[0]) - ROOM), min(one.shape[0], int(rows[-1]) + ROOM + 1)),
        slice(max(0, int(columns[0]) - ROOM), min(one.shape[1], int(columns[-1]) + ROOM + 1)),
    )
