"""A job as a folder that another computer can run, and its result brought back.

The folder holds the request, the media that it needs, and Blender's own note of where the result
belongs. Any engine runs it: ``python -m engine run FOLDER``.
"""

import shutil
from pathlib import Path
from typing import Any

import bpy

from ..engine.contract.files import private_folder
from ..engine.contract.folder import with_paths
from ..engine.contract.job import JobSpec
from . import mattes, properties, requests, session, starting, strips
from .explaining import ExplainedOperator, FileOperator
from .job import new_id, read_job, remember
from .objects import ObjectOperator

MEDIA = "media"
NOTE = """A job of Strip Stylizer.

Where its engine is installed, run:  python -m engine run "FOLDER"
The finished frames are then in FOLDER/result.
In Blender: Stylize > Import Job Folder, in the file that the strip is in.
"""


class STRIPSTYLIZER_OT_job_export(FileOperator, ObjectOperator, bpy.types.Operator):
    """Write a folder with all that another computer needs to stylize this strip"""

    bl_idname = "strip_stylizer.job_export"
    bl_label = "Export Job Folder"
    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(
        name="Folder", description="The job's own folder is made in this one", subtype="DIR_PATH"
    )

    def execute(self, context: Any) -> set[str]:
        """Write it."""
        strip = strips.active_strip(context)
        try:
            requests.check_strip(strip)
            folder = export(strip, Path(bpy.path.abspath(self.directory or "//")))
        except (strips.Unusable, OSError, ValueError) as error:
            self.report({"ERROR"}, f"{error}.")
            return {"CANCELLED"}
        self.report({"INFO"}, f"{folder} can be run on another computer")
        return {"FINISHED"}


class STRIPSTYLIZER_OT_job_import(FileOperator, ExplainedOperator, bpy.types.Operator):
    """Bring back a job folder that another computer has run; its result becomes a strip"""

    bl_idname = "strip_stylizer.job_import"
    bl_label = "Import Job Folder"
    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(
        name="Folder", description="A folder that Export Job Folder made", subtype="DIR_PATH"
    )

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be no edit."""
        scene = strips.sequencer_scene(context)
        return "" if scene is not None else "Choose a scene in the sequencer's header first"

    def execute(self, context: Any) -> set[str]:
        """Read it and place its result."""
        folder = Path(bpy.path.abspath(self.directory)).absolute()
        job = read_job(folder, anywhere=True) if self.directory else None
        if job is None:
            self.report({"ERROR"}, f"{folder} is no job folder: choose one that was exported.")
            return {"CANCELLED"}
        job.output = starting.output_of("")
        session.state.jobs[job.id] = job
        if not job.status.frames:
            self.report({"ERROR"}, f"{folder} has not been run to its end yet: run it first.")
            return {"CANCELLED"}
        if strips.find_result(job.id) is None and session.place(job) is None:
            self.report({"ERROR"}, job.note)
            return {"CANCELLED"}
        bpy.ops.ed.undo_push(message="Import Stylized Strip")
        strips.redraw()
        return {"FINISHED"}


CLASSES = (
    STRIPSTYLIZER_OT_job_export,
    STRIPSTYLIZER_OT_job_import,
)


def export(strip: Any, place: Path) -> Path:
    """Write what ``strip`` asks for as a folder of its own in ``place``, and return that.

    Raises Unusable where Blender must render something first, OSError where it cannot be written.
    """
    draft, footage = requests.request(strip), session.footage_of(strip.id_data, strip)
    if footage is None or mattes.wanted_renderings(strip):
        raise strips.Unusable("Blender must render the strip or its mask first: stylize it here")
    spec = requests.complete(draft, footage)
    assert spec is not None
    folder = place / new_id()
    private_folder(folder)
    belongs = strips.place_of(strip.id_data, strip)
    recipe = starting.recipe_of(properties.of(strip))
    job = session.new_job(strip, belongs, folder, with_media(spec, folder), recipe)
    job.folder.write_spec(job.spec)
    remember(job)
    (folder / "README.txt").write_text(NOTE.replace("FOLDER", folder.name), encoding="utf-8")
    return folder


def with_media(spec: JobSpec, folder: Path) -> JobSpec:
    """Copy all media into ``folder`` and return the request with paths that count from there."""
    count, masks = 0, {item.mask.path for item in spec.objects}

    def move_path(path: str) -> str:
        nonlocal count
        count += 1
        target = Path(MEDIA) / f"{count}-{Path(path).name}"
        is_footage = path == spec.footage.path and path not in masks
        chosen = spec.footage.files if is_footage else ()
        copy(Path(path), folder / target, chosen)
        return target.as_posix()

    return with_paths(spec, move_path)


def copy(source: Path, target: Path, chosen: tuple[str, ...]) -> None:
    """Copy a file, or the files of a folder, of which ``chosen`` may name some."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        shutil.copyfile(source, target)
        return
    target.mkdir()
    for name in dict.fromkeys(chosen) or sorted(p.name for p in source.iterdir() if p.is_file()):
        shutil.copyfile(source / name, target / name)
