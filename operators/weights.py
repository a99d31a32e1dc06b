"""The operators that download weights: of a CLIP model, and of the networks of preset Paper."""

from pathlib import Path
from typing import Any

import bpy

from ..engine.contract.settings import OFFERED_WEIGHTS, preset
from . import folders, installing, session
from .setting_up import OnlineOperator

PAPER = preset("paper")
NETWORKS = (
    ("raft", "Download RAFT (21 MB)", "The optical flow of preset Paper"),
    ("detector", "Download Mask R-CNN (186 MB)", "The masks of preset Paper"),
)
WEIGHTS = {"raft": PAPER.flow.raft, "detector": PAPER.masks.detector}


class WeightsOperator(OnlineOperator):
    """What the operators share that download weights."""

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be no engine that can ask for them."""
        if session.engine() != "ready":
            return "Install the engine first"
        return super().why_disabled(context)

    def fetch(self, name: str) -> set[str]:
        """Start the download of the weights ``name``, or go on with one, and test what is there."""
        python, place = folders.engine_python(), folders.workspace()
        if python is None or not name:
            self.report({"ERROR"}, "Name a CLIP model, and install the engine first.")
            return {"CANCELLED"}
        check = installing.check_step(python, place / "weights")
        return self.attempt(lambda plan: [weights_step(plan, python, name, place), check])


class STRIPSTYLIZER_OT_weights_download(WeightsOperator, bpy.types.Operator):
    """Download the weights of a CLIP model, which jobs never do by themselves, and test them"""

    bl_idname = "strip_stylizer.weights_download"
    bl_label = "Download CLIP Weights"
    bl_options = {"REGISTER"}
    purpose = "Download of CLIP weights"

    model: bpy.props.StringProperty(
        name="CLIP Model",
        description="An open_clip model and its weights tag",
        default=OFFERED_WEIGHTS[0],
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask which weights."""
        return context.window_manager.invoke_props_dialog(self, width=360)

    def draw(self, context: Any) -> None:
        """Say where they go, too."""
        self.layout.prop(self, "model")
        self.layout.label(text="ViT-L-14:openai is up to 1.7 GB, ViT-B-32:openai up to 0.6 GB")

    def execute(self, context: Any) -> set[str]:
        """Start the download, or go on with one."""
        return self.fetch(self.model.strip())


class STRIPSTYLIZER_OT_network_download(WeightsOperator, bpy.types.Operator):
    """Download a trained network that preset Paper uses where it is on this computer"""

    bl_idname = "strip_stylizer.network_download"
    bl_label = "Download Network"
    bl_options = {"REGISTER"}
    purpose = "Download of a trained network"

    network: bpy.props.EnumProperty(name="Network", description="Which one", items=NETWORKS)

    def execute(self, context: Any) -> set[str]:
        """Start the download, or go on with one."""
        return self.fetch(WEIGHTS[self.network])


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


CLASSES = (STRIPSTYLIZER_OT_weights_download, STRIPSTYLIZER_OT_network_download)
