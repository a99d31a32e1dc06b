"""Operators that install, repair, check and remove the engine's Python environment."""

import functools
import time
from pathlib import Path
from typing import Any

import bpy

from ..engine.client import builds, verbs
from . import bundled, folders, installing, session, strips

LONGEST_MEASURING = 30.0  # seconds after which the dialog opens without sizes


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
        uv=bundled.program(folders.workspace()),
        build=getattr(chosen, "torch_build", "automatic"),
        network=installing.Network(**text),
    )


class SetupOperator:
    """What the operators of the environment share: only one of them works at a time."""

    purpose = "Installation"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is nothing being installed?"""
        setup = session.state.setup
        if setup is None or setup.ended:
            return True
        cls.poll_message_set("Wait until the installation has ended, or cancel it")
        return False

    def begin(self, steps: list[installing.Step]) -> set[str]:
        """Let the session look after the commands; without a window wait for them."""
        setup = installing.Setup(steps, folders.ROOT, folders.setup_log(), self.purpose)
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
    def poll(cls, context: Any) -> bool:
        """May Blender go online?"""
        if reason := offline_reason():
            cls.poll_message_set(reason)
            return False
        return super().poll(context)


class FolderOperator(SetupOperator):
    """A SetupOperator that asks for a folder."""

    directory: bpy.props.StringProperty(
        name="Folder", description="The folder with the packages", subtype="DIR_PATH"
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Let the user pick the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @property
    def folder(self) -> Path:
        """The folder that was picked."""
        return Path(bpy.path.abspath(self.directory)).absolute()


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
        return self.begin([installing.check_step(python)])


class STRIPSTYLIZER_OT_weights_download(OnlineOperator, bpy.types.Operator):
    """Download the weights of a CLIP model, which jobs never do by themselves"""

    bl_idname = "strip_stylizer.weights_download"
    bl_label = "Download CLIP Weights"
    bl_options = {"REGISTER"}
    purpose = "Download of CLIP weights"

    model: bpy.props.StringProperty(
        name="CLIP Model",
        description="An open_clip model and its weights tag",
        default="ViT-L-14:openai",
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is there an engine that can ask for them?"""
        if session.engine() != "ready":
            cls.poll_message_set("Install the engine first")
            return False
        return super().poll(context)

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask which weights."""
        return context.window_manager.invoke_props_dialog(self, width=360)

    def draw(self, context: Any) -> None:
        """Say where they go, too."""
        self.layout.prop(self, "model")
        self.layout.label(text="ViT-L-14:openai is about 0.9 GB, ViT-B-32:openai 0.4 GB")

    def execute(self, context: Any) -> set[str]:
        """Start the download, or go on with one."""
        python, place = folders.engine_python(), folders.workspace()
        if python is None or not self.model.strip():
            self.report({"ERROR"}, "Name a CLIP model, and install the engine first.")
            return {"CANCELLED"}
        return self.attempt(lambda plan: [weights_step(plan, python, self.model.strip(), place)])


def weights_step(plan: installing.Plan, python: Path, model: str, place: Path) -> installing.Step:
    """Return the command that downloads the weights of ``model`` into the workspace ``place``."""
    progress = place / "weights-progress.json"
    line = [str(python), "-P", "-m", "engine.weights", model, "--folder", str(place / "weights")]
    return installing.Step(
        f"Downloading {model}",
        [*line, "--progress", str(progress)],
        plan.network.variables,
        progress,
    )


class STRIPSTYLIZER_OT_engine_cancel(bpy.types.Operator):
    """Stop the installation; what was downloaded stays, and the next one goes on from it"""

    bl_idname = "strip_stylizer.engine_cancel"
    bl_label = "Cancel Installation"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is something being installed?"""
        setup = session.state.setup
        if setup is not None and not setup.ended:
            return True
        cls.poll_message_set("Nothing is being installed")
        return False

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
    purpose = "Uninstallation"

    also_cache: bpy.props.BoolProperty(
        name="Cache", description="Also delete what later jobs would reuse", options={"SKIP_SAVE"}
    )
    also_weights: bpy.props.BoolProperty(
        name="CLIP Weights", description="Also delete downloaded weights", options={"SKIP_SAVE"}
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


@functools.cache
def computer() -> builds.Computer:
    """Look at this computer once; drawing asks again and again."""
    return builds.this_computer()


def what_comes(build: str) -> str:
    """Say what an installation downloads and how much room it takes, measured on Linux."""
    small = "CPU" in builds.words(build, computer()) or "processor" in builds.words(
        build, computer()
    )
    sizes = "0.3 GB to download, 1.4 GB" if small else "3.2 GB to download, 6 GB"
    return f"{builds.words(build, computer())}: about {sizes} on the disk"


def in_words(size: int) -> str:
    """Say a number of bytes as people do."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


CLASSES = (
    STRIPSTYLIZER_OT_engine_install,
    STRIPSTYLIZER_OT_engine_repair,
    STRIPSTYLIZER_OT_engine_install_folder,
    STRIPSTYLIZER_OT_engine_folder,
    STRIPSTYLIZER_OT_engine_verify,
    STRIPSTYLIZER_OT_weights_download,
    STRIPSTYLIZER_OT_engine_cancel,
    STRIPSTYLIZER_OT_engine_choose,
    STRIPSTYLIZER_OT_engine_uninstall,
)
