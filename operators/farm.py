"""A strip's job goes to a render farm: Flamenco's manager and its workers do it.

The job folder lies on the farm's shared storage, with all media that it needs; so the panels show
it as any other job, and its result comes in by the same way.
"""

import shutil
from pathlib import Path
from typing import Any

import bpy

from ..engine.client.farm import Manager, Unsent
from ..engine.contract import files
from . import folders, requests, session, setting_up, starting, strips, travel
from .job import Job, link_to, read_job, remember
from .objects import ObjectOperator

SHARED = Path("strip-stylizer") / "jobs"  # below the farm's storage


class STRIPSTYLIZER_OT_farm_send(ObjectOperator, bpy.types.Operator):
    """Let the render farm stylize this strip; the preferences name its manager"""

    bl_idname = "strip_stylizer.farm_send"
    bl_label = "Send to Farm"
    bl_options = {"REGISTER"}

    wait: bpy.props.BoolProperty(
        name="Wait", description="Return when the result is there", options={"SKIP_SAVE"}
    )

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be no source strip, no farm, or no way to it."""
        if reason := super().why_disabled(context):
            return reason
        if not address():
            return "Write the address of the farm into the preferences first"
        return setting_up.offline_reason()

    def execute(self, context: Any) -> set[str]:
        """Write the folder, send the job and watch it."""
        strip = strips.active_strip(context)
        try:
            requests.check_strip(strip)
            job = send(strip)
        except (Unsent, strips.Unusable, OSError, ValueError) as error:
            self.report({"ERROR"}, f"{error}.")
            return {"CANCELLED"}
        session.watch(job)
        strips.redraw()
        if self.wait:
            session.wait(job)
            if not job.arrived:
                self.report({"ERROR"}, job.sentence)
                return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (STRIPSTYLIZER_OT_farm_send,)


def address() -> str:
    """Return the address of the farm's manager, '' where there is none."""
    return folders.preference("farm_address", "").strip()


def send(strip: Any) -> Job:
    """Give the strip's job to the farm and return it.

    Raises Unsent where the farm does not take it, Unusable where Blender must render something
    first, OSError where the shared storage or the workspace cannot be written.
    """
    manager = Manager(address())
    manager.check_version()
    place = manager.shared_folder() / SHARED
    job = read_job(travel.export(strip, place), anywhere=True)
    if job is None or job.spec is None:
        raise OSError(f"What was written in {place} cannot be read again: check the storage")
    footage = job.spec.footage
    count = len(footage.indices) or len(footage.files) or job.place.length
    try:
        job.farm = manager.send(job.spec, job.folder.path, title=job.title, frames=count)
    except Unsent:
        shutil.rmtree(job.folder.path, ignore_errors=True)
        raise
    job.output = starting.output_of("")
    remember(job)
    files.private_folder(folders.jobs() / job.id)
    link_to(job, folders.jobs() / job.id)
    return job
