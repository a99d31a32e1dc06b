"""Where the object is in each frame and how large, also where the frame cuts it off.

What is left of an object at the border has another middle and another size than the object;
there the flow says how the object goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy import ndarray as Array

# An object is cut off where this much of it lies on the border or beside other objects, in square
# roots of its area.
CUT_OFF = 0.2


@dataclass(frozen=True)
class Path:
    """The object's centre and standard deviation (over both axes) in frame pixels."""

    centre: Array  # [T, 2]
    deviation: Array  # [T]


def frames_with_object(masks: Array) -> Array:
    """Return which frames show the object, bool [T]."""
    return np.array([mask.max() > 0.5 for mask in masks])


def trace(masks: Array, others: Array, forward: Array, backward: Array) -> Path:
    """Follow the object; ``masks`` [T, H, W] in [0, 1] not all empty, flows [T-1, H, W, 2] px.

    ``others`` [T, H, W] in [0, 1] say where other objects are, which may hide a part of it.
    """
    whole = np.flatnonzero(frames_with_object(masks) & ~_cut_off(masks, others))
    if len(whole) == 0:
        whole = np.array([(masks > 0.5).sum((1, 2)).argmax()])
    moments = np.array([_moments(masks[frame]) for frame in whole])  # [n, 3]
    every = np.arange(len(masks))
    deviation = np.exp(np.interp(every, whole, np.log(moments[:, 2])))
    known = dict(zip(whole.tolist(), moments[:, :2], strict=True))
    last = len(masks) - 1
    ahead = _carry_centres(masks, known, forward)
    mirrored = {last - frame: centre for frame, centre in known.items()}
    behind = _carry_centres(masks[::-1], mirrored, backward[::-1])[::-1]
    share = _share_of_next(whole, len(masks))[:, None]
    return Path((1 - share) * ahead + share * behind, deviation)


def _moments(mask: Array) -> tuple[float, float, float]:
    rows, columns = np.nonzero(mask > 0.5)
    deviation = np.sqrt(columns.var() + rows.var())
    return columns.mean(), rows.mean(), max(deviation, 0.5)


def _cut_off(masks: Array, others: Array) -> Array:
    inside = masks > 0.5
    border = inside[:, [0, -1]].sum((1, 2)) + inside[:, :, [0, -1]].sum((1, 2))
    brush = np.ones((3, 3), np.uint8)
    grown = (cv2.dilate((mask > 0.5).astype(np.uint8), brush) for mask in masks)
    border += [
        ((other > 0.5) & (mask > 0)).sum() for mask, other in zip(grown, others, strict=True)
    ]
    return border > CUT_OFF * np.sqrt(inside.sum((1, 2)))


def _carry_centres(masks: Array, known: dict[int, Array], to_next: Array) -> Array:
    """Carry centres on with the object's median flow, [T, 2]; before the first they are nan."""
    centre = np.full((len(masks), 2), np.nan)
    for frame in range(len(masks)):
        if frame in known:
            centre[frame] = known[frame]
        elif frame > 0:
            inside = masks[frame - 1] > 0.5
            step = np.median(to_next[frame - 1][inside], 0) if inside.any() else 0
            centre[frame] = centre[frame - 1] + step
    first = min(known)
    centre[:first] = centre[first]
    return centre


def _share_of_next(whole: Array, count: int) -> Array:
    """Return how much nearer each frame is to the next of ``whole`` than to the last, [T]."""
    share = np.empty(count)
    for frame in range(count):
        before, after = whole[whole <= frame], whole[whole >= frame]
        if len(before) == 0 or len(after) == 0:
            share[frame] = float(len(before) == 0)
        else:
            share[frame] = (frame - before[-1]) / max(after[0] - before[-1], 1)
    return share
