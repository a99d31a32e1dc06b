"""Operators that install, repair, check and choose the engine's Python environment."""

from typing import Any

import bpy

from . import folders, installing, session, strips
from .explaining import ExplainedOperator, FileOperator
from .setting_up import FolderOperator, OnlineOperator, SetupOperator


class STRIPSTYLIZER_OT_engine_install(OnlineOperator, bpy.types.Operator):
    """Download the engine's packages into an environment of their own, outside of Blender"""

    bl_idname = "strip_stylizer.engine_install"
    bl_label = "Install Engine"
    bl_options = {"REGISTER"}

    def execute(self, context: Any) -> set[str]:
        """Start the installation, or go on with one."""
        return self.attempt(lambda plan: plan.online())


class STRIPSTYLIZER_OT_engine_repair(OnlineOperator, bpy.types.Operator):
    """Build the engine's environment anew; the old one stays until the new one computes"""

    bl_idname = "strip_stylizer.engine_repair"
    bl_label = "Repair Engine"
    bl_options = {"REGISTER"}
    purpose = "Repair"

    def execute(self, context: Any) -> set[str]:
        """Start from nothing, packages included."""
        there = folders.environment()
        left_over = [there.partial, there.packages]
        clean = installing.removal_step(folders.base_python(), left_over)
        return self.attempt(lambda plan: [clean, *plan.online()])


class STRIPSTYLIZER_OT_engine_install_folder(FolderOperator, bpy.types.Operator):
    """Install the engine from an offline folder that was made on another computer"""

    bl_idname = "strip_stylizer.engine_install_folder"
    bl_label = "Install from Folder"
    bl_options = {"REGISTER"}

    def execute(self, context: Any) -> set[str]:
        """Start the installation; the network is not used."""
        return self.attempt(lambda plan: plan.offline(self.folder))


class STRIPSTYLIZER_OT_engine_folder(FolderOperator, OnlineOperator, bpy.types.Operator):
    """Download the packages into a folder, for computers without a network"""

    bl_idname = "strip_stylizer.engine_folder"
    bl_label = "Make Offline Folder"
    bl_options = {"REGISTER"}
    purpose = "Offline folder"

    def execute(self, context: Any) -> set[str]:
        """Start the download."""

        def steps(plan: installing.Plan) -> list[installing.Step]:
            self.folder.mkdir(parents=True, exist_ok=True)
            return plan.collect(self.folder)

        return self.attempt(steps)


class STRIPSTYLIZER_OT_engine_verify(SetupOperator, bpy.types.Operator):
    """Start the engine once and let it compute something on its device"""

    bl_idname = "strip_stylizer.engine_verify"
    bl_label = "Verify Engine"
    bl_options = {"REGISTER"}
    purpose = "Check"

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be no engine."""
        if session.engine() != "ready":
            return "Install the engine or choose a Python that has it"
        return super().why_disabled(context)

    def execute(self, context: Any) -> set[str]:
        """Start the check."""
        session.refresh_engine()
        python = folders.engine_python()
        if python is None:
            self.report({"ERROR"}, "The engine's Python is gone: install the engine again.")
            return {"CANCELLED"}
        return self.begin([installing.check_step(python, folders.weights())])


class STRIPSTYLIZER_OT_engine_cancel(ExplainedOperator, bpy.types.Operator):
    """Stop the installation; what was downloaded stays, and the next one goes on from it"""

    bl_idname = "strip_stylizer.engine_cancel"
    bl_label = "Cancel Installation"
    bl_options = {"REGISTER"}

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """Nothing may be being installed."""
        setup = session.state.setup
        is_running = setup is not None and not setup.ended
        return "" if is_running else "Nothing is being installed"

    def execute(self, context: Any) -> set[str]:
        """Stop the command that runs."""
        session.state.setup.cancel()
        session.refresh_engine()
        strips.redraw()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_engine_choose(FileOperator, bpy.types.Operator):
    """Use a Python that has the engine's packages already"""

    bl_idname = "strip_stylizer.engine_choose"
    bl_label = "Choose Python"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(
        name="Python", description="The Python program of an environment", subtype="FILE_PATH"
    )

    def execute(self, context: Any) -> set[str]:
        """Write the preference."""
        preferences = folders.preferences()
        if preferences is None:
            self.report({"ERROR"}, "The extension is not enabled.")
            return {"CANCELLED"}
        preferences.python_path = self.filepath
        session.refresh_engine()
        return {"FINISHED"}


CLASSES = (
    STRIPSTYLIZER_OT_engine_install,
    STRIPSTYLIZER_OT_engine_repair,
    STRIPSTYLIZER_OT_engine_install_folder,
    STRIPSTYLIZER_OT_engine_folder,
    STRIPSTYLIZER_OT_engine_verify,
    STRIPSTYLIZER_OT_engine_cancel,
    STRIPSTYLIZER_OT_engine_choose,
)
