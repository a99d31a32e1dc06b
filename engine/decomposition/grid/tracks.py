"""Corners followed through many frames: few matches, but exact ones over a long time."""

from __future__ import annotations

import cv2
import numpy as np
from numpy import ndarray as Array

from ...ahead import ahead as side_by_side
from .crop import Crop, replace_surroundings
from .matches import Matches, join, read

START_EVERY = 3
HORIZONS = (1, 2, 4, 8, 16, 24, 32, 48)
CORNERS = 250
TRACK_SIDE = 768
STEP_AGREEMENT = 0.7
WHOLE_AGREEMENT = 1.5
WINDOW = 17  # px; limbs are narrow
# A track is as exact as the footage's pixels, flow as the window's: what a track weighs against
# flow where the two are alike, times the square of how many of the former make one of the latter.
WEIGHT, MOST_WEIGHT = 5.0, 100.0


def track_matches(greys: Array, masks: Array, crop: Crop) -> Matches:
    """Follow corners of the object, forward and backward in time; points in crop pixels.

    ``greys`` uint8 [T, H', W'] at any size, ``masks`` [T, H, W] in [0, 1].
    """
    pictures, inside = _pictures(greys, masks)
    enlarged = pictures[0].shape[1] / masks.shape[2]
    count = len(greys)
    starts = range(min(4, (count - 1) // 2), count, START_EVERY)
    corners = {start: _corners(pictures[start], inside[start]) for start in starts}
    mirrored = {count - 1 - start: points for start, points in corners.items()}
    ways = ((pictures, inside, corners), (pictures[::-1], inside[::-1], mirrored))
    ahead, behind = side_by_side(lambda way: _follow(*way), ways)
    behind[:, :2] = count - 1 - behind[:, :2]
    found = np.concatenate([ahead, behind])
    first, second = found[:, 0].astype(np.int64), found[:, 1].astype(np.int64)
    # Pixel centres are whole numbers in both sizes.
    points = (found[:, 2:] + 0.5) / enlarged - 0.5
    start, end = crop.to_crop(points[:, :2], first), crop.to_crop(points[:, 2:], second)
    density = float(crop.scale.mean()) * greys.shape[2] / masks.shape[2]
    weight = min(WEIGHT * density**2, MOST_WEIGHT)
    return join([Matches(first, second, start, end, np.full(len(found), weight))])


def _pictures(greys: Array, masks: Array) -> tuple[list[Array], list[Array]]:
    contrast = cv2.createCLAHE(3.0, (8, 8))
    enlarged = max(1.0, TRACK_SIDE / max(greys.shape[1:]))
    size = (round(greys.shape[2] * enlarged), round(greys.shape[1] * enlarged))
    corrected = [
        contrast.apply(cv2.resize(each, size, interpolation=cv2.INTER_CUBIC)) for each in greys
    ]
    pictures = list(
        side_by_side(lambda both: replace_surroundings(*both), zip(corrected, masks, strict=True))
    )
    inside = [(cv2.resize(mask, size) > 0.5).astype(np.uint8) for mask in masks]
    return pictures, inside


def _corners(picture: Array, inside: Array) -> Array:
    """Return corners well inside the object, float32 [N, 2]."""
    inner = cv2.erode(inside, np.ones((5, 5), np.uint8), borderValue=0)
    found = cv2.goodFeaturesToTrack(picture, CORNERS, 0.005, 4, mask=inner)
    return np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2)


def _follow(pictures: list[Array], inside: list[Array], corners: dict[int, Array]) -> Array:
    """Follow all corners to the last frame; rows of (start, end, x, y, x, y), [M, 6].

    By how much the ways back of single steps miss adds up to how much the whole way back would,
    as far as neighbouring points move alike: no corner is followed back all the way.
    """
    origin = np.concatenate([np.full(len(points), start) for start, points in corners.items()])
    first = np.concatenate(list(corners.values()))
    place, alive = first.copy(), np.ones(len(first), bool)
    miss, kept = np.zeros_like(first), [np.zeros((0, 6))]
    for frame in range(1, len(pictures)):
        moving = np.flatnonzero(alive & (origin < frame) & (frame - origin <= HORIZONS[-1]))
        if len(moving) == 0:
            continue
        moved, error = _step(pictures[frame - 1], pictures[frame], place[moving])
        place[moving], miss[moving] = moved, miss[moving] + error
        lost = (np.linalg.norm(error, axis=1) > STEP_AGREEMENT) | (read(inside[frame], moved) == 0)
        alive[moving[lost]] = False
        arrived = moving[~lost & np.isin(frame - origin[moving], HORIZONS)]
        good = arrived[np.linalg.norm(miss[arrived], axis=1) < WHOLE_AGREEMENT]
        ends = np.stack([origin[good], np.full(len(good), frame)], 1)
        kept.append(np.concatenate([ends, first[good], place[good]], 1))
    return np.concatenate(kept)


def _step(before: Array, after: Array, points: Array) -> tuple[Array, Array]:
    """Return where ``points`` [N, 2] went, and by how much the way back misses them, [N, 2]."""
    moved = _track(before, after, points)
    return moved, _track(after, before, moved) - points


def _track(before: Array, after: Array, points: Array) -> Array:
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        np.ascontiguousarray(points),
        None,  # type: ignore[arg-type]
        winSize=(WINDOW, WINDOW),
        maxLevel=3,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.01),
    )
    return np.where(status.astype(bool), moved, np.float32(-1e6))
