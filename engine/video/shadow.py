"""The shadow that an object casts: the ground as other frames show it, darker but of its hue."""

from __future__ import annotations

import cv2
import numpy as np

from .affine import affine_steps, away_from, between, brought
from .flow import Flow

GAPS = (-16, -12, -8, 8, 12, 16)  # frames: far enough that the object has left its ground
DARKER = 0.7  # log ratio of light that a shadow takes away at least
SAME_HUE = 0.17  # deviation of the colours' log ratios that is still the same hue
DARK = 0.01  # part of white that is added, so that black has a hue
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
    away = away_from(support)
    ground = affine_steps(flow, away)
    light = np.log((frames.astype(np.float32) / 255.0) ** GAMMA + DARK)
    shadow = np.zeros(support.shape, bool)
    for index in range(len(frames)):
        plate, seen = _ground_plate(light, away, ground, index)
        ratio = cv2.blur(light[index] - plate, (3, 3))
        dark = (ratio.mean(axis=2) < -DARKER) & (ratio.std(axis=2) < SAME_HUE)
        dark = _without_specks(dark & seen & support[index])
        shadow[index] = dark & ~_above(support[index] & ~dark)
    return shadow


def _ground_plate(
    light: np.ndarray, away: np.ndarray, ground: list[np.ndarray], index: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what other frames show of the ground [H, W, 3], and where they do, bool [H, W]."""
    total = np.zeros(light.shape[1:], np.float32)
    weight = np.zeros(light.shape[1:3], np.float32)
    for gap in GAPS:
        if not 0 <= index + gap < len(light):
            continue
        motion = between(ground, index, index + gap)
        free = brought(away[index + gap].astype(np.float32), motion) > 0.99
        total += brought(light[index + gap], motion) * free[..., None]
        weight += free
    return total / np.maximum(weight, 1.0)[..., None], weight > 0


def _above(solid: np.ndarray) -> np.ndarray:
    """Say which pixels [H, W] have any of ``solid`` in their column at or below them."""
    return np.maximum.accumulate(solid[::-1], axis=0)[::-1]


def _without_specks(mask: np.ndarray) -> np.ndarray:
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
