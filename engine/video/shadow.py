"""The shadow that an object casts: the ground as other frames show it, darker but of its hue."""

from __future__ import annotations

import cv2
import numpy as np

from .flow import Flow
from .ground import ground_of

DARKER = 0.7  # log ratio of light that a shadow takes away at least
LEAST_DARKER = 0.1  # log ratio from which a pixel may lie in a soft shadow
SAME_HUE = 0.17  # deviation of the colours' log ratios that is still the same hue
DARK = 0.01  # part of white that is added, so that black has a hue
LIKE_HUE = 0.4  # the same, where a shadow is only possible: the sky lights it bluish
GAMMA = 2.2
LEAST_SHADOW = 0.02  # of what was found: less is chance
CLOSED = 5  # px; what a shadow's dark leaves of wheels and feet is joined again


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
        dark = darkened(frame, ground.plate[index], darker=DARKER, hue=SAME_HUE)
        dark = _without_specks(dark & ground.seen[index] & support[index])
        shadow[index] = dark & ~_above(support[index] & ~dark)
    return shadow


def darkened(
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
