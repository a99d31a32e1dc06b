"""Searching on small pictures and bringing the answer to the working size along its edges."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from .flow import Flow
from .frames import working_size
from .segmentation import edge_aware

SEARCH_SIDE = 256  # px


def reduced(frames: np.ndarray, flow: Flow) -> tuple[np.ndarray, Flow]:
    """Bring ``frames`` [T, H, W, 3] and their ``flow`` to the size of the search."""
    height, width = frames.shape[1:3]
    size = working_size((width, height), SEARCH_SIDE)
    if size == (width, height):
        return frames, flow
    scale = np.array([size[0] / width, size[1] / height], np.float32)

    def smaller(images: np.ndarray) -> np.ndarray:
        return np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in images])

    return smaller(frames), replace(
        flow,
        forward=smaller(flow.forward) * scale,
        backward=smaller(flow.backward) * scale,
        forward_valid=smaller(flow.forward_valid.astype(np.uint8)) > 0,
        backward_valid=smaller(flow.backward_valid.astype(np.uint8)) > 0,
    )


def enlarged(probability: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Bring ``probability`` [T, h, w] to the size of ``frames``, along their edges."""
    height, width = frames.shape[1:3]
    if probability.shape[1:] == (height, width):
        return probability
    radius = max(2, round(max(height, width) / SEARCH_SIDE))
    return np.stack(
        [
            edge_aware(
                frame.astype(np.float32) / 255.0,
                cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR),
                radius=radius,
            )
            for one, frame in zip(probability, frames, strict=True)
        ]
    )
