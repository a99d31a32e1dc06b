"""Operators that install, check and remove the engine's Python environment."""

from typing import Any

import bpy

from . import folders, installing, session, strips


class SetupOperator:
    """What the operators of the environment share: only one of them works at a time."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is nothing being installed?"""
        setup = session.state.setup
        if setup is None or setup.ended:
            return True
        cls.poll_message_set("Wait until the installation has ended, or cancel it")
        return False

    def begin(self, setup: installing.Setup) -> set[str]:
        """Let the session look after the commands; without a window wait for them."""
        session.state.setup = setup
        session.ensure_polling()
        while bpy.app.background and not setup.ended:
            session.poll()
            session.time.sleep(0.05)
        if setup.error:
            self.report({"ERROR"}, f"{setup.error}.")
            return {"CANCELLED"}
        return {"FINISHED"}


class STRIPSTYLIZER_OT_engine_install(SetupOperator, bpy.types.Operator):
    """Download the engine's packages into an environment of their own, about 6 GB"""

    bl_idname = "strip_stylizer.engine_install"
    bl_label = "Install Engine"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """May Blender go online?"""
        if not bpy.app.online_access:
            fixed = bpy.app.online_access_override
            cls.poll_message_set(
                "Blender was started in offline mode"
                if fixed
                else "Blender is offline: allow online access in Preferences, System"
            )
            return False
        return super().poll(context)

    def execute(self, context: Any) -> set[str]:
        """Start the installation."""
        environment = folders.environment()
        missing = environment.missing_space()
        if missing:
            words = f"The disk with {environment.folder} lacks {missing / 2**30:.1f} GB"
            self.report({"ERROR"}, f"{words}: free some space or choose another workspace.")
            return {"CANCELLED"}
        steps = environment.steps(folders.base_python(), folders.ROOT)
        log, version = folders.setup_log(), folders.version()
        return self.begin(installing.Setup(steps, folders.ROOT, log, environment, version))


class STRIPSTYLIZER_OT_engine_verify(SetupOperator, bpy.types.Operator):
    """Start the engine once and let it compute something on its device"""

    bl_idname = "strip_stylizer.engine_verify"
    bl_label = "Verify Engine"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is there an engine?"""
        if session.engine() != "ready":
            cls.poll_message_set("Install the engine or choose a Python that has it")
            return False
        return super().poll(context)

    def execute(self, context: Any) -> set[str]:
        """Start the check."""
        session.refresh_engine()
        python = folders.engine_python()
        if python is None:
            self.report({"ERROR"}, "The engine's Python is gone: install the engine again.")
            return {"CANCELLED"}
        steps = [installing.check_step(python)]
        return self.begin(installing.Setup(steps, folders.ROOT, folders.setup_log()))


class STRIPSTYLIZER_OT_engine_cancel(bpy.types.Operator):
    """Stop the installation; the next one starts anew"""

    bl_idname = "strip_stylizer.engine_cancel"
    bl_label = "Cancel Installation"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is something being installed?"""
        setup = session.state.setup
        return setup is not None and not setup.ended

    def execute(self, context: Any) -> set[str]:
        """Stop the command that runs."""
        session.state.setup.cancel()
        session.refresh_engine()
        strips.redraw()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_engine_choose(bpy.types.Operator):
    """Use a Python that has the engine's packages already"""

    bl_idname = "strip_stylizer.engine_choose"
    bl_label = "Choose Python"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(
        name="Python", description="The Python program of an environment", subtype="FILE_PATH"
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Let the user pick the program."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        """Write the preference."""
        preferences = folders.preferences()
        if preferences is None:
            self.report({"ERROR"}, "The extension is not enabled.")
            return {"CANCELLED"}
        preferences.python_path = self.filepath
        session.refresh_engine()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_engine_uninstall(SetupOperator, bpy.types.Operator):
    """Delete the engine's environment; jobs and results stay"""

    bl_idname = "strip_stylizer.engine_uninstall"
    bl_label = "Uninstall Engine"
    bl_options = {"REGISTER"}

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Any) -> set[str]:
        """Delete it."""
        folders.environment().remove()
        session.refresh_engine()
        strips.redraw()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_workspace_open(bpy.types.Operator):
    """Open the folder with jobs, cache and environment"""

    bl_idname = "strip_stylizer.workspace_open"
    bl_label = "Open Workspace"
    bl_options = {"INTERNAL"}

    def execute(self, context: Any) -> set[str]:
        """Let the system's file browser show the folder."""
        folders.workspace().mkdir(parents=True, exist_ok=True)
        if not bpy.app.background:
            bpy.ops.wm.path_open(filepath=str(folders.workspace()))
        return {"FINISHED"}


CLASSES = (
    STRIPSTYLIZER_OT_engine_install,
    STRIPSTYLIZER_OT_engine_verify,
    STRIPSTYLIZER_OT_engine_cancel,
    STRIPSTYLIZER_OT_engine_choose,
    STRIPSTYLIZER_OT_engine_uninstall,
    STRIPSTYLIZER_OT_workspace_open,
)
