"""How one job is shown: its pictures, how far it is, how it ended, what can be done with it."""

from typing import Any

from ..engine.contract.events import Fault
from ..operators import fixes, session, strips
from ..operators.languages import say
from .words import action, draw_text, progress_text

WARNINGS_SHOWN = 2
PICTURE_SCALE = 6.0


def draw_job(layout: Any, job: session.Job) -> None:
    """Show a job of the active strip with all that is known of it."""
    box = layout.box()
    draw_pictures(box, job)
    draw_progress(box, job)
    for message, hint in job.status.warnings[-WARNINGS_SHOWN:]:
        draw_text(box, f"{message} {hint}", icon="INFO")
    if job.status.device and not job.status.ended:
        box.label(text=job.status.device, icon="SYSTEM", translate=False)


def draw_pictures(box: Any, job: session.Job) -> None:
    """Show frame and atlas side by side as they are by now."""
    if not job.icons:
        return
    row = box.row(align=True)
    for name in ("frame", "atlas"):
        if name in job.icons:
            row.template_icon(icon_value=job.icons[name], scale=PICTURE_SCALE)


def draw_progress(box: Any, job: session.Job) -> None:
    """Show a bar while the job runs, and how it ended afterwards."""
    if not job.status.ended:
        draw_running(box, job)
    elif job.kind is session.Kind.MASKS and job.status.frames:
        box.label(text="The mask is shown over the preview", icon="MOD_MASK")
    elif job.kind is session.Kind.CHECKS and job.status.frames:
        box.label(text="The checkerboard is shown over the preview", icon="TEXTURE")
    elif job.kind is session.Kind.LAYERS and job.status.frames:
        row = box.row(align=True)
        row.label(text="The layers are ready", icon="RENDERLAYERS")
        action(row, "reveal", job, text="", icon="FILE_FOLDER")
        action(row, "job_remove", job, text="", icon="X")
        if job.note:
            draw_text(box, job.note, icon="ERROR")
    elif job.kind is session.Kind.SWEEP and job.status.frames:
        row = box.row(align=True)
        row.label(text="The sweep is ready: its best are below", icon="IMAGE_DATA")
        action(row, "sweep_show", job, text="", icon="IMAGE_DATA")
        action(row, "job_remove", job, text="", icon="X")
    elif job.kind is session.Kind.PREVIEW and job.status.frames:
        row = box.row(align=True)
        words = say("A first look, made in {seconds} s", seconds=round(job.status.seconds))
        row.label(text=words, icon="IMAGE_DATA", translate=False)
        action(row, "job_remove", job, text="", icon="X")
    elif job.arrived and not job.note:
        words = say("{count} frames finished", count=job.status.frames)
        box.label(text=words, icon="CHECKMARK", translate=False)
        draw_buttons(box, job)
    elif job.status.frames:
        draw_text(box, job.note or "The result is being placed", icon="INFO")
        draw_buttons(box, job)
    else:
        draw_failure(box, job)


def draw_running(box: Any, job: session.Job) -> None:
    """Show how far it is, with the buttons to wait, go on, keep what is there, and stop."""
    row = box.row(align=True)
    row.progress(text=progress_text(job), factor=job.fraction)
    if job.runs:
        if job.paused_by:
            action(row, "job_continue", job, text="", icon="PLAY")
        else:
            action(row, "job_pause", job, text="", icon="PAUSE")
        if job.step_to_keep:
            action(row, "job_keep", job, text="", icon="CHECKMARK")
    action(row, "job_cancel", job, text="", icon="X")


def draw_failure(box: Any, job: session.Job) -> None:
    """Show what happened, and the buttons that help."""
    cancelled = job.status.phase.value == "cancelled"
    draw_text(box, job.sentence, icon="CANCEL" if cancelled else "ERROR")
    fix = fixes.label_of(job)
    if fix:
        action(box, "job_fix", job, text=fix, icon="TOOL_SETTINGS")
    row = box.row(align=True)
    again = "Resume" if cancelled else "Retry"
    action(row, "job_resume", job, text=again, icon="FILE_REFRESH")
    if job.status.fault is not Fault.ENVIRONMENT:
        action(row, "job_log", job, text="Log", icon="TEXT")
    action(row, "job_remove", job, text="", icon="X")


def draw_buttons(layout: Any, job: session.Job) -> None:
    """Show what can be done with a finished job."""
    if strips.find_result(job.id) is None:
        action(layout, "import_result", job, icon="IMPORT")
    row = layout.row(align=True)
    row.operator("strip_stylizer.compare", text="Compare", icon="HIDE_OFF")
    action(row, "reveal", job, text="Reveal", icon="FILE_FOLDER")
    action(row, "job_remove", job, text="", icon="X")
