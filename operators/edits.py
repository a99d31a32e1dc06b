"""Changes by hand become takes: pictures on a surface, painted atlases from files, on and off."""

import dataclasses
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ..engine.contract import codec, files
from ..engine.contract.job import ANY, BACKGROUND, Blend, Edit, EditKind, JobSpec
from . import folders, layers, session, starting, strips
from .explaining import FileOperator
from .layers import LayersOperator, start_from

BLENDS = (
    ("over", "Over", "The picture covers what is below it"),
    ("multiply", "Multiply", "The picture darkens what is below it, like a glaze"),
    ("screen", "Screen", "The picture lightens what is below it"),
)
CHANGES = (
    (
        "grade",
        "Grade",
        "Multiply the layer's light by a colour, and make it more or less colourful",
    ),
    ("blur", "Blur", "Blur the layer; nothing else runs into it"),
    ("removal", "Remove", "Cover the object with the background, as other frames show it"),
    ("matte", "Matte", "Show where the layer is, white on black"),
)
MISSING = "Press Prepare Layers first: there is no atlas of this strip yet"


def edits_of(recipe: dict) -> tuple[Edit, ...]:
    """Return the changes by hand that a recipe lists; what cannot be read is none."""
    try:
        return tuple(codec.from_json(Edit, item, "edit") for item in recipe.get("edits", ()))
    except (codec.Refusal, TypeError):
        return ()


def start_take(strip: Any, change: Callable[[tuple[Edit, ...]], tuple[Edit, ...]]) -> session.Job:
    """Start a job whose take has the edits that ``change`` makes of those there are."""

    def change_edits(spec: JobSpec) -> JobSpec:
        spec = dataclasses.replace(spec, edits=change(spec.edits), layers=None, until=None)
        if spec.needs_texts and not spec.targets:
            raise strips.Unusable("Without this edit there is only the source: show that instead")
        return spec

    return start_from(strip, change_edits, output=starting.output_of(""))


class STRIPSTYLIZER_OT_atlas_import(FileOperator, LayersOperator, bpy.types.Operator):
    """Take a painted atlas from a file; what was changed in it follows the object in all frames"""

    bl_idname = "strip_stylizer.atlas_import"
    bl_label = "Import Atlas"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(
        name="File", description="The painted atlas", subtype="FILE_PATH", options=folders.RELATIVE
    )
    layer: bpy.props.IntProperty(
        name="Layer",
        description="Number of the object whose atlas it is, from 0 in front; -1: the background",
        default=0,
        min=BACKGROUND,
    )

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be no atlas to compare with."""
        if reason := super().why_disabled(context):
            return reason
        is_there = layers.layers_job(strips.active_strip(context)) is not None
        return "" if is_there else "Press Prepare Layers first: there is no atlas of this strip yet"

    def start(self, context: Any) -> list[session.Job]:
        """Start the job of the take."""
        strip = strips.active_strip(context)
        path = existing(self.filepath)
        return [start_take(strip, lambda there: (*there, atlas_edit(strip, self.layer, path)))]


def atlas_edit(strip: Any, number: int, path: str) -> Edit:
    """Return the edit for a painted atlas of a strip's layer, compared with that of the package.

    The package's is copied to where it stays. Raises Unusable where there is none, and OSError.
    """
    job = layers.layers_job(strip)
    package = layers.package_of(job) if job else None
    found = [each for each in package.layers if each.layer == number] if package else []
    if job is None or not found:
        raise strips.Unusable(MISSING)
    before = new_folder() / "before.png"
    shutil.copyfile(job.folder.layers / found[0].atlas, before)
    return Edit(EditKind.ATLAS, path, str(before), number, stylized=found[0].stylized)


def new_folder() -> Path:
    """Return a new folder for the pictures of an edit; raises OSError."""
    return files.private_folder(folders.edits() / uuid.uuid4().hex[:12])


class STRIPSTYLIZER_OT_picture_place(FileOperator, LayersOperator, bpy.types.Operator):
    """Lay a picture over the surface on one frame; it follows in all others"""

    bl_idname = "strip_stylizer.picture_place"
    bl_label = "Place Picture"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(
        name="Picture",
        description="The picture; where it is transparent nothing changes",
        subtype="FILE_PATH",
        options=folders.RELATIVE,
    )
    frame: bpy.props.IntProperty(
        name="Frame", description="Frame of the strip on which it lies there, from 0", min=0
    )
    corners: bpy.props.FloatVectorProperty(
        name="Corners",
        description="Where its corners lie in pixels, the upper left one first, clockwise: "
        "x, y, x, y and so on",
        size=8,
    )
    layer: bpy.props.IntProperty(
        name="Layer",
        description="Number of the object, from 0 in front; -1: the background; -2: what lies "
        "there",
        default=ANY,
        min=ANY,
    )
    blend: bpy.props.EnumProperty(name="Blend", description="How it is laid over", items=BLENDS)
    opacity: bpy.props.FloatProperty(
        name="Opacity", description="How much of it is seen", default=1.0, min=0.0, max=1.0
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Let the user choose the picture, where the caller has not."""
        if self.filepath:
            return self.execute(context)
        return super().invoke(context, event)

    def execute(self, context: Any) -> set[str]:
        """Let the user drag the picture into its place, where the caller has not said where."""
        if any(self.corners) or bpy.app.background:
            return super().execute(context)
        bpy.ops.strip_stylizer.picture_drag("INVOKE_DEFAULT", filepath=self.filepath)
        return {"FINISHED"}

    def start(self, context: Any) -> list[session.Job]:
        """Start the job of the take."""
        edit = Edit(
            EditKind.PICTURE, existing(self.filepath), layer=self.layer, frame=self.frame,
            corners=tuple(self.corners), blend=Blend(self.blend), opacity=self.opacity,
        )  # fmt: skip
        return [start_take(strips.active_strip(context), lambda there: (*there, edit))]


class STRIPSTYLIZER_OT_layer_change(LayersOperator, bpy.types.Operator):
    """Make a take with a whole layer changed, without a text"""

    bl_idname = "strip_stylizer.layer_change"
    bl_label = "Change Layer"
    bl_options = {"REGISTER"}

    change: bpy.props.EnumProperty(name="Change", description="What is done", items=CHANGES)
    layer: bpy.props.IntProperty(
        name="Layer",
        description="Number of the object, from 0 in front; -1: the background",
        default=0,
        min=BACKGROUND,
    )
    factor: bpy.props.FloatVectorProperty(
        name="Factor",
        description="What the layer's light is multiplied by",
        size=3,
        default=(1.0, 1.0, 1.0),
        min=0.0,
        soft_max=4.0,
        subtype="COLOR",
    )
    saturation: bpy.props.FloatProperty(
        name="Saturation", description="1 as it is, 0 grey", default=1.0, min=0.0, soft_max=2.0
    )
    radius: bpy.props.FloatProperty(
        name="Radius", description="Of the blur, in pixels", default=8.0, min=0.1, max=500.0
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask for the numbers, where there are some."""
        if self.change in ("grade", "blur"):
            return context.window_manager.invoke_props_dialog(self)
        return self.execute(context)

    def draw(self, context: Any) -> None:
        """Show the numbers of this change alone."""
        names = ("radius",) if self.change == "blur" else ("factor", "saturation")
        for name in names:
            self.layout.prop(self, name)

    def start(self, context: Any) -> list[session.Job]:
        """Start the job of the take."""
        edit = Edit(EditKind(self.change), layer=self.layer)
        if edit.kind is EditKind.GRADE:
            edit = dataclasses.replace(edit, factor=tuple(self.factor), saturation=self.saturation)
        elif edit.kind is EditKind.BLUR:
            edit = dataclasses.replace(edit, radius=self.radius)
        return [start_take(strips.active_strip(context), lambda there: (*there, edit))]


class STRIPSTYLIZER_OT_edit_switch(LayersOperator, bpy.types.Operator):
    """Make a take with this change by hand switched off, or on again"""

    bl_idname = "strip_stylizer.edit_switch"
    bl_label = "Switch Edit"
    bl_options = {"REGISTER"}

    number: bpy.props.IntProperty(
        name="Number", description="Which of the take's edits, from 0", min=0
    )

    def start(self, context: Any) -> list[session.Job]:
        """Start the job of the take."""

        def switch(there: tuple[Edit, ...]) -> tuple[Edit, ...]:
            if self.number >= len(there):
                raise strips.Unusable("The take has no such edit: choose another one")
            return tuple(
                dataclasses.replace(each, enabled=each.enabled != (number == self.number))
                for number, each in enumerate(there)
            )

        return [start_take(strips.active_strip(context), switch)]


CLASSES = (
    STRIPSTYLIZER_OT_atlas_import,
    STRIPSTYLIZER_OT_picture_place,
    STRIPSTYLIZER_OT_layer_change,
    STRIPSTYLIZER_OT_edit_switch,
)


def existing(path: str) -> str:
    """Return the whole path of a file; raises Unusable where it is not there."""
    if path.startswith("//") and not bpy.data.filepath:
        raise strips.Unusable("Save the file first: the picture's path counts from its folder")
    whole = Path(bpy.path.abspath(path)).absolute() if path else None
    if whole is None or not whole.is_file():
        raise strips.Unusable(f"The picture {path} is not there: choose another one")
    return str(whole)
