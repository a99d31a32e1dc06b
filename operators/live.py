"""Live takes: layers that Blender's own nodes put together in the timeline, and their frames."""

import dataclasses
from pathlib import Path
from typing import Any

import bpy

from ..engine.contract.job import JobSpec, LayerFiles
from . import folders, layers, node_groups, properties, session, starting, strips
from .explaining import FileOperator

PICTURES = LayerFiles(frames=False, live=True)


def why_no_live() -> str:
    """Say why this Blender has no live takes and what to do instead; or ''."""
    if bpy.app.version >= (5, 0):
        return ""
    return "Strips have nodes from Blender 5.0 on: use Layer Nodes, for a scene's compositor"


class STRIPSTYLIZER_OT_live_take(layers.LayersOperator, bpy.types.Operator):
    """Put the layers into the timeline as strips with nodes: what they show can then be animated"""

    bl_idname = "strip_stylizer.live_take"
    bl_label = "Live Take"
    bl_options = {"REGISTER"}

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """This Blender may have no nodes in strips, or the strip no layers."""
        return why_no_live() or super().why_disabled(context)

    def start(self, context: Any) -> list[session.Job]:
        """Start the job that writes the pictures which the strips show."""

        def change(spec: JobSpec) -> JobSpec:
            return dataclasses.replace(spec, layers=PICTURES, until=None)

        return [layers.start_from(strips.active_strip(context), change, kind=session.Kind.LIVE)]


class LiveOperator(starting.StartOperator):
    """What operators on a live take share."""

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """No live take may be active whose source is in this file."""
        strip = strips.active_strip(context)
        is_there = is_live(strip) and strips.source_of(strip) is not None
        return "" if is_there else "Select a live take whose source is in this file"


class STRIPSTYLIZER_OT_live_bake(LiveOperator, bpy.types.Operator):
    """Render a live take as it is now: an ordinary take, which plays at once"""

    bl_idname = "strip_stylizer.live_bake"
    bl_label = "Bake Live Take"
    bl_options = {"REGISTER"}

    def start(self, context: Any) -> list[session.Job]:
        """Let a second Blender render it."""
        live = strips.active_strip(context)
        source, known = strips.source_of(live), session.job_of(live)
        if known is None or known.spec is None:
            raise strips.Unusable("The job of this take is not known here any more: make a new one")
        place = dataclasses.replace(
            strips.place_of(source.id_data, source),
            start=strips.start(live), length=strips.length(live),
        )  # fmt: skip
        kept = {name: value for name, value in strips.recipe_of(live).items() if name not in OWN}
        job = session.add(
            source.id_data, source, None, draft=known.spec, kind=session.Kind.BAKE, place=place,
            renderings=(session.Rendering(source=session.LIVE_TAKE, name=live.name),),
            recipe=kept | {"baked": True},
        )  # fmt: skip
        job.asked_from = properties.of(live).result_of
        return [job]


OWN = (strips.LIVE, "job", "take")  # of a recipe, not of what is baked from it


class STRIPSTYLIZER_OT_live_atlas(FileOperator, LiveOperator, bpy.types.Operator):
    """Let a layer of a live take read another picture in place of its atlas"""

    bl_idname = "strip_stylizer.live_atlas"
    bl_label = "Replace Atlas"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(
        name="File", description="The picture, an atlas", subtype="FILE_PATH",
        options=folders.RELATIVE,
    )  # fmt: skip
    layer: bpy.props.IntProperty(
        name="Layer", description="Which of the take's layers, from 0 in front", min=0
    )

    def execute(self, context: Any) -> set[str]:
        """Load it and show it."""
        found = strips.live_layers(strips.active_strip(context))
        path = Path(bpy.path.abspath(self.filepath)).absolute()
        if self.layer >= len(found):
            self.report({"ERROR"}, "The take has no such layer: choose another one.")
            return {"CANCELLED"}
        nodes = control(found[self.layer][1], "Atlas")
        try:
            nodes.image = node_groups.load_atlas(path)
        except RuntimeError:
            self.report({"ERROR"}, f"The picture {path} cannot be read: choose another one.")
            return {"CANCELLED"}
        strips.redraw()
        return {"FINISHED"}


CLASSES = (
    STRIPSTYLIZER_OT_live_take,
    STRIPSTYLIZER_OT_live_bake,
    STRIPSTYLIZER_OT_live_atlas,
)


def is_live(strip: Any) -> bool:
    """Is the strip a live take?"""
    return strip is not None and bool(strips.recipe_of(strip).get(strips.LIVE))


def control(groups: list[Any], name: str) -> Any | None:
    """Return the node of that name in the node groups of a layer, None where it has none."""
    return next((group.nodes[name] for group in groups if name in group.nodes), None)
