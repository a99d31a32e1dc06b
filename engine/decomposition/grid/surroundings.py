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

    ``mask`` [h, w] in [0, 1]; at its size, smaller or not, the greys are continued.
    """
    small = cv2.resize(picture, mask.shape[::-1], interpolation=cv2.INTER_AREA)
    around, share = (
        cv2.resize(each, picture.shape[::-1])
        for each in (continued(small, mask), np.clip(mask, 0, 1).astype(np.float32))
    )
    return blended(picture, around, share)


def blended(picture: Array, around: Array, share: Array) -> Array:
    """Return ``picture`` where ``share`` is 1 and ``around`` where it is 0, uint8."""
    return np.clip(around + share * (picture - around), 0, 255).astype(np.uint8)
