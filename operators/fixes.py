"""What can be done about a fault with one press: change what caused it, and try again."""

import dataclasses
from collections.abc import Callable
from typing import Any

import bpy

from ..engine.contract.codec import to_json
from ..engine.contract.events import Fault
from ..engine.contract.settings import Settings, replace_setting, with_embedded_encoder
from . import folders, properties, session, strips
from .jobs import JobOperator

SMALLER = 0.7
LEAST_SIDE = 64

LABELS = {
    Fault.OUT_OF_MEMORY: "Retry Smaller",
    Fault.OBJECT_NOT_FOUND: "Draw a Box",
    Fault.MASKS_UNREADABLE: "Draw a Box",
    Fault.WEIGHTS_UNAVAILABLE: "Use Embedded Encoder",
    Fault.DEVICE_UNAVAILABLE: "Use Automatic Device",
    Fault.DIVERGED: "Retry with Smaller Steps",
    Fault.FOLDER_UNWRITABLE: "Choose Folder",
    Fault.DISK_FULL: "Choose Folder",
    Fault.DISK_FAILED: "Choose Folder",
}


def label_of(job: session.Job) -> str:
    """Return what the fix of a failed job is called, '' where only trying again is left."""
    return LABELS.get(job.status.fault, "") if job.status.fault else ""


def smaller(settings: Settings) -> Settings:
    """Return settings with a smaller working size, a multiple of 16."""
    side = int(settings.frames.longest_side * SMALLER) // 16 * 16
    return replace_setting(settings, "frames.longest_side", max(LEAST_SIDE, side))


def automatic(settings: Settings) -> Settings:
    """Return settings that leave the device to the engine."""
    return replace_setting(settings, "device", "automatic")


def careful(settings: Settings) -> Settings:
    """Return settings with half the learning rate."""
    rate = settings.stylization.learning_rate / 2
    return replace_setting(settings, "stylization.learning_rate", float(f"{rate:.6g}"))


CHANGES: dict[Fault, Callable[[Settings], Settings]] = {
    Fault.OUT_OF_MEMORY: smaller,
    Fault.WEIGHTS_UNAVAILABLE: with_embedded_encoder,
    Fault.DEVICE_UNAVAILABLE: automatic,
    Fault.DIVERGED: careful,
}


class STRIPSTYLIZER_OT_job_fix(JobOperator, bpy.types.Operator):
    """Change what made this job fail, and try again"""

    bl_idname = "strip_stylizer.job_fix"
    bl_label = "Fix and Retry"
    bl_options = {"REGISTER"}
    reason = "There is no failed job with a known remedy: read its log"

    directory: bpy.props.StringProperty(
        name="Folder", description="New folder for jobs and cache", subtype="DIR_PATH"
    )

    def fits(self, job: session.Job) -> bool:
        """Is there a remedy?"""
        return job.status.ended and bool(label_of(job))

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Let the user choose a folder where the remedy is one."""
        job = self.find(context)
        if job is not None and label_of(job) == "Choose Folder":
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        return self.execute(context)

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Apply the remedy."""
        fault = job.status.fault
        try:
            if fault in CHANGES:
                change_settings(job, CHANGES[fault])
            elif label_of(job) == "Choose Folder":
                move_workspace(job, self.directory)
            else:
                return self._draw_box(job)
        except (strips.Unusable, OSError) as error:
            self.report({"ERROR"}, f"{error}.")
            return {"CANCELLED"}
        return {"FINISHED"}

    def _draw_box(self, job: session.Job) -> set[str]:
        source = strips.find(job.place)
        if source is None:
            self.report({"ERROR"}, f"The strip {job.place.strip} is gone: stylize another one.")
            return {"CANCELLED"}
        strips.make_active(source)
        properties.of(source).object_source = "box"
        if bpy.app.background:
            return {"FINISHED"}
        return bpy.ops.strip_stylizer.box_draw("INVOKE_DEFAULT")


CLASSES = (STRIPSTYLIZER_OT_job_fix,)


def change_settings(job: session.Job, change: Callable[[Settings], Settings]) -> None:
    """Run a job again with changed settings; its strip remembers them."""
    if job.spec is None:
        raise strips.Unusable("The job's request is lost: stylize the strip again")
    changed = change(job.spec.settings)
    job.spec = dataclasses.replace(job.spec, settings=changed)
    job.recipe["settings"] = to_json(changed)
    strip = strips.find(job.place)
    if strip is not None:
        properties.write_settings(properties.of(strip).settings, changed)
    session.resume(job)


def move_workspace(job: session.Job, folder: str) -> None:
    """Let jobs and cache be in another folder, and try there."""
    preferences = folders.preferences()
    if not folder or preferences is None:
        raise strips.Unusable("Choose a folder that can be written to")
    preferences.workspace = folder
    strip = strips.find(job.place)
    if strip is None or job.spec is None:
        raise strips.Unusable(f"The strip {job.place.strip} is gone: stylize another one")
    session.add(
        strip.id_data, strip, job.spec, draft=job.spec, output=job.output, kind=job.kind,
        recipe=job.recipe,
    )  # fmt: skip
    session.forget(job)
