"""The coarse object mask of every frame: given, painted, boxed, detected, or found by motion.

Masks are soft and honest: a frame whose mask is missing or was lost is marked unknown, so that
nothing downstream learns "no object" from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..contract.events import EngineError, Fault, Report
from ..contract.job import Footage, MaskKind, ObjectMask
from ..contract.settings import MasksSettings
from ..partial_results import UNSAVED, PartialResults
from .feature_memory import EmbedFrames
from .finders import find_by_box, find_by_detector, find_by_motion
from .flow import Device, Flow, on_processor
from .frames import Video
from .mask_files import read_masks
from .masks_by_name import find_by_name
from .masks_from_strokes import correct, find_by_marks
from .repeatable import repeatable
from .strokes import Marks, draw

LookFor = Callable[[str], np.ndarray]  # how much a named class is seen, [T, H, W]
LEVELS = 51  # steps of a found probability: finer ones would be noise
LEAST_AREA = 0.001  # parts of the frame between which an object is an object
MOST_AREA = 0.95
LOST_PART = 0.1  # a found mask below this part of the usual area has lost the object


@dataclass(frozen=True)
class Masks:
    """``masks`` uint8 [T, H, W], 255 where the object is; ``known`` bool [T].

    ``given`` says that they come from files, so they may be trusted more than found ones.
    """

    masks: np.ndarray
    known: np.ndarray
    given: bool


def find_masks(
    mask: ObjectMask,
    footage: Footage,
    video: Video,
    flow: Flow,
    settings: MasksSettings,
    report: Report,
    *,
    device: Device = on_processor,
    partial: PartialResults = UNSAVED,
    look_for: LookFor | None = None,
    embed: EmbedFrames | None = None,
) -> Masks:
    """Return the object's masks at the working size of ``video``.

    Strokes correct whatever else finds the object, and are obeyed to the pixel. Only a detector
    works on ``device``; frames that it has looked at and that are in ``partial`` are not computed
    again. ``look_for`` gives the activation of a named class at the size of the frames; only names
    need it. ``embed`` gives features of the frames, by which all but detections is corrected.
    Raises EngineError MASKS_UNREADABLE, OBJECT_NOT_FOUND, BAD_JOB, WEIGHTS_UNAVAILABLE or
    ENVIRONMENT, and Stopped.
    """
    with repeatable():
        marks = draw(mask.strokes, video.source_size, video.frames.shape[:3])
        if mask.kind is MaskKind.FILES:
            found = Masks(*read_masks(mask, footage, video, report), given=True)
        else:
            search = _Search(video, flow, settings, marks, report, device, partial, look_for, embed)
            found = search.find(mask)
        found = _obey(found, marks)
    _check_area(found)
    return found


@dataclass(frozen=True)
class _Search:
    """What every way to find an object without files has at hand."""

    video: Video
    flow: Flow
    settings: MasksSettings
    marks: Mapping[int, Marks]
    report: Report
    device: Device
    partial: PartialResults
    look_for: LookFor | None
    embed: EmbedFrames | None

    def find(self, mask: ObjectMask) -> Masks:
        """Return the masks of the object that ``mask`` asks for."""
        video, flow, report, embed = self.video, self.flow, self.report, self.embed
        if mask.kind is MaskKind.STROKES:
            if not any(mark.inside.any() for mark in self.marks.values()):
                raise EngineError(
                    Fault.BAD_JOB,
                    "The mask comes from strokes, but none is on the object.",
                    "Paint a stroke over the object on one frame.",
                )
            return _from_probability(find_by_marks(video, flow, self.marks, report, embed=embed))
        if mask.kind is MaskKind.DETECTOR:
            found, seen = find_by_detector(
                video, flow, mask.class_name, self.settings, report,
                device=self.device, partial=self.partial,
            )  # fmt: skip
            masks = _from_probability(self._correct(found))
            # Frames in which it is not detected stay unknown.
            return replace(masks, known=masks.known & seen)
        if mask.kind is MaskKind.BOX:
            if mask.box is None:
                raise EngineError(
                    Fault.BAD_JOB, "The mask comes from a box, but there is none.", "Draw a box."
                )
            found = find_by_box(video, flow, mask.box, report, embed=embed)
            return _from_probability(self._correct(found))
        if mask.kind is MaskKind.NAME and self.look_for is not None:
            name = mask.class_name
            found = find_by_name(video, flow, self.look_for(name), name, report, embed=embed)
            return _from_probability(self._correct(found))
        return _from_probability(self._correct(find_by_motion(video, flow, report, embed=embed)))

    def _correct(self, probability: np.ndarray) -> np.ndarray:
        if not self.marks:
            return probability
        return correct(probability, self.video, self.flow, self.marks, self.report)


def _obey(found: Masks, marks: Mapping[int, Marks]) -> Masks:
    """Make what was painted certain at the working size."""
    if not marks:
        return found
    masks, known = found.masks.copy(), found.known.copy()
    for frame, mark in marks.items():
        masks[frame] = np.rint(mark.obey(masks[frame] / 255.0) * 255.0).astype(np.uint8)
        known[frame] = True
    return replace(found, masks=masks, known=known)


def visible(masks: Sequence[Masks], index: int) -> tuple[Masks, np.ndarray | None]:
    """Return what is seen of one object, and where the others are, uint8 [T, H, W].

    ``masks`` are those of all objects, from front to back. None where there are no others.
    """
    own, others = masks[index], [*masks[:index], *masks[index + 1 :]]
    if not others:
        return own, None
    shown = own.masks
    for nearer in masks[:index]:
        shown = np.minimum(shown, 255 - nearer.masks)
    return replace(own, masks=shown), np.maximum.reduce([each.masks for each in others])


def no_object(frames: np.ndarray) -> Masks:
    """Return masks that say that ``frames`` [T, H, W, 3] show nothing but background."""
    return Masks(np.zeros(frames.shape[:3], np.uint8), np.ones(len(frames), bool), True)


def save_masks(masks: Masks, folder: Path) -> None:
    """Write ``masks`` into ``folder``."""
    np.savez_compressed(
        folder / "masks.npz", masks=masks.masks, known=masks.known, given=np.array(masks.given)
    )


def load_masks(folder: Path) -> Masks:
    """Read what `save_masks` wrote."""
    with np.load(folder / "masks.npz") as arrays:
        return Masks(arrays["masks"], arrays["known"], bool(arrays["given"]))


def _from_probability(probability: np.ndarray) -> Masks:
    masks = np.rint(np.rint(probability * LEVELS) * (255.0 / LEVELS)).astype(np.uint8)
    areas = (masks > 127).mean(axis=(1, 2))
    return Masks(masks, areas >= max(LEAST_AREA, LOST_PART * float(np.median(areas))), False)


def _check_area(masks: Masks) -> None:
    """Raise OBJECT_NOT_FOUND where most masks are empty, or cover everything.

    Given masks may be empty where the object comes late or leaves: those that are not decide.
    """
    considered = masks.masks[masks.known] if masks.known.any() else masks.masks
    areas = (considered > 127).mean(axis=(1, 2))
    if masks.given and (areas >= LEAST_AREA).any():
        areas = areas[areas >= LEAST_AREA]
    area = float(np.median(areas))
    if LEAST_AREA <= area <= MOST_AREA:
        return
    hint = (
        "Check the masks: the object must be white, the rest black; where it is the other way "
        "round, choose Inverted (--invert-masks)."
        if masks.given
        else "Draw a box around the object on one frame, or give a folder of masks."
    )
    extent = "less than 0.1 %" if area < LEAST_AREA else "more than 95 %"
    raise EngineError(
        Fault.OBJECT_NOT_FOUND,
        f"The masks cover {area:.2%} of a typical frame; {extent} is no object.",
        hint,
    )
