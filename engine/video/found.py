"""Masks that nobody drew whole: found by motion, from one box or from strokes, and corrected.

Searching happens on small pictures; the answer is brought to the working size along its edges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..contract.events import EngineError, Fault, Report, Stopped
from ..contract.job import Box
from ..contract.settings import MasksSettings
from .boxes import MOVING_CONTRAST, cut_by_box, moving_in, rectangle_of, travelling_box
from .flow import Device, Flow
from .frames import Video
from .motion import motion_evidence
from .pieces import largest_persistent, persistent
from .refined import REFINED_ROUNDS, refined
from .segmentation import ROUNDS, Appearance, Certain, appearance, follow, settle
from .shadow import without_shadow
from .sizes import enlarged, reduced
from .solid import SOLID_ROUNDS, judged_solid
from .strokes import Marks, cut_by_marks, first_guess, near, shrunk

if TYPE_CHECKING:
    from .detector import Detections

BORDER_PART = 0.08  # of the longer side: objects rarely begin at the border
BORDER_TRUST = 0.3  # what is left of the evidence at the very border
STRONG = 0.6  # part of a frame's strongest evidence that makes a pixel probable
SLOPE = 0.12  # how quickly evidence turns into probability
OUTSIDE_BOX = 0.1  # what is left of the probability outside the travelling box
BELONGING_PART = 0.06  # of the longer side: how far from a followed object motion is its own
CORRECTION_FADE = 12.0  # frames after which a correction counts half


class _Steps:
    """Counts steps towards the report and stops where the host asks for it."""

    def __init__(self, report: Report, total: int) -> None:
        self.report, self.total, self.done = report, total, 0

    def tick(self) -> None:
        if self.report.stopping():
            raise Stopped
        self.done = min(self.done + 1, self.total)
        self.report.progress(self.done, self.total)

    def finish(self) -> None:
        """Say that all is done, where something could be left out."""
        self.done = self.total
        self.report.progress(self.done, self.total)


def find_by_motion(video: Video, flow: Flow, settings: MasksSettings, report: Report) -> np.ndarray:
    """Return the probability float32 [T, H, W] of the object that moves against the background."""
    frames, small_flow = reduced(video.frames, flow)
    steps = _Steps(report, len(frames) * (ROUNDS + 1 + SOLID_ROUNDS + REFINED_ROUNDS))
    evidence = motion_evidence(
        frames, small_flow, threshold=settings.motion_threshold, tick=steps.tick
    )
    look = appearance(frames)
    found = settle(look, _prior(evidence), small_flow, steps.tick)
    found = largest_persistent(found, small_flow)
    found = _judged_again(look, frames, small_flow, found, steps.tick)
    found = without_shadow(largest_persistent(found, small_flow), frames, small_flow)
    steps.finish()
    return enlarged(found, video.frames)


def find_by_box(
    video: Video, flow: Flow, box: Box, settings: MasksSettings, report: Report
) -> np.ndarray:
    """Return the probability float32 [T, H, W] of the object in ``box`` on one frame."""
    frames, small_flow = reduced(video.frames, flow)
    if not 0 <= box.frame < len(frames):
        raise EngineError(
            Fault.BAD_JOB,
            f"The box is on frame {box.frame}, but the job has {len(frames)} frames, from 0.",
            "Draw the box on a frame of the strip.",
        )
    steps = _Steps(report, len(frames) * (ROUNDS + 2 + SOLID_ROUNDS + REFINED_ROUNDS))
    rectangle = rectangle_of(box, video.source_size, frames.shape[1:3])
    evidence = motion_evidence(
        frames, small_flow, threshold=settings.motion_threshold, tick=steps.tick
    )
    moving = moving_in(evidence[box.frame], rectangle)
    first = cut_by_box(frames[box.frame], rectangle, moving, rounds=settings.grabcut_rounds)
    look = appearance(frames)
    prior = follow(look, {box.frame: first}, small_flow, steps.tick)
    gate = travelling_box(prior, rectangle, box.frame, small_flow)
    prior = prior * np.where(gate, 1.0, OUTSIDE_BOX).astype(np.float32)
    if moving is not None:
        prior = 0.5 * (prior + _prior(evidence) * gate)
    certain = {box.frame: Marks.around(rectangle, first.shape)}
    found = settle(look, prior, small_flow, steps.tick, certain)
    found = largest_persistent(found, small_flow, box.frame)
    found = _judged_again(look, frames, small_flow, found, steps.tick, certain)
    found = largest_persistent(found, small_flow, box.frame)
    steps.finish()
    return enlarged(without_shadow(found, frames, small_flow), video.frames)


def find_by_marks(
    video: Video, flow: Flow, marks: Mapping[int, Marks], settings: MasksSettings, report: Report
) -> np.ndarray:
    """Return the probability float32 [T, H, W] of the object that was painted on some frames."""
    return _by_marks(video, flow, marks, None, settings, report)


def corrected(
    found: np.ndarray,
    video: Video,
    flow: Flow,
    marks: Mapping[int, Marks],
    settings: MasksSettings,
    report: Report,
) -> np.ndarray:
    """Return the probability ``found`` [T, H, W] corrected by what was painted on some frames.

    A correction is carried along the flow and counts less the farther away it is.
    """
    return _by_marks(video, flow, marks, found, settings, report)


def find_by_detector(
    video: Video,
    flow: Flow,
    class_name: str,
    settings: MasksSettings,
    report: Report,
    device: Device,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability [T, H, W] of the lasting object of a class, and where it is seen [T].

    Raises EngineError OBJECT_NOT_FOUND where no frame shows one.
    """
    from .detector import detect  # torch comes only for those who need it

    detections = detect(
        video.frames,
        class_name,
        network=settings.detector,
        least_score=settings.detector_score,
        device=device(),
        report=report,
    )
    if not any(detections):
        raise EngineError(
            Fault.OBJECT_NOT_FOUND,
            f'The detector sees no "{class_name}" in any of the {len(detections)} frames.',
            "Lower the setting masks.detector_score, name another class, or draw a box.",
        )
    return find_by_detections(video, flow, detections, report)


def find_by_detections(
    video: Video, flow: Flow, detections: Detections, report: Report
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability [T, H, W] of the object that is detected most, and where it is [T].

    ``detections`` are, of each frame, scores and probabilities [H, W].
    """
    from .detector import longest_track

    track = longest_track(detections, flow)
    seen = np.isin(np.arange(len(detections)), list(track.masks))
    return _by_keys(video, flow, track.masks, report), seen


def _by_keys(
    video: Video, flow: Flow, keys: Mapping[int, np.ndarray], report: Report
) -> np.ndarray:
    """Carry masks [H, W] of some frames, in [0, 1], to all frames and draw their edges anew."""
    frames, small_flow = reduced(video.frames, flow)
    steps = _Steps(report, len(frames) * (ROUNDS + 2))
    look = appearance(frames)
    small = {frame: shrunk(mask, frames.shape[1:3]) for frame, mask in keys.items()}
    prior = follow(look, small, small_flow, steps.tick)
    found = settle(look, prior, small_flow, steps.tick)
    start = {frame: mask > 0.5 for frame, mask in small.items()}
    return enlarged(persistent(found, small_flow, start), video.frames)


def _by_marks(
    video: Video,
    flow: Flow,
    marks: Mapping[int, Marks],
    base: np.ndarray | None,
    settings: MasksSettings,
    report: Report,
) -> np.ndarray:
    frames, small_flow = reduced(video.frames, flow)
    shape = frames.shape[1:3]
    small = {frame: mark.reduced(shape) for frame, mark in marks.items()}
    base = None if base is None else np.stack([shrunk(one, shape) for one in base])
    rounds = ROUNDS + 2 + len(marks) + SOLID_ROUNDS + REFINED_ROUNDS
    steps = _Steps(report, len(frames) * rounds)
    look = appearance(frames)
    moving = None
    if base is None:
        evidence = motion_evidence(
            frames, small_flow, threshold=settings.motion_threshold, tick=steps.tick
        )
        moving = _prior(evidence) if _marked_moves(evidence, small) else None
    carry = partial(follow, look, flow=small_flow, tick=steps.tick)
    prior = _carried_from_marks(frames, small, base, moving, carry, settings.grabcut_rounds)
    if moving is not None:
        prior = 0.5 * (prior + moving * _reached(prior))
    if base is not None:
        prior = _faded(prior, base, small)
    found = settle(look, prior, small_flow, steps.tick, small)
    start = {frame: found[frame] > 0.5 for frame in small}
    found = persistent(found, small_flow, start)
    if base is None:
        found = _judged_again(look, frames, small_flow, found, steps.tick, small)
        start = {frame: found[frame] > 0.5 for frame in small}
        found = persistent(found, small_flow, start)
    steps.finish()
    return enlarged(found, video.frames)


def _judged_again(
    look: Appearance,
    frames: np.ndarray,
    flow: Flow,
    found: np.ndarray,
    tick: Callable[[], None],
    certain: Mapping[int, Certain] = MappingProxyType({}),
) -> np.ndarray:
    """Take away what only moves along; where nothing does, draw the border by the ground.

    A reflection and a wake differ from the ground as much as the object does.
    """
    solid = judged_solid(look, frames, flow, found, tick, certain)
    return refined(look, frames, flow, found, tick, certain) if solid is found else solid


def _carried_from_marks(
    frames: np.ndarray,
    marks: Mapping[int, Marks],
    base: np.ndarray | None,
    moving: np.ndarray | None,
    carry: Callable[[dict[int, np.ndarray]], np.ndarray],
    rounds: int,
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
        keys[frame] = cut_by_marks(frames[frame], marks[frame], guess, rounds=rounds)
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


def _reached(followed: np.ndarray) -> np.ndarray:
    """Say which pixels [T, H, W] are near enough to the ``followed`` object to belong to it."""
    side = 2 * round(BELONGING_PART * max(followed.shape[1:])) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.stack([cv2.dilate((one > 0.5).astype(np.uint8), kernel) for one in followed])


def _faded(carried: np.ndarray, base: np.ndarray, marks: Mapping[int, Marks]) -> np.ndarray:
    """Mix what was ``carried`` from corrected frames into ``base``, less with each frame."""
    distance = np.abs(np.arange(len(base))[:, None] - np.array(sorted(marks))).min(axis=1)
    share = 0.5 ** (distance / CORRECTION_FADE)
    return share[:, None, None] * carried + (1.0 - share[:, None, None]) * base


def _prior(evidence: np.ndarray) -> np.ndarray:
    """Turn motion evidence into a first probability, with doubts at the frame's border."""
    height, width = evidence.shape[1:]
    rows, columns = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in (height, width))
    depth = np.minimum.outer(rows, columns) / (BORDER_PART * max(height, width))
    trusted = evidence * np.clip(depth, BORDER_TRUST, 1.0)
    strongest = np.percentile(trusted.reshape(len(trusted), -1), 98, axis=1)
    usual = np.median(strongest)
    strongest = np.clip(strongest, 0.5 * usual, 1.5 * usual) + 1e-6
    ratio = np.clip(trusted / strongest[:, None, None], 0.0, 1.0)
    return (1.0 / (1.0 + np.exp((STRONG - ratio) / SLOPE))).astype(np.float32)
