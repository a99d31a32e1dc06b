"""Masks from strokes on some frames, by themselves or as corrections of what was found.

What is painted is cut out of its frame and carried to the others along the flow, on small pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import cv2
import numpy as np

from ..contract.events import Report
from .boxes import MOVING_CONTRAST
from .components import persistent
from .feature_memory import EmbedFrames
from .flow import Flow
from .frames import Video
from .motion import motion_evidence
from .search import FINAL_ROUNDS, Steps, enlarge, motion_prior, reduce, refine_masks
from .segmentation import ROUNDS, describe_appearance, follow, segment
from .strokes import Marks, cut_by_marks, first_guess, near, shrunk

BELONGING_PART = 0.06  # of the longer side: how far from a followed object motion is its own
CORRECTION_FADE = 12.0  # frames after which a correction counts half


def find_by_marks(
    video: Video,
    flow: Flow,
    marks: Mapping[int, Marks],
    report: Report,
    *,
    embed: EmbedFrames | None,
) -> np.ndarray:
    """Return the probability float32 [T, H, W] of the object that was painted on some frames."""
    return _by_marks(video, flow, marks, None, report, embed=embed)


def correct(
    found: np.ndarray,
    video: Video,
    flow: Flow,
    marks: Mapping[int, Marks],
    report: Report,
) -> np.ndarray:
    """Return the probability ``found`` [T, H, W] corrected by what was painted on some frames.

    A correction is carried along the flow and counts less the farther away it is.
    """
    return _by_marks(video, flow, marks, found, report)


def _by_marks(
    video: Video,
    flow: Flow,
    marks: Mapping[int, Marks],
    base: np.ndarray | None,
    report: Report,
    *,
    embed: EmbedFrames | None = None,
) -> np.ndarray:
    frames, small_flow = reduce(video.frames, flow)
    shape = frames.shape[1:3]
    small = {frame: mark.reduce(shape) for frame, mark in marks.items()}
    base = None if base is None else np.stack([shrunk(one, shape) for one in base])
    rounds = ROUNDS + 2 + len(marks) + FINAL_ROUNDS
    steps = Steps(report, len(frames) * rounds)
    appearance = describe_appearance(frames)
    moving = None
    if base is None:
        evidence = motion_evidence(frames, small_flow, steps.tick)
        moving = motion_prior(evidence) if _marked_moves(evidence, small) else None
    carry = partial(follow, appearance, flow=small_flow, tick=steps.tick)
    prior = _carried_from_marks(frames, small, base, moving, carry)
    if moving is not None:
        prior = 0.5 * (prior + moving * _within_reach(prior))
    if base is not None:
        prior = _fade(prior, base, small)
    found = segment(appearance, prior, small_flow, steps.tick, small)
    start = {frame: found[frame] > 0.5 for frame in small}
    found = persistent(found, small_flow, start)
    if base is None:
        found = refine_masks(
            appearance, frames, small_flow, found, steps.tick, certain=small, embed=embed
        )
        start = {frame: found[frame] > 0.5 for frame in small}
        found = persistent(found, small_flow, start)
    steps.finish()
    return enlarge(found, video.frames)


def _carried_from_marks(
    frames: np.ndarray,
    marks: Mapping[int, Marks],
    base: np.ndarray | None,
    moving: np.ndarray | None,
    carry: Callable[[dict[int, np.ndarray]], np.ndarray],
) -> np.ndarray:
    """Cut the object out of each painted frame, the most painted first, and carry it to all.

    ``base`` is what was found before, ``moving`` what moves; both may be None.
    """
    keys: dict[int, np.ndarray] = {}
    known = base
    for frame in sorted(marks, key=lambda one: -int(marks[one].inside.sum())):
        if known is not None:
            guess = known[frame] > 0.5
        else:
            guess = first_guess(frames[frame], marks[frame])
            if moving is not None:
                guess |= near(marks[frame]) & (moving[frame] > 0.5)
        keys[frame] = cut_by_marks(frames[frame], marks[frame], guess)
        if base is None or len(keys) == len(marks):
            known = carry(keys)
    assert known is not None
    return known


def _marked_moves(evidence: np.ndarray, marks: Mapping[int, Marks]) -> bool:
    """Does what was painted as object move more than the rest of its frames?"""
    inside = [evidence[frame][mark.inside] for frame, mark in marks.items()]
    other = [evidence[frame][mark.outside] for frame, mark in marks.items()]
    if not any(part.size for part in other):
        other = [evidence[frame][~near(mark)] for frame, mark in marks.items()]
    ground = np.concatenate(other)
    if not ground.size:
        return False
    return float(np.concatenate(inside).mean()) > MOVING_CONTRAST * float(ground.mean()) + 1e-3


def _within_reach(followed: np.ndarray) -> np.ndarray:
    """Say which pixels [T, H, W] are near enough to the ``followed`` object to belong to it."""
    side = 2 * round(BELONGING_PART * max(followed.shape[1:])) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.stack([cv2.dilate((one > 0.5).astype(np.uint8), kernel) for one in followed])


def _fade(carried: np.ndarray, base: np.ndarray, marks: Mapping[int, Marks]) -> np.ndarray:
    """Mix what was ``carried`` from corrected frames into ``base``, less with each frame."""
    distance = np.abs(np.arange(len(base))[:, None] - np.array(sorted(marks))).min(axis=1)
    share = 0.5 ** (distance / CORRECTION_FADE)
    return share[:, None, None] * carried + (1.0 - share[:, None, None]) * base
