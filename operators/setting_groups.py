"""Property groups made from the settings' declarations, and the way between them and dataclasses.

A setting is declared once, in `engine.contract.settings`. Knows nothing of strips.
"""

import dataclasses
import typing
from typing import Any

import bpy

from ..engine.contract.codec import from_json
from ..engine.contract.settings import Settings

LABELS = {
    "mlp": "MLP", "cuda": "CUDA", "mps": "MPS", "cpu": "CPU", "xpu": "XPU", "png": "PNG",
    "png16": "PNG, 16 Bit", "exr": "OpenEXR", "ffv1": "FFV1 Movie", "prores": "ProRes 4444 Movie",
    "raft": "RAFT",
}  # fmt: skip


def round_single(value: float) -> float:
    """Undo single precision: six significant digits."""
    return float(f"{value:.6g}")


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
    precision = 4 if facts["advanced"] else 2
    return bpy.props.FloatProperty(
        default=default, precision=precision, subtype=subtype, **limits, **texts
    )


def choice_label(choice: str) -> str:
    """Return what the menu shows for a choice."""
    return LABELS.get(choice, choice.capitalize())


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
            value = round_single(value)
            value = item.default if value == round_single(item.default) else value
        values[item.name] = value
    return kind(**values)


def settings_from(data: dict) -> Settings:
    """Read settings that were written as JSON; raises Refusal where they are not this version's."""
    return from_json(Settings, data, "settings")
