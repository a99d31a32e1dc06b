"""What a strip remembers: its objects, preset and all settings of the engine.

The groups of the settings are made in `setting_groups`, those of the objects in `targets`. Knows
nothing of jobs.
"""

import dataclasses
from typing import Any

import bpy

from ..engine.contract.settings import PRESET_HELP, PRESET_NAMES, PRESETS, preset
from . import targets
from .setting_groups import (
    group_classes,
    read_settings,
    settings_from,
    write_settings,
)
from .targets import OBJECT_SOURCES

__all__ = [
    "OBJECT_SOURCES", "PRESET_ITEMS", "apply_preset", "attach", "detach", "differs_from_preset",
    "of", "read_settings", "settings_from", "write_settings",
]  # fmt: skip

ATTRIBUTE = "strip_stylizer"
DEFAULT_PRESET = "draft"
KEPT_BY_PRESETS = ("seed", "device")
SOURCES = (
    ("automatic", "Automatic", "The strip's media where it has some, else what it displays"),
    ("media", "Strip Media", "The files of the strip, before anything is done to their picture"),
    ("displayed", "As Displayed", "The strip as it is seen; Blender renders it in the background"),
)
PRESET_ITEMS = tuple((name, name.capitalize(), PRESET_HELP[name]) for name in PRESET_NAMES)


def apply_preset(properties: Any, name: str) -> None:
    """Set all settings to those of a preset; seed and device are not a preset's matter."""
    write_settings(properties.settings, _with_kept(properties, name))


def differs_from_preset(properties: Any) -> bool:
    """Has a setting been changed since the preset was chosen?"""
    return read_settings(properties.settings) != _with_kept(properties, properties.preset)


def _with_kept(properties: Any, name: str) -> Any:
    kept = {item: getattr(properties.settings, item) for item in KEPT_BY_PRESETS}
    return dataclasses.replace(preset(name), **kept)


def _preset_chosen(self: Any, context: Any) -> None:
    if self.preset in PRESETS:
        apply_preset(self, self.preset)


SETTINGS_CLASSES: list[type] = []
SettingsGroup = group_classes(preset(DEFAULT_PRESET), SETTINGS_CLASSES)


# --- the first object, as scripts wrote it before there were several -----------------------------


def _first_get(name: str, default: Any) -> Any:
    def read(self: Any) -> Any:
        objects = targets.objects_of(self)
        return getattr(objects[0], name) if objects else default

    return read


def _first_set(name: str) -> Any:
    def write(self: Any, value: Any) -> None:
        targets.ensure(self)
        objects = targets.objects_of(self)
        setattr(objects[0] if objects else targets.add_object(self), name, value)

    return write


def _source_get(self: Any) -> int:
    names = [item[0] for item in OBJECT_SOURCES]
    return names.index(_first_get("object_source", "automatic")(self))


def _source_set(self: Any, value: int) -> None:
    _first_set("object_source")(self, OBJECT_SOURCES[value][0])


def _first(kind: Any, name: str, default: Any, title: str) -> Any:
    words = f"{title} of the first object"
    functions = {"get": _first_get(name, default), "set": _first_set(name)}
    return kind(name=title, description=words, **functions)


TEXT, NUMBER = bpy.props.StringProperty, bpy.props.IntProperty


class STRIPSTYLIZER_PG_strip(bpy.types.PropertyGroup):
    """All that this extension stores on a strip"""

    targets: bpy.props.CollectionProperty(type=targets.STRIPSTYLIZER_PG_target)
    active_target: bpy.props.IntProperty(
        name="Chosen", description="Which of the objects is shown below the list", min=0
    )

    global_text: _first(TEXT, "global_text", "", "Text")
    local_text: _first(TEXT, "local_text", "", "Detail text")
    object_source: bpy.props.EnumProperty(
        name="Object",
        description="How the first object is found",
        items=OBJECT_SOURCES,
        get=_source_get,
        set=_source_set,
    )
    box_frame: _first(NUMBER, "box_frame", 0, "Frame of the box")
    box_x: _first(NUMBER, "box_x", 0, "Left edge of the box")
    box_y: _first(NUMBER, "box_y", 0, "Upper edge of the box")
    box_width: _first(NUMBER, "box_width", 0, "Width of the box")
    box_height: _first(NUMBER, "box_height", 0, "Height of the box")
    mask_folder: _first(TEXT, "mask_folder", "", "Mask folder")

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


CLASSES = (*SETTINGS_CLASSES, *targets.CLASSES, STRIPSTYLIZER_PG_strip)


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
