"""Masks for the frames that have none, carried over from their neighbours along the flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy import ndarray as Array

from ...contract.events import EngineError, Fault

if TYPE_CHECKING:
    from ...video.flow import Flow
    from ...video.masks import Masks


def complete(masks: Masks, flow: Flow) -> Array:
    """Return masks of all frames, float32 [T, H, W] in [0, 1].

    Raises EngineError where no frame shows an object.
    """
    given = masks.masks.astype(np.float32) / 255
    known = np.flatnonzero(masks.known)
    if len(known) == 0 or given[known].max() <= 0.5:
        raise EngineError(
            Fault.OBJECT_NOT_FOUND,
            "No frame has a mask of the object.",
            "Give masks, or draw a box around the object.",
        )
    ahead = _carried(given, masks.known, flow.backward)
    behind = _carried(given[::-1], masks.known[::-1], flow.forward[::-1])[::-1]
    every = np.arange(len(given))
    before = np.searchsorted(known, every, side="right") - 1  # number of the last known frame
    share = np.empty(len(given), np.float32)
    for frame in every:
        left = known[max(before[frame], 0)]
        right = known[min(before[frame] + (not masks.known[frame]), len(known) - 1)]
        share[frame] = np.clip((frame - left) / max(right - left, 1), 0, 1)
    share[: known[0]], share[known[-1] :] = 1, 0
    share = share[:, None, None]
    return np.where(masks.known[:, None, None], given, (1 - share) * ahead + share * behind)


def _carried(masks: Array, known: Array, to_previous: Array) -> Array:
    """Fill unknown frames from the frame before; ``to_previous`` [T-1, H, W, 2] px."""
    filled = masks.copy()
    rows, columns = np.indices(masks.shape[1:], dtype=np.float32)
    for frame in range(1, len(masks)):
        if not known[frame]:
            step = to_previous[frame - 1].astype(np.float32)
            filled[frame] = cv2.remap(
                filled[frame - 1], columns + step[..., 0], rows + step[..., 1], cv2.INTER_LINEAR
            )
    return filled
