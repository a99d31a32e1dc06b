"""Operators on the jobs in the list: stop, go on, drop, read the log."""

from typing import Any

import bpy

from ..engine.client.status import Phase
from ..engine.contract import files
from . import session, strips
from .explaining import ExplainedOperator
from .languages import say

LOG_BYTES = 2**20


class JobOperator(ExplainedOperator):
    """What operators on one job share: which job, and whether it is there."""

    job: bpy.props.StringProperty(
        name="Job", description="Name of the job; empty for the active strip's", options={"HIDDEN"}
    )
    reason = "There is no such job"

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """This Blender may know no job."""
        return "" if session.state.jobs else "There is no job: stylize a strip first"

    def execute(self, context: Any) -> set[str]:
        """Act on the job if it is in the right state."""
        job = self.find(context)
        if job is None or not self.fits(job):
            self.report({"ERROR"}, f"{say(self.reason)}.")
            return {"CANCELLED"}
        return self.act(context, job)

    def find(self, context: Any) -> session.Job | None:
        """Return the job meant."""
        if self.job:
            return session.state.jobs.get(self.job)
        strip = strips.active_strip(context)
        return session.job_of(strip) if strip else None

    def fits(self, job: session.Job) -> bool:
        """Is the job in a state for this operator?"""
        return True


class STRIPSTYLIZER_OT_job_cancel(JobOperator, bpy.types.Operator):
    """Stop this job; it keeps its last checkpoint"""

    bl_idname = "strip_stylizer.job_cancel"
    bl_label = "Cancel Job"
    bl_options = {"REGISTER"}
    reason = "There is no running job to cancel"

    def fits(self, job: session.Job) -> bool:
        """Does the job still run?"""
        return not job.status.ended

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Ask it to stop; nothing of it is to be kept as a take."""
        job.kept_step = 0
        session.cancel(job)
        strips.redraw()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_job_resume(JobOperator, bpy.types.Operator):
    """Run this job again; it goes on from its last checkpoint"""

    bl_idname = "strip_stylizer.job_resume"
    bl_label = "Resume Job"
    bl_options = {"REGISTER"}
    reason = "There is no stopped or failed job to resume: stylize the strip again"

    wait: bpy.props.BoolProperty(
        name="Wait", description="Return when the result is there", options={"SKIP_SAVE"}
    )

    def fits(self, job: session.Job) -> bool:
        """Has the job ended early?"""
        return job.status.phase in (Phase.CANCELLED, Phase.FAILED)

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Start it again."""
        try:
            session.resume(job)
        except (strips.Unusable, OSError) as error:
            self.report({"ERROR"}, f"{error}.")
            return {"CANCELLED"}
        if self.wait or bpy.app.background:
            session.wait(job)
            if job.status.phase is not Phase.FINISHED or job.note:
                self.report({"ERROR"}, job.sentence)
                return {"CANCELLED"}
        return {"FINISHED"}


class STRIPSTYLIZER_OT_job_pause(JobOperator, bpy.types.Operator):
    """Let this job wait; it goes on where it was"""

    bl_idname = "strip_stylizer.job_pause"
    bl_label = "Pause Job"
    bl_options = {"REGISTER"}
    reason = "There is no running job to pause"

    def fits(self, job: session.Job) -> bool:
        """Does an engine work on it?"""
        return job.runs and not job.paused_by and not job.stopped_at

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Ask it to wait."""
        session.pause(job)
        strips.redraw()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_job_continue(JobOperator, bpy.types.Operator):
    """Let this job go on where it waits"""

    bl_idname = "strip_stylizer.job_continue"
    bl_label = "Continue Job"
    bl_options = {"REGISTER"}
    reason = "There is no paused job"

    def fits(self, job: session.Job) -> bool:
        """Does it wait?"""
        return job.runs and bool(job.paused_by)

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Let it go on."""
        session.go_on(job)
        strips.redraw()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_job_keep(JobOperator, bpy.types.Operator):
    """Stop learning here; what the strip looks like by now becomes the take"""

    bl_idname = "strip_stylizer.job_keep"
    bl_label = "Keep Look"
    bl_options = {"REGISTER"}
    reason = "There is no job whose look can be kept: wait for its first snapshot"

    def fits(self, job: session.Job) -> bool:
        """Has it saved a snapshot?"""
        return bool(job.step_to_keep)

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Ask it to stop, and render what it has saved."""
        session.keep(job)
        strips.redraw()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_job_move(JobOperator, bpy.types.Operator):
    """Let this job start earlier or later than its neighbour in the queue"""

    bl_idname = "strip_stylizer.job_move"
    bl_label = "Move Job"
    bl_options = {"INTERNAL"}
    reason = "The job does not wait in the queue"

    step: bpy.props.IntProperty(
        name="Step", description="-1 for earlier, 1 for later", default=-1, min=-1, max=1
    )

    def fits(self, job: session.Job) -> bool:
        """Does it wait for its turn?"""
        return job.queued

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Change places."""
        if not session.move(job, self.step):
            self.report({"INFO"}, "The job is at the end of the queue already")
            return {"CANCELLED"}
        strips.redraw()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_job_remove(JobOperator, bpy.types.Operator):
    """Remove this job from the list; its files stay on the disk"""

    bl_idname = "strip_stylizer.job_remove"
    bl_label = "Remove Job"
    bl_options = {"INTERNAL"}
    reason = "Cancel the job before it is removed"

    def fits(self, job: session.Job) -> bool:
        """Is the job over?"""
        return job.status.ended

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Drop it."""
        session.forget(job)
        strips.redraw()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_jobs_clear(ExplainedOperator, bpy.types.Operator):
    """Remove all jobs that are over from the list; their files and strips stay"""

    bl_idname = "strip_stylizer.jobs_clear"
    bl_label = "Clear Finished Jobs"
    bl_options = {"REGISTER"}

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """No job may be over."""
        is_any = any(job.is_complete for job in session.state.jobs.values())
        return "" if is_any else "No job in the list is over"

    def execute(self, context: Any) -> set[str]:
        """Drop them."""
        for job in [job for job in session.state.jobs.values() if job.is_complete]:
            session.forget(job)
        strips.redraw()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_job_log(JobOperator, bpy.types.Operator):
    """Open this job's log as a text in Blender's text editor"""

    bl_idname = "strip_stylizer.job_log"
    bl_label = "Show Log"
    bl_options = {"REGISTER"}
    reason = "The job has not written a log yet"

    def fits(self, job: session.Job) -> bool:
        """Is there a log?"""
        return job.log.is_file()

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Fill a text datablock, and show it where a text editor is open."""
        name = f"Log of {job.id}"
        text = bpy.data.texts.get(name) or bpy.data.texts.new(name)
        text.clear()
        text.write(files.read_end(job.log, LOG_BYTES))
        show_text(context, text)
        self.report({"INFO"}, f"{name} is in the text editor")
        return {"FINISHED"}


def show_text(context: Any, text: Any) -> None:
    """Show a text in the first text editor of the window, or in a new window."""
    if bpy.app.background or context.window is None:
        return
    areas = [area for area in context.screen.areas if area.type == "TEXT_EDITOR"]
    if not areas:
        bpy.ops.wm.window_new()
        areas = [bpy.context.window_manager.windows[-1].screen.areas[0]]
        areas[0].type = "TEXT_EDITOR"
    areas[0].spaces.active.text = text


CLASSES = (
    STRIPSTYLIZER_OT_job_cancel,
    STRIPSTYLIZER_OT_job_resume,
    STRIPSTYLIZER_OT_job_pause,
    STRIPSTYLIZER_OT_job_continue,
    STRIPSTYLIZER_OT_job_keep,
    STRIPSTYLIZER_OT_job_move,
    STRIPSTYLIZER_OT_job_remove,
    STRIPSTYLIZER_OT_jobs_clear,
    STRIPSTYLIZER_OT_job_log,
)
