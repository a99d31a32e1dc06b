"""Operators on the workspace: what is where, how large it is, and making room."""

import os
import threading
from pathlib import Path
from typing import Any

import bpy

from ..engine.client import verbs
from ..engine.client.status import Phase
from . import folders, installing, session
from .setting_up import SetupOperator

# What the panel calls the folders of the workspace; what cannot be made again has no third word.
PARTS = (
    ("environment", "Engine", ""),
    ("python", "Engine's Python", ""),
    ("packages", "Unfinished Downloads", "packages"),
    ("environment.partial", "Unfinished Installation", "packages"),
    ("cache", "Cache", "cache"),
    ("weights", "Weights", ""),
    ("jobs", "Jobs and Results", ""),
    ("edits", "Painted Pictures", ""),
)
KINDS = (
    ("cache", "Cache", "What later jobs would reuse; they compute it again"),
    ("packages", "Unfinished Downloads", "What an interrupted installation has left"),
    ("checkpoints", "Ended Jobs", "Jobs that failed or were cancelled"),
)


class STRIPSTYLIZER_OT_storage_measure(bpy.types.Operator):
    """Look how much room the workspace takes on the disk"""

    bl_idname = "strip_stylizer.storage_measure"
    bl_label = "Measure Storage"
    bl_options = {"REGISTER"}

    def execute(self, context: Any) -> set[str]:
        """Add up the files; a window does not wait for it."""
        if bpy.app.background:
            session.state.storage = verbs.sizes(folders.workspace())
            return {"FINISHED"}
        found: dict[str, int] = {}
        place = folders.workspace()
        adding = threading.Thread(target=lambda: found.update(verbs.sizes(place)), daemon=True)
        adding.start()
        bpy.app.timers.register(lambda: take_over(adding, found), first_interval=0.1)
        return {"FINISHED"}


class STRIPSTYLIZER_OT_storage_clean(SetupOperator, bpy.types.Operator):
    """Delete files of the workspace that can be made again"""

    bl_idname = "strip_stylizer.storage_clean"
    bl_label = "Free Space"
    bl_options = {"REGISTER"}
    purpose = "Cleaning"

    what: bpy.props.EnumProperty(name="What", description="What to delete", items=KINDS)

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """A job may need the files."""
        if any(not job.status.ended for job in session.state.jobs.values()):
            return "Wait until the jobs have ended, or cancel them"
        return super().why_disabled(context)

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Any) -> set[str]:
        """Delete it, in another process."""
        chosen = [path for path in chosen_paths(self.what) if path.exists()]
        if not chosen:
            self.report({"INFO"}, "There is nothing to delete")
            return {"FINISHED"}
        session.state.storage = {}
        base = folders.base_python()
        return self.begin([installing.removal_step(base, chosen)])


class STRIPSTYLIZER_OT_workspace_open(bpy.types.Operator):
    """Open the folder with jobs, cache and environment"""

    bl_idname = "strip_stylizer.workspace_open"
    bl_label = "Open Workspace"
    bl_options = {"REGISTER"}

    def execute(self, context: Any) -> set[str]:
        """Let the system's file browser show the folder."""
        folders.workspace().mkdir(parents=True, exist_ok=True)
        if not bpy.app.background:
            bpy.ops.wm.path_open(filepath=os.fspath(folders.workspace()))
        return {"FINISHED"}


def take_over(adding: threading.Thread, found: dict[str, int]) -> float | None:
    """Show the sizes once they are added up."""
    if adding.is_alive():
        return 0.2
    session.state.storage = found
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            area.tag_redraw()
    return None


def chosen_paths(what: str) -> list[Path]:
    """Return the folders that belong to one of `KINDS`."""
    place = folders.workspace()
    if what == "cache":
        return [folders.cache()]
    if what == "packages":
        return [place / "packages", place / "environment.partial"]
    over = [job for job in session.state.jobs.values()
            if job.status.phase in (Phase.FAILED, Phase.CANCELLED)]  # fmt: skip
    for job in over:
        session.forget(job)
    return [job.folder.path for job in over]


CLASSES = (
    STRIPSTYLIZER_OT_storage_measure,
    STRIPSTYLIZER_OT_storage_clean,
    STRIPSTYLIZER_OT_workspace_open,
)
