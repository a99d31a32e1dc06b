"""Masks that only Blender can show, a Mask or another strip, rendered for the engine.

A second Blender renders them, white on black, one picture for each frame of the source strip.
"""

from pathlib import Path
from typing import Any

import bpy

from . import baking, properties, strips, targets
from .job import Rendering


def wanted_renderings(strip: Any) -> tuple[Rendering, ...]:
    """Return which objects of a strip need their mask rendered."""
    found = []
    for number, target in enumerate(targets.objects_of(properties.of(strip))):
        if target.object_source == "mask" and target.mask:
            found.append(Rendering(number, "mask", target.mask.name))
        if target.object_source == "strip":
            found.append(Rendering(number, "strip", target.matte))
    return tuple(found)


def why_not(strip: Any, target: Any) -> str:
    """Say why an object's mask cannot be rendered and what to do, or ''."""
    if target.object_source == "mask":
        return "" if target.mask else f"Choose a mask for {target.name}"
    matte = strip_named(strip.id_data, target.matte)
    if matte is None:
        return f"Choose a strip as mask for {target.name}"
    if matte == strip:
        return f"The mask of {target.name} must be another strip"
    first, last = strips.start(strip), strips.start(strip) + strips.length(strip)
    if strips.start(matte) > first or strips.start(matte) + strips.length(matte) < last:
        return f"The strip {matte.name} must cover frames {first} to {last - 1} to be their mask"
    return ""


def strip_named(scene: Any, name: str) -> Any | None:
    """Return a strip by its name."""
    return next((s for s in strips.all_strips(scene) if name and s.name == name), None)


def start(scene: Any, strip: Any, rendering: Rendering, job_folder: Path) -> baking.Baking:
    """Start to render a mask for all visible frames of ``strip``.

    Raises Unusable where the mask is gone.
    """
    order = {
        "start": strips.start(strip),
        "length": strips.length(strip),
        "size": strips.picture_size(strip),
        "depth": "8",
        "matte": True,
    }
    if rendering.source == "mask":
        return _start_mask(scene, rendering.name, order, job_folder)
    matte = strip_named(scene, rendering.name)
    if matte is None:
        raise strips.Unusable(f"The strip {rendering.name} is gone: choose another mask")
    order |= {"scene": scene.name, "strip": matte.name, "displayed": strips.is_displayed(strip)}
    return baking.launch(order, scene, job_folder)


def _start_mask(scene: Any, name: str, order: dict, job_folder: Path) -> baking.Baking:
    mask = bpy.data.masks.get(name)
    if mask is None:
        raise strips.Unusable(f"The mask {name} is gone: choose another one")
    with strips.mask_strip(mask, scene, order["start"], order["length"]) as strip:
        own = strip.id_data
        order |= {"scene": own.name, "strip": strip.name, "displayed": False}
        return baking.launch(order, own, job_folder)
