"""The preferences: which engine, which workspace."""

from typing import Any

import bpy

from ..operators import folders, session
from . import sidebar


def _look_again(self: Any, context: Any) -> None:
    session.refresh_engine()


class STRIPSTYLIZER_AP_preferences(bpy.types.AddonPreferences):
    """What holds for all files"""

    bl_idname = folders.PACKAGE

    python_path: bpy.props.StringProperty(
        name="Python",
        description="A Python that has the engine's packages; empty for the installed engine",
        subtype="FILE_PATH",
        update=_look_again,
    )
    workspace: bpy.props.StringProperty(
        name="Workspace",
        description="Folder for jobs, cache and the engine; empty for a folder of your own",
        subtype="DIR_PATH",
        update=_look_again,
    )

    def draw(self, context: Any) -> None:
        """Show the engine's state and the folders."""
        layout = self.layout
        layout.use_property_split = True
        sidebar.draw_engine(layout)
        if session.engine() == "ready":
            row = layout.row()
            row.operator("strip_stylizer.engine_verify")
            row.operator("strip_stylizer.engine_uninstall")
            draw_facts(layout)
        layout.prop(self, "python_path")
        layout.prop(self, "workspace")
        layout.operator("strip_stylizer.workspace_open")


def draw_facts(layout: Any) -> None:
    """Show what the last check found out."""
    setup = session.state.setup
    facts = setup.facts if setup is not None else {}
    if not facts:
        return
    device = facts.get("device") or {}
    layout.label(text=f"Device: {device.get('name') or device.get('kind', 'unknown')}")
    versions = facts.get("versions") or {}
    layout.label(text=", ".join(f"{name} {number}" for name, number in versions.items()))


CLASSES = (STRIPSTYLIZER_AP_preferences,)
