"""Frames in which the object rests, and what it was there: remembered from those where it moves.

An object that stands still shows no motion, and that is no sign that it is gone. Where hardly any
of it moves, the masks of the moving frames beside are carried through the rest, forth and back in
time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .flow import Flow
from .segmentation import ROUNDS, Appearance, follow, segment

RESTING = 0.25  # of the usual evidence of motion below which an object rests
USUAL = 90  # percentile of the frames that says what is usual: it may rest for most of them
LESS = 0.7  # of the moving area before or after, below which it is asked whether it rests
FORGETTING = 0.98  # part of that area that is expected in the next frame: objects recede
NEAREST = 8  # frames beside a rest among which the best one is remembered
REST_ROUNDS = ROUNDS + 1  # how often `through_rests` ticks for each frame


def resting_frames(evidence: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return in which frames hardly any of the object moves, bool [T].

    ``evidence`` of motion [T, H, W], and ``where`` the object is, its probability [T, H, W].
    """
    inside = where > 0.5
    moving = (evidence * inside).sum(axis=(1, 2)) / np.maximum(inside.sum(axis=(1, 2)), 1)
    return moving < RESTING * np.percentile(moving, USUAL)


def through_rests(
    appearance: Appearance,
    found: np.ndarray,
    evidence: np.ndarray,
    flow: Flow,
    *,
    prior: np.ndarray,
    tick: Callable[[], None],
) -> tuple[np.ndarray, int | None]:
    """Return the object's probability [T, H, W], remembered where it rests, and its best frame.

    ``found`` is what the search from ``prior``, motion's, found: it is searched for again with what
    the moving frames carry into the rests, since pixels that were called ground there misled the
    colours everywhere. Without a rest ``found`` is returned, and None. ``tick`` is called for each
    frame of each round.
    """
    moving = (evidence * (found > 0.5)).sum(axis=(1, 2))
    less = _less_than_beside(moving)
    if not less.any() or less.all():
        return found, None
    keys, within = _frames_to_remember(moving, less)
    carried = follow(appearance, {index: found[index] for index in keys}, flow, tick)
    resting = resting_frames(evidence, np.where(within[:, None, None], carried, found)) & within
    if not resting.any():
        return found, None
    # From the remembered frames on, where it comes to rest, what moves is less and less of it.
    near = np.convolve(resting, np.ones(2 * NEAREST + 1))[NEAREST : NEAREST + len(found)] > 0
    prior = np.where((within & near)[:, None, None], carried, prior)
    return segment(appearance, prior, flow, tick), int(np.argmax(moving))


def _less_than_beside(moving: np.ndarray) -> np.ndarray:
    """Return in which frames the ``moving`` area [T] is far less than in others near in time."""
    expected = moving.copy()
    for order in (range(len(moving)), range(len(moving) - 1, -1, -1)):
        known = 0.0
        for index in order:
            known = max(FORGETTING * known, moving[index])
            expected[index] = max(expected[index], known)
    return moving < LESS * expected


def _frames_to_remember(moving: np.ndarray, less: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Return the frames to remember, and which frames [T] lie between them."""
    keys, within = [], np.zeros(len(less), bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], less.astype(np.int8), [0]])))
    for first, end in edges.reshape(-1, 2).tolist():
        before = _best(moving, range(max(0, first - NEAREST), first), less)
        after = _best(moving, range(end, min(len(less), end + NEAREST)), less)
        within[first if before is None else before + 1 : end if after is None else after] = True
        keys += [index for index in (before, after) if index is not None]
    return keys, within


def _best(moving: np.ndarray, frames: range, less: np.ndarray) -> int | None:
    awake = [index for index in frames if not less[index]]
    return max(awake, key=lambda index: moving[index]) if awake else None
