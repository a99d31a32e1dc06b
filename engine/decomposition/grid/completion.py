"""Masks for the frames that have none, carried over from their neighbours along the flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy import ndarray as Array

from ...contract.events import EngineError, Fault

AGREEMENT = 2.0  # px

if TYPE_CHECKING:
    from ...video.flow import Flow
    from ...video.masks import Masks


def complete(masks: Masks, flow: Flow) -> Array:
    """Return masks of all frames, float32 [T, H, W] in [0, 1]; all 0 where that is known.

    Raises EngineError where no frame shows an object, but some may.
    """
    given = masks.masks.astype(np.float32) / 255
    known = np.flatnonzero(masks.known)
    if len(known) == len(given):
        return given if given.max() > 0.5 else np.zeros_like(given)
    if len(known) == 0 or given[known].max() <= 0.5:
        raise EngineError(
            Fault.OBJECT_NOT_FOUND,
            "No frame has a mask of the object.",
            "Give masks, or draw a box around the object.",
        )
    ahead = _fill_from_previous(given, masks.known, flow.backward, flow.forward)
    behind = _fill_from_previous(
        given[::-1], masks.known[::-1], flow.forward[::-1], flow.backward[::-1]
    )[::-1]
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


def _fill_from_previous(masks: Array, known: Array, to_previous: Array, to_next: Array) -> Array:
    """Fill unknown frames from the frame before; flows [T-1, H, W, 2] px.

    A pixel takes over what it points at, if that points back: else the background that the
    object is about to cover would count as object.
    """
    filled = masks.copy()
    rows, columns = np.indices(masks.shape[1:], dtype=np.float32)
    still = np.stack([columns, rows], 2)
    for frame in range(1, len(masks)):
        if not known[frame]:
            step = to_previous[frame - 1].astype(np.float32)
            return_step = to_next[frame - 1].astype(np.float32)
            place = still + step
            back = cv2.remap(return_step, place[..., 0], place[..., 1], cv2.INTER_LINEAR)
            mutual = (np.linalg.norm(step + back, axis=2) < AGREEMENT).astype(np.float32)
            taken = cv2.remap(filled[frame - 1], place[..., 0], place[..., 1], cv2.INTER_LINEAR)
            filled[frame] = cv2.morphologyEx(taken * mutual, cv2.MORPH_CLOSE, np.ones((3, 3)))
    return filled
