"""The panel of all jobs: what runs, what waits in which order, what there was."""

from typing import Any

import bpy

from ..operators import folders, session
from ..operators.languages import say
from . import job_view
from .sidebar import SidebarPanel
from .words import action, line_length, shorten

HISTORY_SHOWN = 12
SEARCH_FROM = 6
BUTTONS = 9  # letters that the buttons of a line take
SIGNS = {"finished": "CHECKMARK", "failed": "ERROR", "cancelled": "CANCEL"}


class STRIPSTYLIZER_PT_jobs(SidebarPanel, bpy.types.Panel):
    """All jobs of this session and of this file"""

    bl_idname = "STRIPSTYLIZER_PT_jobs"
    bl_label = "Jobs"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 2

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is there anything to list?"""
        return bool(session.state.jobs)

    def draw_header_preset(self, context: Any) -> None:
        """Show how many jobs are under way."""
        count = sum(not job.status.ended for job in session.state.jobs.values())
        if count:
            self.layout.label(text=say("{count} under way", count=count), translate=False)

    def draw(self, context: Any) -> None:
        """Show running jobs, the queue, the history."""
        jobs = session.newest_first()
        for job in jobs:
            if not job.status.ended and not job.queued:
                draw_running(self.layout, job)
        draw_queue(self.layout)
        draw_history(self.layout, [job for job in jobs if job.status.ended], context)


def draw_running(layout: Any, job: session.Job) -> None:
    """Show a job that is under way with its pictures."""
    box = layout.box()
    box.label(text=shorten(job.title, line_length()), translate=False)
    job_view.draw_pictures(box, job)
    job_view.draw_running(box, job)


def draw_queue(layout: Any) -> None:
    """Show the jobs that wait, the next one first."""
    waiting = session.waiting_jobs()
    if not waiting:
        return
    column = layout.column(align=True)
    for job in waiting:
        row = column.row(align=True)
        title = shorten(job.title, line_length() - BUTTONS)
        row.label(text=title, icon="SORTTIME", translate=False)
        if len(waiting) > 1:
            action(row, "job_move", job, text="", icon="TRIA_UP").step = -1
            action(row, "job_move", job, text="", icon="TRIA_DOWN").step = 1
        action(row, "job_cancel", job, text="", icon="X")
    preferences = folders.preferences()
    if preferences is not None:
        layout.prop(preferences, "jobs_at_once")


def draw_history(layout: Any, ended: list[session.Job], context: Any) -> None:
    """Show the jobs that are over, as many as one can look through."""
    if not ended:
        return
    header, body = layout.panel("strip_stylizer_history")
    header.label(text="History")
    header.operator("strip_stylizer.jobs_clear", text="", icon="TRASH", emboss=False)
    if body is None:
        return
    manager = context.window_manager
    if len(ended) >= SEARCH_FROM:
        body.prop(manager, "strip_stylizer_search", text="", icon="VIEWZOOM")
    words = manager.strip_stylizer_search.lower().split()
    found = [job for job in ended if all(word in job.title.lower() for word in words)]
    column = body.column(align=True)
    for job in found[:HISTORY_SHOWN]:
        draw_past(column, job)
    if len(found) > HISTORY_SHOWN:
        words = say("and {count} more", count=len(found) - HISTORY_SHOWN)
        column.label(text=words, icon="BLANK1", translate=False)


def draw_past(column: Any, job: session.Job) -> None:
    """Show one line for a job that is over."""
    row = column.row(align=True)
    title = shorten(f"{job.clock}  {job.title}", line_length() - BUTTONS)
    row.label(text=title, icon=SIGNS[job.status.phase.value], translate=False)
    if job.status.phase.value != "finished":
        action(row, "job_resume", job, text="", icon="FILE_REFRESH")
        action(row, "job_log", job, text="", icon="TEXT")
    elif job.kind.makes_strip:
        if not job.arrived:
            action(row, "import_result", job, text="", icon="IMPORT")
        action(row, "reveal", job, text="", icon="FILE_FOLDER")
    action(row, "job_remove", job, text="", icon="X")


CLASSES = (STRIPSTYLIZER_PT_jobs,)
