"""What the ground looks like where the object covers it, as other frames show it, and its shadow.

A shadow that an object casts is the ground, darker but of its hue.
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
DARKER = 0.7  # log ratio of light that a shadow takes away at least
LEAST_DARKER = 0.1  # log ratio from which a pixel may lie in a soft shadow
SAME_HUE = 0.17  # deviation of the colours' log ratios that is still the same hue
DARK = 0.01  # part of white that is added, so that black has a hue
LIKE_HUE = 0.4  # the same, where a shadow is only possible: the sky lights it bluish
GAMMA = 2.2
LEAST_SHADOW = 0.02  # of what was found: less is chance
CLOSED = 5  # px; what a shadow's dark leaves of wheels and feet is joined again


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


def without_shadow(found: np.ndarray, frames: np.ndarray, flow: Flow) -> np.ndarray:
    """Return the probability ``found`` [T, H, W] without the shadow that the object casts."""
    support = found > 0.5
    shadow = cast_shadow(frames, flow, support)
    if shadow.sum() <= LEAST_SHADOW * support.sum():
        return found
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (CLOSED, CLOSED))
    lit = (support & ~shadow).astype(np.uint8)
    kept = np.stack([cv2.morphologyEx(one, cv2.MORPH_CLOSE, kernel) > 0 for one in lit])
    return np.where(support & ~kept, np.float32(0.0), found)


def cast_shadow(frames: np.ndarray, flow: Flow, support: np.ndarray) -> np.ndarray:
    """Return which pixels of ``support`` bool [T, H, W] are the object's shadow, bool [T, H, W].

    ``frames`` uint8 RGB [T, H, W, 3]. A shadow lies on the ground, so that below it nothing of
    the object follows; dark windows before dark ground are left alone by that.
    """
    ground = ground_of(frames, flow, support)
    shadow = np.zeros(support.shape, bool)
    for index, frame in enumerate(frames):
        dark = where_darkened(frame, ground.plate[index], darker=DARKER, hue=SAME_HUE)
        dark = _without_specks(dark & ground.seen[index] & support[index])
        shadow[index] = dark & ~_above(support[index] & ~dark)
    return shadow


def where_darkened(
    frame: np.ndarray, plate: np.ndarray, *, darker: float = LEAST_DARKER, hue: float = LIKE_HUE
) -> np.ndarray:
    """Say which pixels [H, W] of ``frame`` may be its ground ``plate`` in shadow; RGB levels.

    They are darker by the log ratio ``darker`` at least, alike in all colours but for ``hue``.
    """
    ratio = cv2.blur(_light(frame) - _light(plate), (3, 3))
    return (ratio.mean(axis=2) < -darker) & (ratio.std(axis=2) < hue)


def _light(picture: np.ndarray) -> np.ndarray:
    """Return the logarithm of the light of a ``picture`` of levels from 0 to 255."""
    return np.log((picture.astype(np.float32) / 255.0) ** GAMMA + DARK)


def _above(solid: np.ndarray) -> np.ndarray:
    """Say which pixels [H, W] have any of ``solid`` in their column at or below them."""
    return np.maximum.accumulate(solid[::-1], axis=0)[::-1]


def _without_specks(mask: np.ndarray) -> np.ndarray:
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
