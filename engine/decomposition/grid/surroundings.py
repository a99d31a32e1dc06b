"""What is put around the object in the pictures that are matched: its own colours, gone smooth.

The background moves otherwise; where it shows beside the object, it drags matches with it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy import ndarray as Array

SURE = 0.7  # the least mask whose grey is the object's alone
SPREADS = (24, 12, 6, 3, 1.5)  # px
GREY = 128
LARGEST = 256  # px of the longer side; what is so smooth needs no more


def continued(picture: Array, mask: Array) -> Array:
    """Return the object's greys smoothly continued over all of ``picture``, float32 [h, w].

    ``mask`` [h, w] in [0, 1]. Middle grey where it shows no object.
    """
    picture = picture.astype(np.float32)
    inside = (mask > SURE).astype(np.float32)
    if not inside.any():
        return np.full_like(picture, GREY)
    filled = np.full_like(picture, (picture * inside).sum() / inside.sum())
    for sigma in SPREADS:
        amount = cv2.GaussianBlur(inside, (0, 0), sigma)
        blurred = cv2.GaussianBlur(picture * inside, (0, 0), sigma)
        trust = np.clip(amount * 4, 0, 1)
        filled += trust * (blurred / np.maximum(amount, 1e-4) - filled)
    return filled


def replaced(picture: Array, mask: Array) -> Array:
    """Return ``picture`` uint8 [H, W] with the object's own greys around it.

    ``mask`` [h, w] in [0, 1]; at its size, or smaller, the greys are continued.
    """
    share = np.clip(mask, 0, 1).astype(np.float32)
    shrunk = min(1.0, LARGEST / max(mask.shape))
    size = (round(mask.shape[1] * shrunk), round(mask.shape[0] * shrunk))
    small, where = (
        cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (picture, share)
    )
    around, share = (
        cv2.resize(each, picture.shape[::-1]) for each in (continued(small, where), share)
    )
    return blended(picture, around, share)


def blended(picture: Array, around: Array, share: Array) -> Array:
    """Return ``picture`` where ``share`` is 1 and ``around`` where it is 0, uint8."""
    return np.clip(around + share * (picture - around), 0, 255).astype(np.uint8)
