"""Saving and loading the state of a training, so that a stopped or killed job goes on.

A checkpoint is replaced in one move: a reader finds the old one or the new one, never half of one.
It begins with the sha256 sum of the rest, so that a damaged one is never believed.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import time
from pathlib import Path
from typing import Any

import torch

from .contract import files

# What torch lets through where a file is not a checkpoint.
UNREADABLE = (
    OSError, EOFError, RuntimeError, KeyError, IndexError, ValueError, pickle.UnpicklingError
)  # fmt: skip

DIGEST = hashlib.sha256().digest_size


class Checkpoint:
    """The state of one training in one file.

    ``load`` gives what was last saved, or None. ``due`` is true every ``seconds`` seconds.
    A state holds tensors, numbers, strings, and dicts and lists of these.
    """

    def __init__(self, path: Path, *, seconds: float = 10.0) -> None:
        self.path = path
        self.seconds = seconds
        self._saved_at = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Return the last state, or None where there is none that can be read."""
        try:
            data = files.read_bytes(self.path, self.path.stat().st_size)
            told, whole = data[:DIGEST], memoryview(data)[DIGEST:]
            if hashlib.sha256(whole).digest() != told:
                return None
            return torch.load(io.BytesIO(whole), map_location="cpu", weights_only=True)
        except UNREADABLE:
            return None

    def due(self) -> bool:
        """Is it time to save again?"""
        return time.monotonic() - self._saved_at >= self.seconds

    def save(self, state: dict[str, Any]) -> None:
        """Replace the last state by this one."""
        whole = io.BytesIO(bytes(DIGEST))  # so that a full disk is an OSError with its number
        whole.seek(DIGEST)
        torch.save(state, whole)
        data = whole.getbuffer()
        data[:DIGEST] = hashlib.sha256(data[DIGEST:]).digest()
        files.write_bytes(self.path, data)
        self._saved_at = time.monotonic()
