"""The operator that removes the engine, and asks first, when the sizes are known."""

import functools
import time
from typing import Any

import bpy

from ..engine.client import verbs
from . import folders, installing, session
from .setting_up import SetupOperator
from .sizes import in_words

LONGEST_MEASURING = 30.0  # seconds after which the dialog opens without sizes


class STRIPSTYLIZER_OT_engine_uninstall(SetupOperator, bpy.types.Operator):
    """Delete the engine's environment; jobs and results stay"""

    bl_idname = "strip_stylizer.engine_uninstall"
    bl_label = "Uninstall Engine"
    bl_options = {"REGISTER"}
    purpose = "Uninstallation"

    also_cache: bpy.props.BoolProperty(
        name="Cache", description="Also delete what later jobs would reuse", options={"SKIP_SAVE"}
    )
    also_weights: bpy.props.BoolProperty(
        name="Weights", description="Also delete downloaded weights", options={"SKIP_SAVE"}
    )

    measured = False  # are the sizes of now known?

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Show how much is where, and ask; a dialog draws itself once, so the sizes come first."""
        kind = type(self)
        if kind.measured:
            kind.measured = False
            return context.window_manager.invoke_props_dialog(self, width=360)
        session.state.storage = {}
        bpy.ops.strip_stylizer.storage_measure()
        until, window = time.monotonic() + LONGEST_MEASURING, context.window
        asking = functools.partial(ask_to_uninstall, kind, window, until)
        bpy.app.timers.register(asking, first_interval=0.1)
        return {"CANCELLED"}

    def draw(self, context: Any) -> None:
        """List what is deleted, with sizes."""
        found = session.state.storage
        engine = sum(found.get(name, 0) for name in verbs.ENGINE_FOLDERS)
        self.layout.label(
            text=f"The engine's packages: {in_words(engine) if found else 'being measured'}"
        )
        for name, part in (("also_cache", "cache"), ("also_weights", "weights")):
            row = self.layout.row()
            row.prop(self, name, text=f"{self.properties.bl_rna.properties[name].name}: "
                     f"{in_words(found.get(part, 0))}")  # fmt: skip
        self.layout.label(text=f"Jobs and results stay: {in_words(found.get('jobs', 0))}")

    def execute(self, context: Any) -> set[str]:
        """Delete it, in another process."""
        place = folders.workspace()
        names = [*verbs.ENGINE_FOLDERS, *(["cache"] if self.also_cache else [])]
        names += ["weights"] if self.also_weights else []
        chosen = [path for name in names if (path := place / name).exists()]
        chosen += place.glob("uv-*")
        if not chosen:
            self.report({"INFO"}, "There is nothing to delete")
            return {"FINISHED"}
        session.state.storage = {}
        return self.begin([installing.removal_step(folders.base_python(), chosen)])


def ask_to_uninstall(operator: Any, window: Any, until: float) -> float | None:
    """Open the dialog of `STRIPSTYLIZER_OT_engine_uninstall` once the sizes are known."""
    if not session.state.storage and time.monotonic() < until:
        return 0.1
    if window in list(bpy.context.window_manager.windows):
        operator.measured = True
        with bpy.context.temp_override(window=window):
            bpy.ops.strip_stylizer.engine_uninstall("INVOKE_DEFAULT")
    return None


CLASSES = (STRIPSTYLIZER_OT_engine_uninstall,)
