"""Operators on finished results: place, show the files."""

from typing import Any

import bpy

from ..engine.client.status import Phase
from . import session, strips
from .jobs import JobOperator


class STRIPSTYLIZER_OT_import_result(JobOperator, bpy.types.Operator):
    """Place the finished frames above their source strip"""

    bl_idname = "strip_stylizer.import_result"
    bl_label = "Import Result"
    bl_options = {"REGISTER"}
    reason = "There is no finished job without a strip"

    def fits(self, job: session.Job) -> bool:
        """Is the job finished and its result nowhere in this file?"""
        finished = job.status.phase is Phase.FINISHED and job.kind.makes_strip
        return finished and strips.find_result(job.id) is None

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Insert the strip."""
        if session.place(job) is None:
            self.report({"ERROR"}, job.note)
            return {"CANCELLED"}
        bpy.ops.ed.undo_push(message="Import Stylized Strip")
        strips.redraw()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_reveal(JobOperator, bpy.types.Operator):
    """Open the folder with the finished frames"""

    bl_idname = "strip_stylizer.reveal"
    bl_label = "Reveal Files"
    bl_options = {"REGISTER"}
    reason = "There are no finished frames yet"

    def fits(self, job: session.Job) -> bool:
        """Are there frames?"""
        return job.result_folder.is_dir()

    def act(self, context: Any, job: session.Job) -> set[str]:
        """Let the system's file browser show the folder."""
        if not bpy.app.background:
            bpy.ops.wm.path_open(filepath=str(job.result_folder))
        return {"FINISHED"}


CLASSES = (
    STRIPSTYLIZER_OT_import_result,
    STRIPSTYLIZER_OT_reveal,
)
