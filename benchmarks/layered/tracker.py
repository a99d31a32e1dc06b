"""A second judge of drift: corners followed by Lucas and Kanade's tracker in the plain footage.

It follows more points over a longer time than the judge of `engine.evaluation.points`, and knows
nothing of the engine: it starts in other frames, in pictures of the footage's own size, and asks
each point for the whole way back.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.evaluation.drift import GAPS, LEAST_POINTS, slid
from engine.evaluation.points import Pairs, inner_part, read_at

START_EVERY = 6  # the grid engine starts in frames 4, 7, 10, ...: in no multiple of 3
CORNERS = 300
STEP_AGREEMENT = 0.5  # px by which one step's way back may miss
WHOLE_AGREEMENT = 1.0  # px by which the whole way back may miss


def drift_of(
    pairs: Sequence[Pairs], shape: tuple[int, ...], uv: np.ndarray
) -> dict[str, float | int | None]:
    """Return the median drift of ``uv`` [T, h, w, 2] after each of `GAPS`, and how many points.

    ``shape`` (H, W) of the pictures that ``pairs`` are in; px of a frame 256 wide. None where
    fewer than `LEAST_POINTS` points could be followed.
    """
    numbers: dict[str, float | int | None] = {}
    for gap in GAPS:
        chosen = [each for each in pairs if abs(each.frames[1] - each.frames[0]) == gap]
        errors = np.concatenate([np.zeros(0), *(slid(each, shape, uv) for each in chosen)])
        enough = len(errors) >= LEAST_POINTS
        numbers[f"tracker_{gap}"] = float(np.median(errors)) if enough else None
        numbers[f"tracker_{gap}_points"] = len(errors)
    return numbers


def follow(pictures: Sequence[np.ndarray], visible: np.ndarray) -> list[Pairs]:
    """Return where corners of the object are after each of `GAPS` frames, later and earlier ones.

    ``pictures`` are grey, uint8 [H, W], of all frames; ``visible`` bool [T, h, w] says where the
    object is, at any size.
    """
    inner = [
        inner_part(mask, picture.shape) for mask, picture in zip(visible, pictures, strict=True)
    ]
    last = len(pictures) - 1
    corners = {
        start: _corners(pictures[start], inner[start]) for start in range(0, last + 1, START_EVERY)
    }
    mirrored = {last - start: points for start, points in corners.items()}
    behind = _followed(pictures[::-1], inner[::-1], mirrored)
    turned = [
        Pairs((last - each.frames[0], last - each.frames[1]), each.first, each.second)
        for each in behind
    ]
    return _followed(pictures, inner, corners) + turned


def _corners(picture: np.ndarray, inner: np.ndarray) -> np.ndarray:
    found = cv2.goodFeaturesToTrack(picture, CORNERS, 0.005, 5, mask=inner)
    return np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2)


def _followed(
    pictures: Sequence[np.ndarray], inner: Sequence[np.ndarray], corners: dict[int, np.ndarray]
) -> list[Pairs]:
    """Follow ``corners`` of some frames to later ones, all that are under way at once."""
    origin = np.concatenate([np.full(len(points), start) for start, points in corners.items()])
    first = np.concatenate(list(corners.values()))
    place, alive = first.copy(), np.ones(len(first), bool)
    arrived: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for frame in range(1, len(pictures)):
        moving = np.flatnonzero(alive & (origin < frame) & (frame - origin <= GAPS[-1]))
        moved = _tracked(pictures[frame - 1], pictures[frame], place[moving])
        back = _tracked(pictures[frame], pictures[frame - 1], moved)
        sure = np.linalg.norm(back - place[moving], axis=1) < STEP_AGREEMENT
        sure &= read_at(inner[frame], moved) > 0
        place[moving], alive[moving] = moved, sure
        there = moving[sure & np.isin(frame - origin[moving], GAPS)]
        arrived[frame] = there, place[there]
    return _returned(pictures, arrived, origin, first)


def _returned(
    pictures: Sequence[np.ndarray],
    arrived: dict[int, tuple[np.ndarray, np.ndarray]],
    origin: np.ndarray,
    first: np.ndarray,
) -> list[Pairs]:
    """Follow back all that ``arrived`` in each frame, numbers and places; keep what comes home."""
    found = []
    number, end = np.zeros(0, int), np.zeros(0, int)
    place, there = (np.zeros((0, 2), np.float32) for _ in range(2))
    for frame in range(len(pictures) - 1, -1, -1):
        home = origin[number] == frame
        sure = home & (np.linalg.norm(place - first[number], axis=1) < WHOLE_AGREEMENT)
        for last in np.unique(end[sure]):
            chosen = sure & (end == last)
            found.append(Pairs((frame, int(last)), first[number[chosen]], there[chosen]))
        number, end, place, there = (each[~home] for each in (number, end, place, there))
        if frame in arrived:
            numbers, places = arrived[frame]
            number, end = np.append(number, numbers), np.append(end, np.full(len(numbers), frame))
            place, there = np.concatenate([place, places]), np.concatenate([there, places])
        if frame:
            place = _tracked(pictures[frame], pictures[frame - 1], place)
    return found


def _tracked(before: np.ndarray, after: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return where ``points`` [N, 2] of ``before`` are in ``after``; far away where unknown."""
    if len(points) == 0:
        return points
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        np.ascontiguousarray(points, np.float32),
        None,  # type: ignore[arg-type]
        winSize=(17, 17),
        maxLevel=4,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 0.005),
    )
    return np.where(status.astype(bool), moved, np.float32(-1e6))
