"""Painting in Blender's Image Editor: an atlas or a frame opens there, Apply Edits makes a take."""

import json
import shutil
import time
import uuid
from pathlib import Path
from typing import Any

import bpy

from ..engine.contract.job import ANY, BACKGROUND, Edit, EditKind
from ..engine.contract.layers import PackageLayer
from . import edits, layers, properties, session, strips

KEY = "strip_stylizer_painting"


class PaintOperator(layers.LayersOperator):
    """What both ways to paint share: a package with pictures, and the Image Editor."""

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be nothing to paint on."""
        if reason := super().why_disabled(context):
            return reason
        is_there = layers.layers_job(strips.active_strip(context), painting=True) is not None
        return "" if is_there else "Press Prepare Layers first: there is nothing to paint on yet"

    def execute(self, context: Any) -> set[str]:
        """Open a copy of the picture."""
        strip = strips.active_strip(context)
        job = layers.layers_job(strip, painting=True)
        package = layers.package_of(job) if job else None
        try:
            if job is None or package is None:
                raise strips.Unusable(edits.MISSING)
            name, what = self.choose(context, strip, package)
            image = open_copy(job.folder.layers / name, strip, what)
        except (strips.Unusable, OSError, RuntimeError) as error:
            self.report({"ERROR"}, f"{error}.")
            return {"CANCELLED"}
        show(context, image)
        self.report({"INFO"}, "Paint, then press Apply Edits")
        return {"FINISHED"}


class STRIPSTYLIZER_OT_atlas_edit(PaintOperator, bpy.types.Operator):
    """Open the atlas of a layer in an Image Editor to paint on it"""

    bl_idname = "strip_stylizer.atlas_edit"
    bl_label = "Edit Atlas"
    bl_options = {"REGISTER"}

    layer: bpy.props.IntProperty(
        name="Layer",
        description="Number of the object, from 0 in front; -1: the background",
        default=0,
        min=BACKGROUND,
    )

    def choose(self, context: Any, strip: Any, package: Any) -> tuple[str, dict]:
        """Return the atlas's file and what it is."""
        found = [each for each in package.layers if each.layer == self.layer]
        if not found:
            raise strips.Unusable("There is no such layer: choose another one")
        layer: PackageLayer = found[0]
        return layer.atlas, {"kind": "atlas", "layer": layer.layer, "stylized": layer.stylized}


class STRIPSTYLIZER_OT_frame_paint(PaintOperator, bpy.types.Operator):
    """Open the current frame in an Image Editor; what is painted on it follows in all others"""

    bl_idname = "strip_stylizer.frame_paint"
    bl_label = "Paint Frame"
    bl_options = {"REGISTER"}

    def choose(self, context: Any, strip: Any, package: Any) -> tuple[str, dict]:
        """Return the frame's file and which one it is."""
        frame = layers.frame_of(strip, strips.sequencer_scene(context).frame_current)
        if frame is None or frame >= len(package.plates):
            raise strips.Unusable(f"Go to a frame that {strip.name} shows first")
        return package.plates[frame], {"kind": "frame", "frame": frame}


class STRIPSTYLIZER_OT_edits_apply(layers.LayersOperator, bpy.types.Operator):
    """Make a take of what was painted on the atlas or the frame"""

    bl_idname = "strip_stylizer.edits_apply"
    bl_label = "Apply Edits"
    bl_options = {"REGISTER"}

    image: bpy.props.StringProperty(
        name="Image", description="Name of the painted image; empty for the last one of the strip"
    )

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be no picture that was opened for this strip."""
        if reason := super().why_disabled(context):
            return reason
        is_there = painted_images(strips.active_strip(context))
        return "" if is_there else "Press Edit Atlas or Paint Frame first, and paint"

    def start(self, context: Any) -> list[session.Job]:
        """Save the picture as it is and start the job of the take."""
        strip = strips.active_strip(context)
        there = painted_images(strip)
        image = next((each for each in there if each.name == self.image), there[-1])
        return [edits.start_take(strip, lambda before: (*before, edit_of(image, strip)))]


CLASSES = (
    STRIPSTYLIZER_OT_atlas_edit,
    STRIPSTYLIZER_OT_frame_paint,
    STRIPSTYLIZER_OT_edits_apply,
)


def open_copy(path: Path, strip: Any, what: dict) -> Any:
    """Load a copy of a picture to paint on, which remembers ``what`` it is; return the image.

    Where it is open already it stays as it was painted. Raises OSError or RuntimeError.
    """
    owner = properties.of(strip).result_of or properties.of(strip).strip_id
    facts = {**what, "owner": owner, "from": str(path)}
    for image in painted_images(strip):
        if _facts_of(image)["from"] == str(path):
            return image
    folder = edits.new_folder()
    before, copy = folder / f"before{path.suffix}", folder / f"painted{path.suffix}"
    shutil.copyfile(path, before)
    shutil.copyfile(path, copy)
    image = bpy.data.images.load(str(copy))
    image.alpha_mode = "NONE"  # Blender saves other colours where a deep picture is transparent
    image.name = f"{strip.name} {path.stem}"
    image.use_fake_user = True
    image[KEY] = json.dumps({**facts, "before": str(before), "opened": time.time()})
    return image


def painted_images(strip: Any) -> list[Any]:
    """Return the pictures that were opened to be painted for a strip, the last one last."""
    own = properties.of(strip)
    owner = own.result_of or own.strip_id
    found = [image for image in bpy.data.images if _facts_of(image).get("owner") == owner]
    return sorted((i for i in found if owner), key=lambda image: _facts_of(image)["opened"])


def _facts_of(image: Any) -> dict:
    try:
        facts = json.loads(image.get(KEY, "{}"))
    except (TypeError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def edit_of(image: Any, strip: Any) -> Edit:
    """Save a painted picture where nothing changes it any more, and return the edit that it is.

    Raises Unusable where it cannot be saved.
    """
    facts = _facts_of(image)
    own = Path(bpy.path.abspath(image.filepath_raw))
    try:
        if image.is_dirty:
            image.save()
        painted = own.with_name(f"{uuid.uuid4().hex[:12]}{own.suffix}")
        shutil.copyfile(own, painted)
    except (OSError, RuntimeError) as error:
        message = f"The picture {image.name} cannot be saved: {error}"
        raise strips.Unusable(message.rstrip(".\n")) from error
    if facts["kind"] == "frame":
        place = {"frame": facts["frame"], "layer": ANY}
        return Edit(EditKind.FRAME, str(painted), facts["before"], **place)
    return Edit(
        EditKind.ATLAS, str(painted), facts["before"], facts["layer"], stylized=facts["stylized"]
    )


def show(context: Any, image: Any, mode: str = "PAINT") -> None:
    """Show a picture in an Image Editor, to paint or to view; in a window where none is."""
    if bpy.app.background:
        return
    areas = [area for area in context.screen.areas if area.type == "IMAGE_EDITOR"]
    if not areas:
        bpy.ops.wm.window_new()
        areas = [context.window_manager.windows[-1].screen.areas[0]]
        areas[0].type = "IMAGE_EDITOR"
    space = areas[0].spaces.active
    space.image = image
    space.ui_mode = mode
    areas[0].tag_redraw()
