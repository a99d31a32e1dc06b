"""Saving and loading the state of a training, so that a stopped or killed job goes on.

A checkpoint is replaced in one move: a reader finds the old one or the new one, never half of one.
"""

from __future__ import annotations

import io
import pickle
import time
from pathlib import Path
from typing import Any

import torch

# What torch lets through where a file is not a checkpoint.
UNREADABLE = (
    OSError, EOFError, RuntimeError, KeyError, IndexError, ValueError, pickle.UnpicklingError
)  # fmt: skip


class Checkpoint:
    """The state of one training in one file.

    ``load`` gives what was last saved, or None. ``due`` is true every ``seconds`` seconds.
    A state holds tensors, numbers, strings, and dicts and lists of these.
    """

    def __init__(self, path: Path, *, seconds: float = 20.0) -> None:
        self.path = path
        self.seconds = seconds
        self._saved_at = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Return the last state, or None where there is none that can be read."""
        try:
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except UNREADABLE:
            return None

    def due(self) -> bool:
        """Is it time to save again?"""
        return time.monotonic() - self._saved_at >= self.seconds

    def save(self, state: dict[str, Any]) -> None:
        """Replace the last state by this one."""
        part = self.path.with_suffix(".part")
        whole = io.BytesIO()  # so that a full disk is an OSError with its number
        torch.save(state, whole)
        part.write_bytes(whole.getbuffer())
        part.replace(self.path)
        self._saved_at = time.monotonic()
