"""What the operators share that install, check or remove something for the engine."""

import time
from pathlib import Path
from typing import Any

import bpy

from . import folders, installing, session, uv_program
from .explaining import ExplainedOperator, FileOperator


def offline_reason() -> str:
    """Say why Blender may not go online, empty where it may."""
    if bpy.app.online_access:
        return ""
    if bpy.app.online_access_override:
        return "Blender was started in offline mode"
    return "Blender is offline: allow online access in Preferences, System"


def plan() -> installing.Plan:
    """Return what an installation depends on here; raises OSError where uv cannot be copied."""
    chosen = folders.preferences()
    text = {name: getattr(chosen, name, "") for name in ("index_url", "extra_index", "ca_bundle")}
    for name in ("extra_index", "ca_bundle"):
        text[name] = bpy.path.abspath(text[name]) if text[name].startswith("//") else text[name]
    return installing.Plan(
        environment=folders.environment(),
        engine_root=folders.ROOT,
        base_python=folders.base_python(),
        version=folders.version(),
        uv=uv_program.program(folders.workspace()),
        build=getattr(chosen, "torch_build", "automatic"),
        network=installing.Network(**text),
    )


class SetupOperator(ExplainedOperator):
    """What the operators of the environment share: only one of them works at a time."""

    purpose = "Installation"

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """Something may be being installed."""
        setup = session.state.setup
        is_free = setup is None or setup.ended
        return "" if is_free else "Wait until the installation has ended, or cancel it"

    def begin(self, steps: list[installing.Step]) -> set[str]:
        """Let the session look after the commands; without a window wait for them."""
        setup = installing.Setup(steps, folders.ROOT, folders.setup_log(), self.purpose)
        session.drop_standby()
        session.state.setup = setup
        session.ensure_polling()
        try:
            while bpy.app.background and not setup.ended:
                session.poll()
                time.sleep(0.05)
        except KeyboardInterrupt:
            setup.cancel()
            raise
        if setup.error:
            self.report({"ERROR"}, f"{setup.error}.")
            return {"CANCELLED"}
        return {"FINISHED"}

    def attempt(self, steps: Any) -> set[str]:
        """Begin what ``steps`` returns for the plan; what forbids it is said as a sentence."""
        try:
            return self.begin(steps(plan()))
        except ValueError as error:
            self.report({"ERROR"}, f"{error}.")
        except OSError as error:
            self.report({"ERROR"}, f"{error.strerror}: {error.filename}.")
        return {"CANCELLED"}


class OnlineOperator(SetupOperator):
    """A SetupOperator that needs the network."""

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """Blender may not go online."""
        return offline_reason() or super().why_disabled(context)


class FolderOperator(FileOperator, SetupOperator):
    """A SetupOperator that asks for a folder."""

    directory: bpy.props.StringProperty(
        name="Folder", description="The folder with the packages", subtype="DIR_PATH"
    )

    @property
    def folder(self) -> Path:
        """The folder that was picked."""
        return Path(bpy.path.abspath(self.directory)).absolute()
