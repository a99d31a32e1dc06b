"""What moves against the background: flow, less the motion of the camera, in units of scatter.

The camera's motion is a homography for each pair of frames, fitted robustly to the flow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .affine import align, fine_detail
from .flow import Flow, chains, normalised_grey, warp

GAPS = (1, 2, 4, 8, 16)  # frames between the two that are compared; wide gaps show slow motion
FITTED_PIXELS = 600  # flow vectors that the homography is fitted to
NOTABLE_DIFFERENCE = 12.0  # grey levels, at the fixed contrast of `normalised_grey`
LEAST_SCATTER = 0.15  # px; flow is not better than that even where nothing moves
CORE_PART = 0.5  # of a frame's strongest evidence that tells the object's own motion
DETAIL_WINDOW = 9  # px
NOTABLE_DETAIL = 100.0  # squared grey levels
LASTING_WEIGHT = 3.0
OWN_WEIGHT = 2.0
PERSISTENCE = 0.8  # part of the accumulated evidence that is handed on to the next frame


def motion_evidence(frames: np.ndarray, flow: Flow, tick: Callable[[], None]) -> np.ndarray:
    """Return how surely each pixel moves against the background, float32 [T, H, W] in [0, 1].

    ``frames`` uint8 RGB [T, H, W, 3]; ``tick`` is called after each frame.
    """
    greys = [normalised_grey(frame) for frame in frames]
    evidence = []
    for index in range(len(greys)):
        evidence.append(_frame_evidence(greys, flow, index))
        tick()
    return along_the_clip(np.stack(evidence), flow)


@dataclass(frozen=True)
class _Step:
    """What is known of one frame against another: flow, where it holds, the ground's motion."""

    other: np.ndarray  # uint8 [H, W]
    there: np.ndarray  # [H, W, 2]
    valid: np.ndarray  # bool [H, W]
    ground: np.ndarray  # [3, 3]
    distance: np.ndarray  # [H, W], of the flow from the ground's motion, px


def _frame_evidence(greys: list[np.ndarray], flow: Flow, index: int) -> np.ndarray:
    textured = _where_textured(greys[index])
    steps, values, weights = [], [], []
    for gap, there, valid in chains(flow, index, GAPS):
        ground = _homography(there, valid & textured)
        distance = _distance(there, ground)
        scatter = LEAST_SCATTER + 1.5 * float(np.median(distance[textured]))
        ratio = distance / (scatter * 2.0)
        misfit = _misfit(greys[index], greys[index + gap], ground)
        values.append(ratio**2 / (1.0 + ratio**2) * misfit)
        weights.append(valid + 1e-3)
        steps.append(_Step(greys[index + gap], there, valid, ground, distance))
    evidence = np.average(values, axis=0, weights=weights).astype(np.float32)
    return evidence * _held_together(greys[index], evidence, steps)


def _held_together(grey: np.ndarray, evidence: np.ndarray, steps: list[_Step]) -> np.ndarray:
    """Return a factor [H, W] above 1 where the object's motion explains more than the ground's.

    A reflection, a wake and a shadow move with an object, but their detail does not last.
    """
    core = evidence > CORE_PART * np.percentile(evidence, 98)
    own, ground, nearer = [grey], [grey], []
    for step in steps:
        homography = _homography(step.there, step.valid & core)
        own.append(align(step.other, homography))
        ground.append(align(step.other, step.ground))
        nearer.append(
            np.log(step.distance + 2.0 * LEAST_SCATTER)
            - np.log(_distance(step.there, homography) + 2.0 * LEAST_SCATTER)
        )
    lasting = _lasting_detail(own) - _lasting_detail(ground)
    odds = LASTING_WEIGHT * lasting + OWN_WEIGHT * np.mean(nearer, axis=0)
    return 1.0 / (1.0 + np.exp(-odds))


def _lasting_detail(pictures: list[np.ndarray]) -> np.ndarray:
    """Return which part of the fine detail of aligned ``pictures`` is the same in all, [H, W]."""
    stack = fine_detail(pictures)
    side = (DETAIL_WINDOW, DETAIL_WINDOW)
    return cv2.blur(stack.mean(axis=0) ** 2, side) / (
        cv2.blur((stack**2).mean(axis=0), side) + NOTABLE_DETAIL
    )


def _where_textured(grey: np.ndarray) -> np.ndarray:
    """Say where flow is held by texture in two directions: the better half of the frame."""
    strength = cv2.cornerMinEigenVal(grey, 7)
    return strength >= np.median(strength)


def _homography(there: np.ndarray, usable: np.ndarray) -> np.ndarray:
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
    seen = align(other, homography)
    difference = cv2.absdiff(cv2.blur(grey, (3, 3)), cv2.blur(seen, (3, 3))).astype(np.float32)
    difference = cv2.blur(difference, (5, 5))
    return 1.0 - np.exp(-((difference / NOTABLE_DIFFERENCE) ** 2))


def along_the_clip(evidence: np.ndarray, flow: Flow) -> np.ndarray:
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
