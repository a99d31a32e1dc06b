"""What the next step of a training depends on, kept in the checkpoint."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch

from ...checkpoint import Checkpoint
from ..coordinates import Extent
from ..model import Networks

PRETRAINING, TRAINING = "pretraining", "training"


@dataclass(frozen=True)
class SavedState:
    """The state of one of two ``phase``s, in ``checkpoint``."""

    phase: str
    networks: Networks
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    extent: Extent
    checkpoint: Checkpoint

    def save(self, step: int) -> None:
        """Save the state after ``step`` steps."""
        self.checkpoint.save(
            {
                "phase": self.phase,
                "step": step,
                "extent": dataclasses.asdict(self.extent),
                "networks": self.networks.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "generator": self.generator.get_state(),
            }
        )

    def load(self) -> int:
        """Set everything to what was saved in this phase; returns the number of steps done."""
        state = self.checkpoint.load()
        # Time is divided by the number of frames: the state of another video means nothing here.
        if state is None or state["extent"] != dataclasses.asdict(self.extent):
            return 0
        if state.get("phase", TRAINING) != self.phase:
            return 0
        self.networks.load_state_dict(state["networks"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        return state["step"]
