"""A small job out of a whole one: few frames around one, small pictures, few steps.

Knows the contract only; the host decides what to do with its picture.
"""

import dataclasses

from ..engine.contract.job import (
    Box,
    Footage,
    JobSpec,
    MaskKind,
    Stroke,
    TargetObject,
)
from ..engine.contract.settings import Settings, preset, replace_setting

FRAMES = 8
STEPS = 60
SIDE = 192
FEWER = {
    "frames.longest_side": SIDE,
    "decomposition.engine": "grid",
    "decomposition.grid.steps": 60,
    "decomposition.grid.atlas_size": 192,
    "stylization.steps": STEPS,
}


def for_preview(draft: JobSpec, footage: Footage, frame: int) -> tuple[JobSpec, Footage]:
    """Return the request for a look at ``frame``, counted from the strip's start."""
    marked = first_marked(draft)
    chosen = window(len(footage.indices), frame if marked is None else marked)
    objects = tuple(_move(item, chosen) for item in draft.objects)
    shown = tuple(footage.indices[index] for index in chosen)
    spec = dataclasses.replace(draft, objects=objects, settings=quick(draft.settings))
    return spec, dataclasses.replace(footage, indices=shown)


def window(count: int, frame: int) -> range:
    """Return the frames around ``frame`` that a preview looks at."""
    first = min(max(0, frame - FRAMES // 2), max(0, count - FRAMES))
    return range(first, min(count, first + FRAMES))


def first_marked(draft: JobSpec) -> int | None:
    """Return the first frame on which somebody showed where an object is."""
    for item in draft.objects:
        if item.mask.box is not None and item.mask.kind is MaskKind.BOX:
            return item.mask.box.frame
        if item.mask.kind is MaskKind.STROKES:
            return min(stroke.frame for stroke in item.mask.strokes)
    return None


def quick(settings: Settings) -> Settings:
    """Return the draft's settings with fewer steps; seed, device and strength stay."""
    chosen = preset("draft")
    for path, value in FEWER.items():
        chosen = replace_setting(chosen, path, value)
    chosen = replace_setting(chosen, "render.strength", settings.render.strength)
    return dataclasses.replace(
        chosen, seed=settings.seed, device=settings.device, masks=settings.masks
    )


def _move(item: TargetObject, chosen: range) -> TargetObject:
    mask = item.mask
    strokes = tuple(_moved_stroke(s, chosen) for s in mask.strokes if s.frame in chosen)
    box = _moved_box(mask.box, chosen) if mask.box else None
    moved = dataclasses.replace(mask, box=box, strokes=strokes)
    return dataclasses.replace(item, mask=moved, pins=())  # of frames that it does not look at


def _moved_stroke(stroke: Stroke, chosen: range) -> Stroke:
    return dataclasses.replace(stroke, frame=stroke.frame - chosen.start)


def _moved_box(box: Box, chosen: range) -> Box:
    inside = min(max(box.frame, chosen.start), chosen.stop - 1)
    return dataclasses.replace(box, frame=inside - chosen.start)
