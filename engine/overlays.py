"""Found masks as they are shown: over a frame, and as numbers that the host draws itself."""

from __future__ import annotations

import numpy as np

SIDE = 512  # pixels of the longest side, at most


def overlay(frames: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Show the mask of the middle frame: what is not the object is dimmed; uint8 [H, W, 3]."""
    index = len(frames) // 2
    mask = masks[index][..., None].astype(np.float32) / 255
    return (frames[index] * (0.25 + 0.75 * mask)).astype(np.uint8)


def numbered_objects(masks: list[np.ndarray], frames: np.ndarray) -> np.ndarray:
    """Return which object is seen at each pixel: 0 for none, else 1, 2, ... from the front.

    ``masks`` uint8 [T, H, W] of each object; the result is uint8 of the same shape, every n-th
    pixel where the frames are larger than `SIDE`.
    """
    numbers = np.zeros(frames.shape[:3], np.uint8)
    for number in range(len(masks), 0, -1):
        numbers[masks[number - 1] > 127] = number
    step = -(-max(frames.shape[1:3]) // SIDE)
    return np.ascontiguousarray(numbers[:, ::step, ::step])
