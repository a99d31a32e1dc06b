"""What a strip's objects and its background become, and how each object is found.

The property groups, and what they mean as `engine.contract.job` values. Knows nothing of jobs.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy

from ..engine.contract.job import Box, MaskKind, ObjectMask, Pin, Stroke, TargetTexts
from ..engine.contract.words.recognition import noun_of
from . import folders
from .strips.footage import READABLE_IMAGES

OBJECT_SOURCES = (
    ("automatic", "Automatic", "The object is what moves against the background"),
    ("box", "Box", "The object is inside a rectangle on one frame"),
    ("strokes", "Strokes", "The object is what was painted over, on one frame or on several"),
    ("mask", "Mask", "A mask of Blender's, as drawn in the movie clip or image editor"),
    ("strip", "Strip", "Another strip is the mask: white where the object is"),
    ("files", "Mask Files", "The object is white on black images in a folder, or in a movie"),
    ("name", "Name", "The object is what looks like the thing that the text, or you, name"),
    ("detector", "Detector", "A trained detector knows the object by its name"),
)
Spots = dict[int, tuple[float, float]]  # where a pin is, px by frame; the first one counts
RENDERED_SOURCES = ("mask", "strip")
ORDINARY = (
    "name", "global_text", "local_text", "avoid", "picture", "picture_share", "object_source",
    "box_frame", "box_x", "box_y", "box_width", "box_height", "mask_folder", "mask_label",
    "mask_inverted", "matte", "class_name", "object_name",
)  # fmt: skip


class STRIPSTYLIZER_PG_stroke(bpy.types.PropertyGroup):
    """One brush stroke over one frame"""

    frame: bpy.props.IntProperty(min=0)
    points: bpy.props.StringProperty()
    radius: bpy.props.FloatProperty(min=0.5, default=10.0)
    is_object: bpy.props.BoolProperty(default=True)


class STRIPSTYLIZER_PG_pin(bpy.types.PropertyGroup):
    """One spot of the object on several frames: "frame:x,y frame:x,y" """

    spots: bpy.props.StringProperty()


def _is_mask(self: Any, mask: Any) -> bool:
    return len(mask.layers) > 0


class STRIPSTYLIZER_PG_target(bpy.types.PropertyGroup):
    """One object of the footage, or its background"""

    name: bpy.props.StringProperty(name="Name", description="What this object is called here")
    is_background: bpy.props.BoolProperty(options={"HIDDEN"})
    global_text: bpy.props.StringProperty(
        name="Text",
        description="What it becomes, as one would describe a photo of it; empty: it stays as it "
        "is",
        options={"TEXTEDIT_UPDATE"},
    )
    local_text: bpy.props.StringProperty(
        name="Detail Text",
        description="What it looks like from close by; empty for the same text",
        options={"TEXTEDIT_UPDATE"},
    )
    avoid: bpy.props.StringProperty(
        name="Avoid", description="What it should not look like", options={"TEXTEDIT_UPDATE"}
    )
    picture: bpy.props.StringProperty(
        name="Picture",
        description="A picture to look like, beside the texts or in their place",
        subtype="FILE_PATH",
        options=folders.RELATIVE,
    )
    picture_share: bpy.props.FloatProperty(
        name="Picture Share",
        description="How much the picture counts beside the texts",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )
    object_source: bpy.props.EnumProperty(
        name="Found By", description="How the object is found", items=OBJECT_SOURCES
    )
    box_frame: bpy.props.IntProperty(
        name="Frame", description="Frame of the rectangle, counted from the strip's start", min=0
    )
    box_x: bpy.props.IntProperty(
        name="X", description="Left edge of the rectangle in the picture's pixels", subtype="PIXEL"
    )
    box_y: bpy.props.IntProperty(
        name="Y",
        description="Upper edge of the rectangle in the picture's pixels, counted from the top",
        subtype="PIXEL",
    )
    box_width: bpy.props.IntProperty(
        name="Width",
        description="Width of the rectangle in the picture's pixels",
        min=0,
        subtype="PIXEL",
    )
    box_height: bpy.props.IntProperty(
        name="Height",
        description="Height of the rectangle in the picture's pixels",
        min=0,
        subtype="PIXEL",
    )
    strokes: bpy.props.CollectionProperty(type=STRIPSTYLIZER_PG_stroke)
    pins: bpy.props.CollectionProperty(type=STRIPSTYLIZER_PG_pin)
    mask: bpy.props.PointerProperty(
        name="Mask",
        description="The object is inside this mask, which is laid over the strip's picture",
        type=bpy.types.Mask,
        poll=_is_mask,
    )
    matte: bpy.props.StringProperty(
        name="Strip", description="The strip that is white where the object is"
    )
    mask_folder: bpy.props.StringProperty(
        name="Masks",
        description="Folder with the mask images, or a movie; of an image its folder is taken",
        subtype="FILE_PATH",
        options=folders.RELATIVE,
    )
    mask_label: bpy.props.IntProperty(
        name="Object Number",
        description="Which object is meant where the masks label several by numbers or colours; 0 "
        "for the only one",
        min=0,
    )
    mask_inverted: bpy.props.BoolProperty(
        name="Inverted", description="The object is black in the masks, the rest white"
    )
    class_name: bpy.props.StringProperty(
        name="Class", description="What the detector calls the object: person, dog, car, bird"
    )
    object_name: bpy.props.StringProperty(
        name="Object Name",
        description="What the object is, such as dog, car or swan; empty for the thing in the text",
    )


CLASSES = (STRIPSTYLIZER_PG_stroke, STRIPSTYLIZER_PG_pin, STRIPSTYLIZER_PG_target)


# --- the list of a strip -------------------------------------------------------------------------


def ensure(facts: Any) -> None:
    """Give a strip's list its first object and its background, where it has none yet."""
    if not len(facts.targets):
        facts.targets.add().name = "Object"
        background = facts.targets.add()
        background.name, background.is_background = "Background", True


def objects_of(facts: Any) -> list[Any]:
    """Return the objects of a strip, from front to back."""
    return [target for target in facts.targets if not target.is_background]


def background_of(facts: Any) -> Any | None:
    """Return the entry of the background, None where the list has not been made yet."""
    return next((target for target in facts.targets if target.is_background), None)


def active_of(facts: Any) -> Any | None:
    """Return the entry that is chosen in the list."""
    index = facts.active_target
    return facts.targets[index] if 0 <= index < len(facts.targets) else None


def add_object(facts: Any) -> Any:
    """Add an object in front of the background and choose it."""
    ensure(facts)
    place = len(objects_of(facts))
    target = facts.targets.add()
    target.name = f"Object {place + 1}" if place else "Object"
    facts.targets.move(len(facts.targets) - 1, place)
    facts.active_target = place
    return facts.targets[place]


# --- what they mean ------------------------------------------------------------------------------


def read_texts(target: Any) -> TargetTexts:
    """Return what it becomes; lines and blanks are of no matter to the engine."""
    return TargetTexts(
        in_one_line(target.global_text),
        in_one_line(target.local_text),
        in_one_line(target.avoid),
        bpy.path.abspath(target.picture) if target.picture else "",
        float(f"{target.picture_share:.6g}"),
    )


def in_one_line(text: str) -> str:
    """Return a text without line breaks and without blanks around it."""
    return " ".join(text.split())


def read_mask(target: Any) -> ObjectMask:
    """Return how to find the object; what Blender must render first has no folder yet."""
    if target.object_source in RENDERED_SOURCES:
        return ObjectMask(MaskKind.FILES)
    kind = MaskKind(target.object_source)
    if kind is MaskKind.FILES:
        path = masks_at(bpy.path.abspath(target.mask_folder))
        return ObjectMask(kind, path, label=target.mask_label, inverted=target.mask_inverted)
    if kind is MaskKind.BOX:
        corner = (float(target.box_x), float(target.box_y))
        size = (float(target.box_width), float(target.box_height))
        return ObjectMask(kind, box=Box(target.box_frame, *corner, *size))
    if kind is MaskKind.STROKES:
        return ObjectMask(kind, strokes=tuple(read_stroke(item) for item in target.strokes))
    if kind is MaskKind.NAME:
        name = in_one_line(target.object_name) or noun_of(read_texts(target))
        return ObjectMask(kind, class_name=name)
    if kind is MaskKind.DETECTOR:
        return ObjectMask(kind, class_name=target.class_name.strip())
    return ObjectMask(kind)


def masks_at(path: str) -> str:
    """Return a folder or movie of masks; of an image that was chosen its folder."""
    if Path(path).suffix.lower() in READABLE_IMAGES and Path(path).is_file():
        return str(Path(path).parent)
    return path


def read_stroke(stroke: Any) -> Stroke:
    """Return a stored stroke."""
    points = tuple(float(number) for number in stroke.points.split())
    return Stroke(stroke.frame, points, float(f"{stroke.radius:.6g}"), stroke.is_object)


def add_stroke(target: Any, stroke: Stroke) -> None:
    """Store a stroke."""
    item = target.strokes.add()
    item.frame, item.radius, item.is_object = stroke.frame, stroke.radius, stroke.is_object
    item.points = " ".join(f"{number:.1f}" for number in stroke.points)


def read_spots(pin: Any) -> Spots:
    """Return where a stored pin is; what cannot be read is left out."""
    found = re.findall(r"(\d+):(-?[\d.]+),(-?[\d.]+)", pin.spots)
    return {int(frame): (float(x), float(y)) for frame, x, y in found}


def spots_of(target: Any) -> list[Spots]:
    """Return where the pins of an object are, but for those that cannot be read."""
    return [spots for spots in map(read_spots, target.pins) if spots]


def write_pins(target: Any, pins: Iterable[Spots]) -> None:
    """Store pins in the place of those that are there."""
    target.pins.clear()
    for spots in pins:
        target.pins.add().spots = text_of_pin(pin_at(spots))


def text_of_pin(pin: Pin) -> str:
    """Return a pin as it is stored and as recipes keep it."""
    places = zip(pin.frames, pin.points[::2], pin.points[1::2], strict=True)
    return " ".join(f"{frame}:{x:.1f},{y:.1f}" for frame, x, y in places)


def pin_at(spots: Spots) -> Pin:
    """Return a pin as the engine knows it."""
    return Pin(tuple(spots), tuple(number for spot in spots.values() for number in spot))


def read_pins(target: Any) -> tuple[Pin, ...]:
    """Return the pins of an object as the engine knows them, the same as `spots_of`."""
    return tuple(map(pin_at, spots_of(target)))


def pins_of(facts: Any) -> list[tuple[Pin, ...]]:
    """Return the pins of each object of a strip, from front to back."""
    return [read_pins(target) for target in objects_of(facts)]


# --- for the recipe ------------------------------------------------------------------------------


def to_values(target: Any) -> dict:
    """Return all of an entry as plain values that `restore` takes."""
    values: dict = {name: getattr(target, name) for name in ORDINARY}
    values["picture_share"] = float(f"{target.picture_share:.6g}")
    values["mask"] = target.mask.name if target.mask else ""
    values["strokes"] = [
        {"frame": s.frame, "points": s.points, "radius": round(s.radius, 3), "object": s.is_object}
        for s in target.strokes
    ]
    values["pins"] = [item.spots for item in target.pins]
    return values


def restore(target: Any, values: dict) -> None:
    """Write into an entry what `to_values` returned; what is not known is left out."""
    for name in ORDINARY:
        if name in values:
            setattr(target, name, values[name])
    target.mask = bpy.data.masks.get(values.get("mask", ""))
    target.strokes.clear()
    for stroke in values.get("strokes", ()):
        item = target.strokes.add()
        item.frame, item.points = stroke["frame"], stroke["points"]
        item.radius, item.is_object = stroke["radius"], stroke["object"]
    target.pins.clear()
    for spots in values.get("pins", ()):
        target.pins.add().spots = spots


def restore_all(facts: Any, objects: list[dict], background: dict) -> None:
    """Replace a strip's whole list."""
    facts.targets.clear()
    ensure(facts)
    for number, values in enumerate(objects):
        restore(facts.targets[0] if number == 0 else add_object(facts), values)
    entry = background_of(facts)
    restore(entry, background)
    entry.name, facts.active_target = "Background", 0
