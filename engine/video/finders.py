"""Masks that nobody drew: found by motion, from one box, or by a detector.

Searching happens on small pictures; the answer is brought to the working size along its edges.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..contract.events import EngineError, Fault, Report
from ..contract.job import ANYTHING, Box
from ..contract.settings import MasksSettings
from ..partial_results import UNSAVED, PartialResults
from .boxes import cut_by_box, moving_in, rectangle_of, travelling_box
from .components import largest_persistent, persistent
from .feature_memory import EmbedFrames
from .flow import Device, Flow
from .frames import Video
from .ground import without_shadow
from .motion import motion_evidence
from .rests import REST_ROUNDS, through_rests
from .search import FINAL_ROUNDS, Steps, enlarge, motion_prior, reduce, refine_masks
from .segmentation import ROUNDS, describe_appearance, follow, segment
from .strokes import Marks, shrunk

if TYPE_CHECKING:
    from .detector import Detections

OUTSIDE_BOX = 0.1  # what is left of the probability outside the travelling box


def find_by_motion(
    video: Video, flow: Flow, report: Report, *, embed: EmbedFrames | None
) -> np.ndarray:
    """Return the probability float32 [T, H, W] of the object that moves against the background."""
    frames, small_flow = reduce(video.frames, flow)
    steps = Steps(report, len(frames) * (ROUNDS + 1 + REST_ROUNDS + FINAL_ROUNDS))
    evidence = motion_evidence(frames, small_flow, steps.tick)
    appearance = describe_appearance(frames)
    prior = motion_prior(evidence)
    found = largest_persistent(segment(appearance, prior, small_flow, steps.tick), small_flow)
    found, best = through_rests(
        appearance, found, evidence, small_flow, prior=prior, tick=steps.tick
    )
    if best is not None:
        found = largest_persistent(found, small_flow, best)
    found = refine_masks(appearance, frames, small_flow, found, steps.tick, embed=embed)
    found = without_shadow(largest_persistent(found, small_flow, best), frames, small_flow)
    steps.finish()
    return enlarge(found, video.frames)


def find_by_box(
    video: Video, flow: Flow, box: Box, report: Report, *, embed: EmbedFrames | None
) -> np.ndarray:
    """Return the probability float32 [T, H, W] of the object in ``box`` on one frame."""
    frames, small_flow = reduce(video.frames, flow)
    if not 0 <= box.frame < len(frames):
        raise EngineError(
            Fault.BAD_JOB,
            f"The box is on frame {box.frame}, but the job has {len(frames)} frames, from 0.",
            "Draw the box on a frame of the strip.",
        )
    steps = Steps(report, len(frames) * (ROUNDS + 2 + FINAL_ROUNDS))
    rectangle = rectangle_of(box, video.source_size, frames.shape[1:3])
    evidence = motion_evidence(frames, small_flow, steps.tick)
    moving = moving_in(evidence[box.frame], rectangle)
    first = cut_by_box(frames[box.frame], rectangle, moving)
    appearance = describe_appearance(frames)
    prior = follow(appearance, {box.frame: first}, small_flow, steps.tick)
    gate = travelling_box(prior, rectangle, box.frame, small_flow)
    prior = prior * np.where(gate, 1.0, OUTSIDE_BOX).astype(np.float32)
    if moving is not None:
        prior = 0.5 * (prior + motion_prior(evidence) * gate)
    certain = {box.frame: Marks.around(rectangle, first.shape)}
    found = segment(appearance, prior, small_flow, steps.tick, certain)
    found = largest_persistent(found, small_flow, box.frame)
    found = refine_masks(
        appearance, frames, small_flow, found, steps.tick, certain=certain, embed=embed
    )
    found = largest_persistent(found, small_flow, box.frame)
    steps.finish()
    return enlarge(without_shadow(found, frames, small_flow), video.frames)


def find_by_detector(
    video: Video,
    flow: Flow,
    class_name: str,
    settings: MasksSettings,
    report: Report,
    *,
    device: Device,
    partial: PartialResults = UNSAVED,
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
        partial=partial,
    )
    if not any(detections):
        sees = "nothing that it knows" if class_name == ANYTHING else f'no "{class_name}"'
        raise EngineError(
            Fault.OBJECT_NOT_FOUND,
            f"The detector sees {sees} in any of the {len(detections)} frames.",
            "Draw a box, name another class, lower the setting masks.detector_score, or set "
            "masks.finder to motion where nothing was named.",
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
    frames, small_flow = reduce(video.frames, flow)
    steps = Steps(report, len(frames) * (ROUNDS + 2))
    appearance = describe_appearance(frames)
    small = {frame: shrunk(mask, frames.shape[1:3]) for frame, mask in keys.items()}
    prior = follow(appearance, small, small_flow, steps.tick)
    found = segment(appearance, prior, small_flow, steps.tick)
    start = {frame: mask > 0.5 for frame, mask in small.items()}
    return enlarge(persistent(found, small_flow, start), video.frames)
