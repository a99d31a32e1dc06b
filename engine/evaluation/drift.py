"""How well a mapping sticks to the object, and whether it folds."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from .points import HOP, Pairs, follow, read_at

GAPS = (10, 20, 40)  # frames
SAMPLED_SIDE = 1024  # larger footage is measured at this longest side
LEAST_POINTS = 8
LONGER_SIDE = 256  # drift is given in pixels of a frame whose longer side has so many
LOST = 64.0  # px of such a frame: what has no place on the object counts as this far away
LEAST_AREA = 1e-3  # parts of the usual area of a pixel in the atlas


def is_sampled(index: int) -> bool:
    """Is this frame one of those that are looked at?"""
    return index % HOP == 0


def sampled_picture(frame: np.ndarray) -> np.ndarray:
    """Return ``frame`` uint8 [H, W, 3] in grey, reduced where it is very large."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    scale = SAMPLED_SIDE / max(grey.shape)
    if scale >= 1:
        return grey
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def uv_drift(
    pictures: Mapping[int, np.ndarray], uv: np.ndarray, visible: np.ndarray
) -> dict[str, float | int | None]:
    """Return the median drift of ``uv`` over 10, 20 and 40 frames, and on how many points.

    ``pictures`` are the `sampled_picture` of each frame that `is_sampled`; ``uv`` [T, H, W, 2] and
    ``visible`` bool [T, H, W], where the object is, are at the working size. None where the
    footage is too short or too few points can be followed.
    """
    errors = {gap: [np.zeros(0)] for gap in GAPS}
    for pairs in follow(pictures, visible, GAPS):
        gap = pairs.frames[1] - pairs.frames[0]
        errors[gap].append(slid(pairs, pictures[pairs.frames[0]].shape, uv))
    numbers: dict[str, float | int | None] = {}
    for gap in GAPS:
        joined = np.concatenate(errors[gap])
        enough = len(joined) >= LEAST_POINTS
        numbers[f"uv_drift_{gap}"] = float(np.median(joined)) if enough else None
        numbers[f"uv_drift_{gap}_points"] = len(joined)
    return numbers


def mapping_scores(
    pictures: Mapping[int, np.ndarray], uv: np.ndarray, visible: np.ndarray
) -> dict[str, float | int | None]:
    """Return what `uv_drift` does, and `folds`."""
    return {**uv_drift(pictures, uv, visible), "folds": folds(uv, visible)}


def slid(pairs: Pairs, shape: tuple[int, ...], uv: np.ndarray) -> np.ndarray:
    """Return how far each spot slid on the screen, [N], in px of a frame 256 wide.

    That is the distance from where the spot is in the second frame to where the mapping has it:
    the difference of uv, divided by the mapping's Jacobian. ``shape`` is (H, W) of the pictures
    that ``pairs`` are in, ``uv`` [T, h, w, 2].
    """
    size = np.array(uv.shape[2:0:-1])
    scale = size / np.array(shape[1::-1])
    first, second = ((points + 0.5) * scale - 0.5 for points in (pairs.first, pairs.second))
    before, after = read_at(uv[pairs.frames[0]], first), uv[pairs.frames[1]]
    sides = [read_at(after, second + step) - read_at(after, second - step) for step in np.eye(2)]
    jacobian = np.stack(sides, axis=2).astype(float) / 2  # [N, uv, xy]
    usual = np.median(np.abs(determinants(after)))
    lost = ~(np.linalg.det(jacobian) > LEAST_AREA * usual)
    jacobian[lost] = np.eye(2)
    step = np.linalg.solve(jacobian, (before - read_at(after, second))[..., None])[..., 0]
    error = np.linalg.norm(step, axis=1) * LONGER_SIDE / size.max()
    return np.where(lost, LOST, np.minimum(error, LOST))


def folds(uv: np.ndarray, visible: np.ndarray) -> float:
    """Return the part of the object's pixels at which the mapping is folded: det J <= 0.

    ``uv`` [T, H, W, 2], ``visible`` bool [T, H, W]. J holds the differences to the right and the
    lower neighbour; pixels count where all three are visible.
    """
    counted = visible[:, :-1, :-1] & visible[:, :-1, 1:] & visible[:, 1:, :-1]
    folded = sum(
        int((determinants(picture)[inside] <= 0).sum())
        for picture, inside in zip(uv, counted, strict=True)
    )
    return folded / max(1, int(counted.sum()))


def determinants(uv: np.ndarray) -> np.ndarray:
    """Return det J of one frame's ``uv`` [H, W, 2] at all pixels but the last, [H-1, W-1]."""
    across = (uv[:, 1:] - uv[:, :-1])[:-1]
    down = (uv[1:] - uv[:-1])[:, :-1]
    return across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
