"""The views that a judge sees: the whole object in its surroundings, and close parts of it.

They depend on where the object is and on nothing else, so that a result and its footage are seen
through the same windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

FRAMES = 8
CLOSE = 4  # close views of each frame
MARGIN = 0.1  # of the box's longer side, on each side of the whole view
AREAS = (0.1, 0.15, 0.2, 0.3)  # of a close view, in the box's area
FILLED = 0.9  # part of a close view that the object should cover
LEAST_AREA = 0.003  # of the frame: what shows less of the object is not judged
GREY = 128  # what lies outside the frame

Square = tuple[int, int, int]  # left, top, side, in pixels


@dataclass(frozen=True)
class Windows:
    """Where one frame is looked at."""

    frame: int
    whole: Square
    close: tuple[Square, ...]


def windows(masks: np.ndarray, seed: int = 0) -> list[Windows]:
    """Return the windows of up to `FRAMES` frames, spread over those that show the object.

    ``masks`` [T, H, W] is 0 to 1, or boolean, at the size of the pictures to be judged.
    Raises ValueError where no frame shows the object.
    """
    inside = np.asarray(masks) > 0.5
    shown = np.flatnonzero(inside.mean(axis=(1, 2)) > LEAST_AREA)
    if not len(shown):
        raise ValueError("No frame shows the object: its masks are empty.")
    places = np.linspace(0, len(shown) - 1, min(FRAMES, len(shown))).round().astype(int)
    random = np.random.default_rng(seed)
    return [
        Windows(int(at), _whole(inside[at]), _close(inside[at], random)) for at in shown[places]
    ]


def from_boxes(boxes: Sequence[Sequence[float]], height: int, width: int) -> np.ndarray:
    """Return masks, bool [T, height, width], of boxes left, top, width, height in pixels."""
    masks = np.zeros((len(boxes), height, width), bool)
    for mask, (left, top, across, down) in zip(masks, boxes, strict=True):
        rows = slice(max(0, round(top)), max(0, round(top + down)))
        mask[rows, max(0, round(left)) : max(0, round(left + across))] = True
    return masks


def fitted(masks: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return ``masks`` [T, h, w] at another size, float32 [T, height, width]."""
    floats = np.asarray(masks, np.float32)
    if floats.shape[1:] == (height, width):
        return floats
    size = width, height
    return np.stack([cv2.resize(each, size, interpolation=cv2.INTER_LINEAR) for each in floats])


def cut(picture: np.ndarray, square: Square, side: int) -> np.ndarray:
    """Return what ``square`` shows of ``picture`` uint8 [H, W, 3], as [side, side, 3]."""
    left, top, wide = square
    height, width = picture.shape[:2]
    field = np.full((wide, wide, 3), GREY, np.uint8)
    rows = slice(max(0, top), min(height, top + wide))
    columns = slice(max(0, left), min(width, left + wide))
    seen = picture[rows, columns]
    field[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = seen
    method = cv2.INTER_AREA if side < wide else cv2.INTER_CUBIC
    return cv2.resize(field, (side, side), interpolation=method)


def _box(inside: np.ndarray) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom (exclusive) of a mask that is not empty."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _whole(inside: np.ndarray) -> Square:
    """Return the square around the object, moved into the frame as far as it fits."""
    height, width = inside.shape
    left, top, right, bottom = _box(inside)
    side = round(max(right - left, bottom - top) * (1 + 2 * MARGIN))
    return _placed(left + right, width, side), _placed(top + bottom, height, side), side


def _placed(both_ends: int, length: int, side: int) -> int:
    """Return where a square begins whose middle is that of ``both_ends`` / 2 if there is room."""
    if side >= length:
        return (length - side) // 2
    return min(max(0, (both_ends - side) // 2), length - side)


def _close(inside: np.ndarray, random: np.random.Generator) -> tuple[Square, ...]:
    """Return `CLOSE` squares that the object fills; the fullest where it fills none."""
    left, top, right, bottom = _box(inside)
    sums = cv2.integral(inside.astype(np.uint8))
    found = []
    for area in AREAS:
        side = max(8, round(float(np.sqrt(area * (right - left) * (bottom - top)))))
        side = min(side, *inside.shape)
        step = max(1, side // 8)
        ys = np.arange(max(0, top - side // 2), min(bottom, inside.shape[0] - side + 1), step)
        xs = np.arange(max(0, left - side // 2), min(right, inside.shape[1] - side + 1), step)
        y, x = (each.ravel() for each in np.meshgrid(ys, xs, indexing="ij"))
        filled = sums[y + side, x + side] - sums[y, x + side] - sums[y + side, x] + sums[y, x]
        found.append(np.stack([x, y, np.full_like(x, side), filled * 1000 // side**2], axis=1))
    squares = np.concatenate(found)
    full = squares[squares[:, 3] >= 1000 * FILLED]
    if len(full) >= CLOSE:
        chosen = full[random.choice(len(full), CLOSE, replace=False)]
    else:
        chosen = squares[np.argsort(-squares[:, 3], kind="stable")[:CLOSE]]
    return tuple((int(x), int(y), int(side)) for x, y, side, _ in chosen)
