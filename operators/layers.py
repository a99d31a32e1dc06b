"""Layers as files: the package of a strip or a take, and jobs that begin where another ended.

Of a source strip the layers are those of the footage, without texts; of a take they are the take's,
with all that was changed by hand before.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import bpy

from ..engine.client.status import Phase
from ..engine.contract import codec, files
from ..engine.contract.job import JobSpec, LayerFiles
from ..engine.contract.layers import LayerPackage, read_manifest
from . import (
    folders,
    node_groups,
    outlook,
    properties,
    requests,
    session,
    starting,
    strips,
    targets,
)
from .languages import say
from .objects import why_no_source

FOR_PAINTING = LayerFiles(frames=False, plates=True)
OF_A_JOB = ("job", "take", "title", "edits", "layers_of")  # of a recipe, not of its request


def why_no_layers(strip: Any) -> str:
    """Say why a strip has no layers to change and what to do about it; or ''."""
    if strip is None or not properties.of(strip).result_of:
        return why_no_source(strip)
    job = session.job_of(strip)
    if job is None or job.spec is None:
        return "The job of this take is not known here any more: edit the source strip instead"
    source = strips.find(job.place)
    return "" if source else "Select a stylized strip whose source is in this file"


class LayersOperator(starting.StartOperator):
    """What operators on the layers of a source strip or a take share."""

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be no strip with layers, or no engine."""
        return why_no_layers(strips.active_strip(context)) or starting.without_engine()


def source_of(strip: Any) -> Any:
    """Return the source strip of a take, and a source strip itself."""
    return strips.source_of(strip) or strip


def layers_job(strip: Any, *, painting: bool = False, planes: bool = False) -> session.Job | None:
    """Return the last job that wrote a package which is of the strip as it is now.

    ``painting``: the package has the pictures to paint on; ``planes``: it has those of each frame.
    """
    source, take = source_of(strip), properties.of(strip).result_of
    for job in session.jobs_of(source):
        if job.kind is not session.Kind.LAYERS or job.recipe.get("layers_of", "") != take:
            continue
        spec = job.spec
        if job.status.phase is not Phase.FINISHED or spec is None or spec.layers is None:
            continue
        is_enough = spec.layers.plates >= painting and spec.layers.frames >= planes
        if is_enough and (take or _is_current(source, job)):
            return job
    return None


def _is_current(source: Any, job: session.Job) -> bool:
    assert job.spec is not None
    shown = strips.length(source), strips.start(source) - round(strips.content_start(source))
    then = job.place.length, job.place.start - round(job.place.content_start)
    draft = requests.draft_of(source)
    pins = [each.pins for each in job.spec.objects] == [each.pins for each in draft.objects]
    return shown == then and pins and outlook.same_layers(job.spec, draft)


def package_of(job: session.Job) -> LayerPackage | None:
    """Return what a job's package says, read once; None where it cannot be read."""
    if job.layers is None:
        try:
            job.layers = read_manifest(job.folder.layers)
        except (OSError, files.Refusal):
            return None
    return job.layers


def layer_name(job: session.Job, number: int) -> str:
    """Return what a layer is called: its object's name."""
    objects = job.spec.objects if job.spec else ()
    if number < 0:
        return say("Background")
    return objects[number].name or say("Object {number}", number=number + 1)


def start_from(
    strip: Any,
    change: Callable[[JobSpec], JobSpec],
    *,
    kind: session.Kind = session.Kind.STYLIZE,
    output: str = "",
) -> session.Job:
    """Start a job for what ``change`` makes of the request behind a strip, and return it.

    That of a take is the take's own; that of a source strip asks for the footage without texts.
    Raises Unusable, Refusal or OSError.
    """
    take, source = properties.of(strip).result_of, source_of(strip)
    known = session.job_of(strip) if take else layers_job(strip)
    if known is None or known.spec is None:
        requests.check_strip(source)
        draft = change(requests.without_texts(source))
        recipe = starting.without_texts(starting.recipe_of(properties.of(source))) | {
            "layers_of": take
        }
        return starting.begin(
            source.id_data, source, draft, output=output, kind=kind, recipe=recipe
        )
    spec = change(dataclasses.replace(known.spec, layers=None))
    spec = codec.job_from_json(codec.to_json(spec))
    recipe = {name: value for name, value in known.recipe.items() if name not in OF_A_JOB}
    recipe["objects"] = [
        values | {"pins": [targets.text_of_pin(pin) for pin in each.pins]}
        for values, each in zip(recipe.get("objects", ()), spec.objects, strict=False)
    ]
    job = session.add(
        source.id_data, source, spec, draft=spec, output=output, kind=kind,
        recipe=recipe | {"layers_of": take},
        place=dataclasses.replace(known.place, blend=bpy.data.filepath),
    )  # fmt: skip
    job.asked_from = take
    return job


def frame_of(strip: Any, frame: int) -> int | None:
    """Return which frame of the job behind a strip is on timeline frame ``frame``, None if none."""
    source = source_of(strip)
    known = session.job_of(strip) if source != strip else None
    place = strips.place_of(source.id_data, source) if known is None else known.place
    return strips.frame_of(place, source, frame)


class STRIPSTYLIZER_OT_layers_prepare(LayersOperator, bpy.types.Operator):
    """Take the strip apart into layers whose atlases and frames can be painted on"""

    bl_idname = "strip_stylizer.layers_prepare"
    bl_label = "Prepare Layers"
    bl_options = {"REGISTER"}

    def start(self, context: Any) -> list[session.Job]:
        """Start a job that writes atlases and frames."""
        strip = strips.active_strip(context)
        return [prepare(strip, FOR_PAINTING)]


class STRIPSTYLIZER_OT_layers_export(LayersOperator, bpy.types.Operator):
    """Write the layers as files for other programs: atlases, uv, alpha and light"""

    bl_idname = "strip_stylizer.layers_export"
    bl_label = "Export Layers"
    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(
        name="Folder",
        description="Where the package goes, in a folder of its own; empty: the job's folder",
        subtype="DIR_PATH",
        options=folders.RELATIVE,
    )
    plates: bpy.props.BoolProperty(
        name="Frames", description="Also the finished frames, as PNG of 16 bit", default=True
    )
    mattes: bpy.props.BoolProperty(
        name="Mattes", description="Also the alpha of each layer, as PNG of 16 bit", default=True
    )
    st_maps: bpy.props.BoolProperty(
        name="ST-Maps",
        description="Also ST-maps as single files: frame to atlas, and atlas to frame",
        default=False,
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask what is to be written."""
        return context.window_manager.invoke_props_dialog(self)

    def start(self, context: Any) -> list[session.Job]:
        """Start the job that writes them."""
        wanted = LayerFiles(plates=self.plates, mattes=self.mattes, st_maps=self.st_maps)
        output = starting.output_of(self.directory) if self.directory else ""
        return [prepare(strips.active_strip(context), wanted, output)]


class STRIPSTYLIZER_OT_layers_nodes(LayersOperator, bpy.types.Operator):
    """Make a scene whose compositor puts the exported layers together, with nodes to change"""

    bl_idname = "strip_stylizer.layers_nodes"
    bl_label = "Layer Nodes"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """The layers may not have been exported."""
        if reason := super().why_disabled(context):
            return reason
        is_there = layers_job(strips.active_strip(context), planes=True) is not None
        return "" if is_there else "Press Export Layers first: the nodes read its files"

    def execute(self, context: Any) -> set[str]:
        """Make the scene."""
        strip = strips.active_strip(context)
        job = layers_job(strip, planes=True)
        package = package_of(job) if job else None
        if job is None or package is None:
            self.report({"ERROR"}, "The layers cannot be read: export them again.")
            return {"CANCELLED"}
        first, rate = strips.start(source_of(strip)), strip.id_data.render
        scene = node_groups.scene_of_layers(
            f"{strip.name} Layers", job.folder.layers, package, first
        )
        scene.render.fps, scene.render.fps_base = rate.fps, rate.fps_base
        self.report({"INFO"}, f"The scene {scene.name} shows the layers in its compositor")
        return {"FINISHED"}


def prepare(strip: Any, wanted: LayerFiles, output: str = "") -> session.Job:
    """Start a job that writes the package of a strip's layers, in the end into ``output``."""

    def change(spec: JobSpec) -> JobSpec:
        return dataclasses.replace(spec, layers=wanted, until=None)

    return start_from(strip, change, kind=session.Kind.LAYERS, output=output)


CLASSES = (
    STRIPSTYLIZER_OT_layers_prepare,
    STRIPSTYLIZER_OT_layers_export,
    STRIPSTYLIZER_OT_layers_nodes,
)
