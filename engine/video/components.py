"""Connected components of a mask that belong to one object: those that overlap through time."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from .flow import Flow, warp


def largest_persistent(probability: np.ndarray, flow: Flow, start: int | None = None) -> np.ndarray:
    """Keep what is joined through time with the largest component of the frame ``start``.

    Without ``start`` the frame whose largest component is of median size begins.
    ``probability`` is float32 [T, H, W], and so is what is returned.
    """
    solid = probability > 0.5
    largest = [_largest_component(frame) for frame in solid]
    if start is None:
        start = int(np.argsort([component.sum() for component in largest])[len(largest) // 2])
    return persistent(probability, flow, {start: largest[start]})


def persistent(probability: np.ndarray, flow: Flow, starts: Mapping[int, np.ndarray]) -> np.ndarray:
    """Keep of ``probability`` [T, H, W] what is joined through time with the components ``starts``.

    Each of these, bool [H, W], belongs to its frame; other frames ask the nearest start.
    """
    kept = probability.copy()
    solid = probability > 0.5
    frames = sorted(starts)
    for start in frames:
        kept[start] *= _near(starts[start])
        for direction in (1, -1):
            support = starts[start].astype(np.float32)
            for index in _until_the_next(frames, start, direction, len(solid)):
                vectors = flow.backward[index - 1] if direction == 1 else flow.forward[index]
                brought = warp(support, vectors) > 0.5
                components = _overlapping(solid[index], brought)
                components = components if components.any() else _largest_component(solid[index])
                kept[index] *= _near(components)
                support = (components if components.any() else brought).astype(np.float32)
    return kept


def _until_the_next(frames: list[int], start: int, direction: int, count: int) -> range:
    """Return the frames beside ``start`` that are nearer to it than to the next of ``frames``."""
    place = frames.index(start) + direction
    if not 0 <= place < len(frames):
        return range(start + direction, count if direction == 1 else -1, direction)
    middle = (start + frames[place]) // 2 + (direction == 1)
    if direction == 1:
        return range(start + 1, middle)
    return range(start - 1, middle, -1)


def _largest_component(solid: np.ndarray) -> np.ndarray:
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8))
    if count < 2:
        return solid
    return np.asarray(labels) == 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))


def _overlapping(solid: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Keep the components of ``solid`` of which a third was expected."""
    count, labels = cv2.connectedComponents(solid.astype(np.uint8))
    area = np.bincount(labels.ravel(), minlength=count)
    common = np.bincount(labels[expected], minlength=count)
    keep = common > area / 3
    keep[0] = False
    return keep[np.asarray(labels, np.int64)]


def _near(component: np.ndarray) -> np.ndarray:
    """Include the soft edge around a component."""
    return cv2.dilate(component.astype(np.uint8), np.ones((5, 5), np.uint8))
