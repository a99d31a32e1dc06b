"""The object that somebody names: found where its class is seen, and by how it moves.

Class activation is coarse and strongest on heads, so it says which of several things is meant, and
where the object is while it rests; motion, colours, the ground and features draw it.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..contract.events import EngineError, Fault, Report
from .components import persistent
from .feature_memory import EmbedFrames
from .flow import Flow
from .frames import Video
from .ground import without_shadow
from .motion import along_the_clip, motion_evidence
from .search import FINAL_ROUNDS, Steps, enlarge, motion_prior, reduce, refine_masks
from .segmentation import ROUNDS, describe_appearance, segment

CORE = 0.5  # of the usual peak that is surely the object
SOFTNESS = 0.1
RESTING = 0.25  # probability of motion within the core below which the object rests
LEAST_RISE = 3.3  # by which activation must rise above what is usual in the clip


def find_by_name(
    video: Video,
    flow: Flow,
    activation: np.ndarray,
    name: str,
    report: Report,
    *,
    embed: EmbedFrames | None,
) -> np.ndarray:
    """Return the probability float32 [T, H, W] of the object that is called ``name``.

    ``activation`` [T, H, W] of that class is of the size of ``video``'s frames. Raises EngineError
    OBJECT_NOT_FOUND where nothing stands out in it.
    """
    frames, small_flow = reduce(video.frames, flow)
    size = frames.shape[2], frames.shape[1]
    small = np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in activation])
    steps = Steps(report, len(frames) * (ROUNDS + 1 + FINAL_ROUNDS))
    seen = _in_peaks(along_the_clip(small, small_flow), name)
    appearance = describe_appearance(frames)
    prior = _first_guess(motion_prior(motion_evidence(frames, small_flow, steps.tick)), seen)
    found = _named_component(segment(appearance, prior, small_flow, steps.tick), seen, small_flow)
    found = refine_masks(appearance, frames, small_flow, found, steps.tick, embed=embed)
    found = _named_component(found, seen, small_flow)
    steps.finish()
    return enlarge(without_shadow(found, frames, small_flow), video.frames)


def _in_peaks(activation: np.ndarray, name: str) -> np.ndarray:
    """Return ``activation`` [T, H, W] as 0 where it is usual and 1 where it is as a rule highest.

    A frame's own peak counts, but not less than half of what is usual.
    """
    usual = float(np.median(activation))
    peaks = np.percentile(activation.reshape(len(activation), -1), 99, axis=1)
    peak = float(np.median(peaks))
    if peak - usual < LEAST_RISE:
        raise EngineError(
            Fault.OBJECT_NOT_FOUND,
            f'Nothing in the frames stands out as "{name}".',
            "Draw a box around the object on one frame, or let it be found automatically.",
        )
    above = np.maximum(peaks, 0.5 * (peak + usual)) - usual
    return ((activation - usual) / above[:, None, None]).astype(np.float32)


def _first_guess(moving: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return what moves, and where the core of what is ``seen`` does not, also this core.

    ``moving`` is motion's probability [T, H, W].
    """
    core = seen > CORE
    inside = (moving * core).sum(axis=(1, 2)) / np.maximum(core.sum(axis=(1, 2)), 1)
    resting = (inside < RESTING)[:, None, None]
    certain = _probability((np.clip(seen, 0.0, 1.2) - CORE) / SOFTNESS)
    return np.where(resting, np.maximum(moving, certain), moving).astype(np.float32)


def _named_component(probability: np.ndarray, seen: np.ndarray, flow: Flow) -> np.ndarray:
    """Keep what is joined through time with the component in which most of the class is seen.

    The frame in which that component is of median size begins: in others it may be in parts.
    """
    found = [_most_seen(frame > 0.5, where) for frame, where in zip(probability, seen, strict=True)]
    start = int(np.argsort([component.sum() for component in found])[len(found) // 2])
    return persistent(probability, flow, {start: found[start]})


def _most_seen(solid: np.ndarray, seen: np.ndarray) -> np.ndarray:
    count, labels = cv2.connectedComponents(solid.astype(np.uint8))
    labels = np.asarray(labels)
    sums = np.bincount(labels.ravel(), np.clip(seen, 0.0, 1.0).ravel(), count)
    sums[0] = 0.0
    return (labels == int(np.argmax(sums))) & solid


def _probability(odds: np.ndarray) -> np.ndarray:
    return (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)
