"""What a strip remembers: texts, object source, preset and all settings of the engine.

The property groups of the settings are generated from `engine.contract.settings`, so that a
setting is declared once. Knows nothing of jobs.
"""

import dataclasses
import typing
from typing import Any

import bpy

from ..engine.contract.codec import from_json
from ..engine.contract.job import Box, MaskKind, ObjectMask, TargetTexts
from ..engine.contract.settings import (
    PRESET_HELP,
    PRESET_NAMES,
    PRESETS,
    Settings,
    preset,
)

ATTRIBUTE = "strip_stylizer"
DEFAULT_PRESET = "draft"
KEPT_BY_PRESETS = ("seed", "device")

OBJECT_SOURCES = (
    ("automatic", "Automatic", "The object is what moves against the background"),
    ("box", "Box", "The object is inside a rectangle on one frame"),
    ("files", "Mask Files", "The object is white on black images in a folder, one for each frame"),
)
SOURCES = (
    ("automatic", "Automatic", "The strip's media where it has some, else what it displays"),
    ("media", "Strip Media", "The files of the strip, before anything is done to their picture"),
    ("displayed", "As Displayed", "The strip as it is seen; Blender renders it in the background"),
)
PRESET_ITEMS = tuple((name, name.capitalize(), PRESET_HELP[name]) for name in PRESET_NAMES)


def rounded(value: float) -> float:
    """Undo single precision: six significant digits."""
    return float(f"{value:.6g}")


# --- settings: generated -------------------------------------------------------------------------


def setting_property(item: dataclasses.Field, hint: type, default: Any) -> Any:
    """Return the Blender property of one setting."""
    facts = item.metadata
    texts = {"name": facts["label"], "description": facts["help"]}
    if facts["choices"]:
        items = [(choice, choice_label(choice), "") for choice in facts["choices"]]
        return bpy.props.EnumProperty(items=items, default=default, **texts)
    if hint is str:
        return bpy.props.StringProperty(default=default, **texts)
    if hint is bool:
        return bpy.props.BoolProperty(default=default, **texts)
    limits = {"min": facts["low"], "max": facts["high"]}
    limits = {name: limit for name, limit in limits.items() if limit is not None}
    subtype = "PIXEL" if facts["unit"] == "px" else "NONE"
    if hint is int:
        return bpy.props.IntProperty(default=default, subtype=subtype, **limits, **texts)
    return bpy.props.FloatProperty(default=default, precision=4, subtype=subtype, **limits, **texts)


def choice_label(choice: str) -> str:
    """Return what the menu shows for a choice."""
    return {"mlp": "MLP", "cuda": "CUDA", "mps": "MPS", "cpu": "CPU"}.get(
        choice, choice.capitalize()
    )


def group_classes(values: Any, classes: list[type]) -> type:
    """Append the property group for the dataclass of ``values`` to ``classes``, inner ones first.

    ``values`` holds the defaults.
    """
    kind = type(values)
    hints = typing.get_type_hints(kind)
    annotations = {}
    for item in dataclasses.fields(kind):
        value = getattr(values, item.name)
        if dataclasses.is_dataclass(value):
            inner = group_classes(value, classes)
            annotations[item.name] = bpy.props.PointerProperty(type=inner)
        else:
            annotations[item.name] = setting_property(item, hints[item.name], value)
    name = f"STRIPSTYLIZER_PG_{kind.__name__}"
    group = type(name, (bpy.types.PropertyGroup,), {"__annotations__": annotations})
    classes.append(group)
    return group


def write_settings(group: Any, settings: Any) -> None:
    """Copy a settings dataclass into its property group."""
    for item in dataclasses.fields(settings):
        value = getattr(settings, item.name)
        if dataclasses.is_dataclass(value):
            write_settings(getattr(group, item.name), value)
        else:
            setattr(group, item.name, value)


def read_settings(group: Any, kind: type = Settings) -> Any:
    """Read a settings dataclass from its property group.

    A float that single precision cannot tell from its default is the default: a job from the
    panel and the same job from a script are then the same job.
    """
    hints = typing.get_type_hints(kind)
    values = {}
    for item in dataclasses.fields(kind):
        value = getattr(group, item.name)
        if dataclasses.is_dataclass(hints[item.name]):
            value = read_settings(value, hints[item.name])
        elif hints[item.name] is float:
            value = rounded(value)
            value = item.default if value == rounded(item.default) else value
        values[item.name] = value
    return kind(**values)


def settings_from(data: dict) -> Settings:
    """Read settings that were written as JSON; raises Refusal where they are not this version's."""
    return from_json(Settings, data, "settings")


def apply_preset(properties: Any, name: str) -> None:
    """Set all settings to those of a preset; seed and device are not a preset's matter."""
    chosen = preset(name)
    kept = {item: getattr(properties.settings, item) for item in KEPT_BY_PRESETS}
    write_settings(properties.settings, dataclasses.replace(chosen, **kept))


def differs_from_preset(properties: Any) -> bool:
    """Has a setting been changed since the preset was chosen?"""
    kept = {item: getattr(properties.settings, item) for item in KEPT_BY_PRESETS}
    chosen = dataclasses.replace(preset(properties.preset), **kept)
    return read_settings(properties.settings) != chosen


def _preset_chosen(self: Any, context: Any) -> None:
    if self.preset in PRESETS:
        apply_preset(self, self.preset)


SETTINGS_CLASSES: list[type] = []
SettingsGroup = group_classes(preset(DEFAULT_PRESET), SETTINGS_CLASSES)


# --- what else a strip remembers -----------------------------------------------------------------


class STRIPSTYLIZER_PG_strip(bpy.types.PropertyGroup):
    """All that this extension stores on a strip"""

    global_text: bpy.props.StringProperty(
        name="Text",
        description="What the object becomes, as one would describe a photo of it",
        options={"TEXTEDIT_UPDATE"},
    )
    local_text: bpy.props.StringProperty(
        name="Detail Text",
        description="What the object looks like from close by; empty for the same text",
        options={"TEXTEDIT_UPDATE"},
    )
    object_source: bpy.props.EnumProperty(
        name="Object", description="How the object is found", items=OBJECT_SOURCES
    )
    box_frame: bpy.props.IntProperty(
        name="Frame", description="Frame of the rectangle, counted from the strip's start", min=0
    )
    box_x: bpy.props.IntProperty(
        name="X", description="Left edge of the rectangle in the media's pixels", subtype="PIXEL"
    )
    box_y: bpy.props.IntProperty(
        name="Y",
        description="Upper edge of the rectangle in the media's pixels, counted from the top",
        subtype="PIXEL",
    )
    box_width: bpy.props.IntProperty(
        name="Width",
        description="Width of the rectangle in the media's pixels",
        min=0,
        subtype="PIXEL",
    )
    box_height: bpy.props.IntProperty(
        name="Height",
        description="Height of the rectangle in the media's pixels",
        min=0,
        subtype="PIXEL",
    )
    mask_folder: bpy.props.StringProperty(
        name="Masks", description="Folder with the mask images", subtype="DIR_PATH"
    )
    preset: bpy.props.EnumProperty(
        name="Preset",
        description="Sets all settings at once",
        items=PRESET_ITEMS,
        default=DEFAULT_PRESET,
        update=_preset_chosen,
    )
    settings: bpy.props.PointerProperty(type=SettingsGroup)
    source: bpy.props.EnumProperty(name="Read", description="What is stylized", items=SOURCES)
    seen_last: bpy.props.BoolProperty(options={"HIDDEN"})
    strip_id: bpy.props.StringProperty(options={"HIDDEN"})
    job_id: bpy.props.StringProperty(options={"HIDDEN"})
    source_id: bpy.props.StringProperty(options={"HIDDEN"})
    result_of: bpy.props.StringProperty(options={"HIDDEN"})


CLASSES = (*SETTINGS_CLASSES, STRIPSTYLIZER_PG_strip)


def strip_type() -> type:
    """Return Blender's base type of strips: it was renamed after 4.3."""
    return getattr(bpy.types, "Strip", None) or bpy.types.Sequence


def attach() -> None:
    """Give every strip its properties; the classes are registered before."""
    setattr(strip_type(), ATTRIBUTE, bpy.props.PointerProperty(type=STRIPSTYLIZER_PG_strip))


def detach() -> None:
    """Take the properties away again; what files have stored stays in them."""
    if hasattr(strip_type(), ATTRIBUTE):
        delattr(strip_type(), ATTRIBUTE)


def of(strip: Any) -> Any:
    """Return this extension's properties of a strip."""
    return getattr(strip, ATTRIBUTE)


def read_texts(properties: Any) -> TargetTexts:
    """Return the two texts without blanks around them."""
    return TargetTexts(properties.global_text.strip(), properties.local_text.strip())


def read_mask(properties: Any) -> ObjectMask:
    """Return how to find the object."""
    kind = MaskKind(properties.object_source)
    if kind is MaskKind.FILES:
        return ObjectMask(kind, path=bpy.path.abspath(properties.mask_folder))
    if kind is MaskKind.BOX:
        corner = (float(properties.box_x), float(properties.box_y))
        size = (float(properties.box_width), float(properties.box_height))
        return ObjectMask(kind, box=Box(properties.box_frame, *corner, *size))
    return ObjectMask(kind)
