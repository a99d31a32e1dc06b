"""What moves against the background: flow, less the motion of the camera, in units of scatter.

The camera's motion is a homography for each pair of frames, fitted robustly to the flow.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .flow import Flow, inside, normalised_grey, warp

GAPS = (1, 2, 4, 8, 16)  # frames between the two that are compared; wide gaps show slow motion
FITTED_PIXELS = 600  # flow vectors that the homography is fitted to
NOTABLE_DIFFERENCE = 12.0  # grey levels, at the fixed contrast of `normalised_grey`
LEAST_SCATTER = 0.15  # px; flow is not better than that even where nothing moves
PERSISTENCE = 0.8  # part of the accumulated evidence that is handed on to the next frame


def motion_evidence(
    frames: np.ndarray, flow: Flow, *, threshold: float, tick: Callable[[], None]
) -> np.ndarray:
    """Return how surely each pixel moves against the background, float32 [T, H, W] in [0, 1].

    ``frames`` uint8 RGB [T, H, W, 3]; ``threshold`` is in multiples of the background's scatter;
    ``tick`` is called after each frame.
    """
    greys = [normalised_grey(frame) for frame in frames]
    evidence = []
    for index in range(len(greys)):
        evidence.append(_frame_evidence(greys, flow, index, threshold))
        tick()
    return _accumulate(np.stack(evidence), flow)


def _frame_evidence(
    greys: list[np.ndarray], flow: Flow, index: int, threshold: float
) -> np.ndarray:
    textured = _textured(greys[index])
    values, weights = [], []
    for gap in (sign * gap for gap in GAPS for sign in (1, -1)):
        if not 0 <= index + gap < len(greys):
            continue
        there, valid = _chain(flow, index, gap)
        homography = _background_homography(there, valid & textured)
        distance = _distance(there, homography)
        scatter = LEAST_SCATTER + 1.5 * float(np.median(distance[textured]))
        ratio = distance / (scatter * 2.0 * threshold)
        misfit = _misfit(greys[index], greys[index + gap], homography)
        values.append(ratio**2 / (1.0 + ratio**2) * misfit)
        weights.append(valid + 1e-3)
    return np.average(values, axis=0, weights=weights).astype(np.float32)


def _chain(flow: Flow, index: int, gap: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the flow from frame ``index`` over ``gap`` frames and where it is valid."""
    total = np.zeros(flow.forward.shape[1:], np.float32)
    valid = np.ones(total.shape[:2], bool)
    for step in range(abs(gap)):
        if gap > 0:
            vectors, good = flow.forward[index + step], flow.forward_valid[index + step]
        else:
            vectors, good = flow.backward[index - step - 1], flow.backward_valid[index - step - 1]
        valid &= warp(good.astype(np.uint8), total) > 0
        total = total + warp(vectors, total)
        valid &= inside(total)
    return total, valid


def _textured(grey: np.ndarray) -> np.ndarray:
    """Say where flow is held by texture in two directions: the better half of the frame."""
    strength = cv2.cornerMinEigenVal(grey, 7)
    return strength >= np.median(strength)


def _background_homography(there: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Fit the motion of most of the ``usable`` pixels; no motion where too few are usable."""
    rows, columns = np.nonzero(usable)
    step = max(1, len(rows) // FITTED_PIXELS)
    rows, columns = rows[::step], columns[::step]
    if len(rows) < 12:
        return np.eye(3)
    start = np.stack([columns, rows], axis=1).astype(np.float32)
    end = start + there[rows, columns]
    found, _ = cv2.findHomography(start, end, cv2.RANSAC, 1.0, maxIters=300, confidence=0.995)
    return np.eye(3) if found is None else found


def _distance(there: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """Return how far each pixel's flow ends from where the homography takes it, in px."""
    height, width = there.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    start = np.stack([columns, rows], axis=2)
    predicted = cv2.perspectiveTransform(start.reshape(1, -1, 2), homography).reshape(start.shape)
    return np.linalg.norm(start + there - predicted, axis=2)


def _misfit(grey: np.ndarray, other: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """Return in [0, 1] how badly the background's motion explains the pixels of ``grey``.

    Smooth ground beside an object gets the object's flow, but fits the background as well.
    """
    size = (grey.shape[1], grey.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(
        other, homography, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    difference = cv2.absdiff(cv2.blur(grey, (3, 3)), cv2.blur(seen, (3, 3))).astype(np.float32)
    difference = cv2.blur(difference, (5, 5))
    return 1.0 - np.exp(-((difference / NOTABLE_DIFFERENCE) ** 2))


def _accumulate(evidence: np.ndarray, flow: Flow) -> np.ndarray:
    """Average along the flow over time, forth and back, with a decaying memory."""
    total, weight = evidence.copy(), np.ones_like(evidence)
    for order in (1, -1):
        memory, mass = np.zeros_like(evidence[0]), np.zeros_like(evidence[0])
        indices = range(len(evidence)) if order == 1 else range(len(evidence) - 1, -1, -1)
        for position, index in enumerate(indices):
            if position:
                vectors = flow.backward[index - 1] if order == 1 else flow.forward[index]
                good = flow.backward_valid[index - 1] if order == 1 else flow.forward_valid[index]
                keep = PERSISTENCE * (0.3 + 0.7 * good)
                memory, mass = warp(memory, vectors) * keep, warp(mass, vectors) * keep
            total[index] += memory
            weight[index] += mass
            memory, mass = memory + evidence[index], mass + 1.0
    return total / weight
