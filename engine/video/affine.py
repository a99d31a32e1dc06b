"""Affine motions of a part of the picture from frame to frame, and pictures brought along them."""

from __future__ import annotations

import cv2
import numpy as np

from .flow import Flow

FITTED_PIXELS = 1500
AWAY = 4  # px
DETAIL_SIGMA = 2.0  # px; what is coarser is no detail


def affine_steps(flow: Flow, which: np.ndarray) -> list[np.ndarray]:
    """Return the affine motion [3, 3] of most of the pixels ``which``, frame to next frame."""
    steps = []
    for vectors, valid, usable in zip(flow.forward, flow.forward_valid, which, strict=False):
        rows, columns = np.nonzero(usable & valid)
        every = max(1, len(rows) // FITTED_PIXELS)
        rows, columns = rows[::every], columns[::every]
        step = np.eye(3)
        if len(rows) > 12:
            points = np.stack([columns, rows], axis=1).astype(np.float32)
            ends = points + vectors[rows, columns]
            affine, _ = cv2.estimateAffine2D(points, ends, ransacReprojThreshold=0.5, maxIters=500)
            if affine is not None:
                step[:2] = affine
        steps.append(step)
    return steps


def between(steps: list[np.ndarray], start: int, stop: int) -> np.ndarray:
    """Return the motion [3, 3] from the frame ``start`` to ``stop``, chained from ``steps``."""
    motion = np.eye(3)
    for index in range(min(start, stop), max(start, stop)):
        motion = steps[index] @ motion
    return motion if start <= stop else np.linalg.inv(motion)


def align(picture: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Bring a picture to where the start of ``motion`` has it."""
    return cv2.warpPerspective(
        picture, motion, picture.shape[1::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip


def fine_detail(pictures: list[np.ndarray]) -> np.ndarray:
    """Return the detail of pictures [H, W, ...], stacked: what is left without the coarse."""
    detail = []
    for picture in pictures:
        picture = picture.astype(np.float32)
        detail.append(picture - cv2.GaussianBlur(picture, (0, 0), DETAIL_SIGMA))
    return np.stack(detail)


def shift(step: np.ndarray, left: int, top: int) -> np.ndarray:
    """Express a motion of the whole picture in pixels of a part of it."""
    there = np.array([[1.0, 0.0, left], [0.0, 1.0, top], [0.0, 0.0, 1.0]])
    return np.linalg.inv(there) @ step @ there


def away_from(support: np.ndarray) -> np.ndarray:
    """Say which pixels [T, H, W] are well outside ``support``."""
    kernel = np.ones((2 * AWAY + 1, 2 * AWAY + 1), np.uint8)
    return np.stack([cv2.dilate(one.astype(np.uint8), kernel) == 0 for one in support])
