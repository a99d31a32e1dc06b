"""Points of an object, followed through the footage, to measure mappings by.

The measure is independent of what it measures. The engines match by dense flow and by Lucas and
Kanade's tracker from corners; this finds other points (SIFT), in other frames, and follows them
by the correlation of small squares. It never sees a mapping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

HOP = 2  # frames from one comparison to the next
START_EVERY = 6  # no multiple of it is where an engine starts its tracks (4, 10, 16, ...)
MOST_STARTS = 12
START_POINTS = 300
INNER = 4  # points nearer to the object's edge are left out, px
PATCH = 7  # half side of what is compared, px
SEARCH = 3  # px around where the neighbourhood went
LEAST_CORRELATION = 0.8
AGREEMENT = 0.5  # px by which the way back may miss
NEIGHBOURS = 5
LANDMARKS = 400


@dataclass(frozen=True)
class Pairs:
    """Where spots of the object are in two frames: ``first`` [N, 2] and ``second`` [N, 2].

    In pixels of the pictures, whose centres are whole numbers.
    """

    frames: tuple[int, int]
    first: np.ndarray
    second: np.ndarray


def follow(
    pictures: Mapping[int, np.ndarray], visible: np.ndarray, gaps: Sequence[int]
) -> list[Pairs]:
    """Return where points of the object are after each of ``gaps`` frames, multiples of `HOP`.

    ``pictures`` are grey, uint8 [H, W], of every `HOP`-th frame; ``visible`` bool [T, h, w] says
    where the object is, at any size.
    """
    frames = sorted(pictures)
    inner = {index: inner_part(visible[index], pictures[index].shape) for index in frames}
    landmarks = {index: _landmarks(pictures[index], visible[index]) for index in frames}
    every = START_EVERY * -(-HOP * len(frames) // (START_EVERY * MOST_STARTS))
    origin, place = np.zeros(0, int), np.zeros((0, 2))
    start, found = place.copy(), []
    for number, index in enumerate(frames):
        if number:
            before = frames[number - 1]
            prior = _motion(landmarks[before], landmarks[index], place)
            place, kept = _track(pictures[before], pictures[index], place, prior)
            kept &= read_at(inner[index], place) > 0
            kept &= index - origin <= max(gaps)
            origin, start, place = origin[kept], start[kept], place[kept]
            for gap in gaps:
                arrived = index - origin == gap
                if arrived.sum() > NEIGHBOURS:
                    pictured = pictures[index - gap], pictures[index]
                    found.append(
                        _confirm(pictured, (index - gap, index), start[arrived], place[arrived])
                    )
        if index % every == 0:
            fresh = _points(pictures[index], inner[index])
            origin = np.concatenate([origin, np.full(len(fresh), index)])
            start, place = np.concatenate([start, fresh]), np.concatenate([place, fresh])
    return found


def inner_part(visible: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return where the object is in pictures of ``shape`` (H, W), less `INNER` px at its edge."""
    mask = cv2.resize(visible.astype(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST)
    return cv2.erode(mask, np.ones((2 * INNER + 1,) * 2, np.uint8), borderValue=0)


def _box(mask: np.ndarray) -> tuple[slice, slice]:
    left, top, width, height = cv2.boundingRect(mask)
    left, top = max(0, left - 16), max(0, top - 16)
    return np.s_[top : top + height + 32, left : left + width + 32]


def _points(picture: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Return the most distinct points of the object, [N, 2]."""
    if not inner.any():
        return np.zeros((0, 2))
    box = _box(inner)
    even = cv2.createCLAHE(2.0, (4, 4)).apply(np.ascontiguousarray(picture[box]))
    sift = cv2.SIFT.create(nfeatures=START_POINTS, contrastThreshold=0.015)
    found = sift.detect(even, np.ascontiguousarray(inner[box]))
    places = np.array([point.pt for point in found]).reshape(-1, 2)
    return np.unique(places + np.array([box[1].start, box[0].start]), axis=0)


def _landmarks(picture: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points of the object, [N, 2], and what is around them, [N, 32]."""
    mask = cv2.resize(
        visible.astype(np.uint8), picture.shape[::-1], interpolation=cv2.INTER_NEAREST
    )
    box = _box(mask)
    even = cv2.createCLAHE(2.0, (4, 4)).apply(np.ascontiguousarray(picture[box]))
    orb = cv2.ORB.create(nfeatures=LANDMARKS, fastThreshold=5, edgeThreshold=16)
    found, looks = orb.detectAndCompute(even, np.ascontiguousarray(mask[box]))
    if looks is None:
        return np.zeros((0, 2)), np.zeros((0, 32), np.uint8)
    return np.array([point.pt for point in found]) + np.array([box[1].start, box[0].start]), looks


def _motion(
    before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray], place: np.ndarray
) -> np.ndarray:
    """Return roughly how the surroundings of ``place`` [N, 2] moved, [N, 2]."""
    if min(len(before[1]), len(after[1]), len(place)) == 0:  # it comes late, or has left
        return np.zeros_like(place)
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(before[1], after[1])
    if len(matches) < NEIGHBOURS:
        return np.zeros_like(place)
    one = before[0][[match.queryIdx for match in matches]]
    step = after[0][[match.trainIdx for match in matches]] - one
    usual = np.linalg.norm(step - np.median(step, axis=0), axis=1)
    good = usual <= 3 * np.median(usual) + 2
    one, step = one[good], step[good]
    away = np.linalg.norm(place[:, None] - one[None], axis=2)
    around = np.argsort(away, axis=1)[:, :NEIGHBOURS]
    return np.median(step[around], axis=1)


def _track(
    before: np.ndarray, after: np.ndarray, place: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return where ``place`` [N, 2] went, and which of the points are sure."""
    if len(place) == 0:
        return place, np.zeros(0, bool)
    there, likely = _search(before, after, place, place + prior)
    back, _ = _search(after, before, there, place)
    return there, likely & (np.linalg.norm(back - place, axis=1) < AGREEMENT)


def _confirm(
    pictures: tuple[np.ndarray, np.ndarray],
    frames: tuple[int, int],
    start: np.ndarray,
    place: np.ndarray,
) -> Pairs:
    """Return the points whose surroundings still look the same, put right by that look.

    Small errors of the many hops go; the surroundings may have turned and grown.
    """
    change = _local_change(start, place)
    there, likely = _search(*pictures, start, place, change)
    return Pairs(frames, start[likely], there[likely])


def _local_change(start: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return how the surroundings of each point were turned and stretched, [N, 2, 2]."""
    away = np.linalg.norm(start[:, None] - start[None], axis=2)
    around = np.argsort(away, axis=1)[:, : 2 * NEIGHBOURS]
    one = start[around] - start[around].mean(1, keepdims=True)
    other = place[around] - place[around].mean(1, keepdims=True)
    stiff = 0.05 * (one**2).sum((1, 2))[:, None, None] * np.eye(2) + 1e-6 * np.eye(2)
    shared = np.einsum("nki,nkj->nij", other, one) + stiff
    return shared @ np.linalg.inv(np.einsum("nki,nkj->nij", one, one) + stiff)


def _search(
    first: np.ndarray,
    second: np.ndarray,
    place: np.ndarray,
    guess: np.ndarray,
    change: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return where ``second`` looks most like ``first`` does at ``place``, near ``guess``.

    And for which points that is sure. ``change`` [N, 2, 2] is by how much it turned and grew.
    """
    if change is None:
        change = np.broadcast_to(np.eye(2), (len(place), 2, 2))
    still = np.broadcast_to(np.eye(2), change.shape)
    here = _squares(first, place, PATCH, still)
    there = _squares(second, guess, PATCH + SEARCH, change)
    step, sure = _best(here, there)
    guess = guess + np.einsum("nij,nj->ni", change, step)
    # Once more around what was found: a parabola only knows the close surroundings of a peak.
    there = _squares(second, guess, PATCH + 1, change)
    step, again = _best(here, there)
    return guess + np.einsum("nij,nj->ni", change, step), sure & again


def _best(here: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much ``here`` [N, s, s] lies off the middle of ``there``, [N, 2].

    And where that is sure: inside of what was searched, and much alike.
    """
    side, reach = here.shape[1], there.shape[1] - here.shape[1] + 1
    windows = np.lib.stride_tricks.sliding_window_view(there, (side, side), axis=(1, 2))
    likeness = _correlation(here, windows)  # [N, reach, reach]
    number = np.arange(len(here))
    row, column = np.divmod(likeness.reshape(len(here), -1).argmax(1), reach)
    within = (row > 0) & (row < reach - 1) & (column > 0) & (column < reach - 1)
    within |= reach == 3
    row, column = row.clip(1, reach - 2), column.clip(1, reach - 2)
    around = np.stack(
        [likeness[number, row + r, column + c] for r in (-1, 0, 1) for c in (-1, 0, 1)], 1
    ).reshape(-1, 3, 3)
    step = np.stack([column, row], 1) - reach // 2 + _summit(around)
    return step, within & (around[:, 1, 1] > LEAST_CORRELATION)


def _squares(
    picture: np.ndarray, centres: np.ndarray, radius: int, change: np.ndarray
) -> np.ndarray:
    """Read squares of the picture around ``centres`` [N, 2], changed; [N, side, side]."""
    steps = np.arange(-radius, radius + 1)
    square = np.stack(np.meshgrid(steps, steps), -1)
    places = centres[:, None, None] + np.einsum("nij,rcj->nrci", change, square)
    read = read_at(picture.astype(np.float32), places.reshape(-1, 2))
    return read.reshape(len(centres), len(steps), len(steps))


def _correlation(square: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Return the correlation of ``square`` [N, s, s] with ``windows`` [N, r, r, s, s]."""
    area = square.shape[1] * square.shape[2]
    even = square - square.mean((1, 2), keepdims=True)
    shared = np.einsum("nij,nabij->nab", even, windows)
    total = windows.sum((3, 4))
    variance = np.einsum("nabij,nabij->nab", windows, windows) - total**2 / area
    own = (even**2).sum((1, 2))[:, None, None]
    return shared / np.sqrt(np.maximum(variance * own, 1e-3))


def _summit(around: np.ndarray) -> np.ndarray:
    """Return where the quadric through ``around`` [N, 3, 3] is highest, from its middle, [N, 2]."""
    across = (around[:, 1, 2] - around[:, 1, 0]) / 2
    down = (around[:, 2, 1] - around[:, 0, 1]) / 2
    bend_across = around[:, 1, 2] - 2 * around[:, 1, 1] + around[:, 1, 0]
    bend_down = around[:, 2, 1] - 2 * around[:, 1, 1] + around[:, 0, 1]
    twist = (around[:, 2, 2] - around[:, 2, 0] - around[:, 0, 2] + around[:, 0, 0]) / 4
    determinant = np.maximum(bend_across * bend_down - twist**2, 1e-9)
    summit = np.stack(
        [twist * down - bend_down * across, twist * across - bend_across * down], axis=1
    )
    return (summit / determinant[:, None]).clip(-1, 1)


def read_at(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Read ``picture`` [H, W] or [H, W, C] bilinearly at ``places`` [N, 2]; the border goes on."""
    if len(places) == 0:
        return np.zeros((0, *picture.shape[2:]), np.float32)
    # More than 2^15 points would be too many for one of OpenCV's columns.
    parts = np.array_split(places.astype(np.float32), len(places) // 20_000 + 1)
    read = [
        cv2.remap(picture, part[:, None], None, cv2.INTER_LINEAR,  # type: ignore[arg-type]
                  borderMode=cv2.BORDER_REPLICATE)[:, 0]
        for part in parts
    ]  # fmt: skip
    return np.concatenate(read)
