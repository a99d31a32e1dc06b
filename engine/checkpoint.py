"""Saving and loading the state of a training, so that a stopped or killed job goes on.

A checkpoint is replaced in one move: a reader finds the old one or the new one, never half of one.
It begins with the sha256 sum of the rest, so that a damaged one is never believed. What is computed
before the first step is kept beside it, see `partial_results`.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import torch

from .contract import seals
from .contract.events import EngineError, Fault, Report
from .partial_results import SECONDS, PartialResults

# What torch lets through where a file is not a checkpoint.
UNREADABLE = (
    OSError, EOFError, RuntimeError, KeyError, IndexError, ValueError, pickle.UnpicklingError
)  # fmt: skip

Value = TypeVar("Value")
RATES = ("lr", "base", "rate")  # of a group of parameters
SLOWER = 0.25


class Checkpoint:
    """The state of one training in one file.

    ``load`` gives what was last saved, or None. ``due`` is true every ``seconds`` seconds.
    A state holds tensors, numbers, strings, and dicts and lists of these.
    """

    def __init__(self, path: Path, *, seconds: float = SECONDS) -> None:
        self.path = path
        self.seconds = seconds
        self.slower = 1.0  # what the learning rates of a loaded state are multiplied by
        self._saved_at = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Return the last state, or None where there is none that can be read."""
        try:
            whole = seals.read_digested(self.path)
            state = torch.load(whole, map_location="cpu", weights_only=True)
        except UNREADABLE:
            return None
        return state if self.slower == 1 else _slow_down(state, self.slower)

    def due(self) -> bool:
        """Is it time to save again?"""
        return time.monotonic() - self._saved_at >= self.seconds

    def save(self, state: dict[str, Any]) -> None:
        """Replace the last state by this one; raises EngineError where that is not finite."""
        check_finite(state)
        whole = seals.digested_buffer()  # so that a full disk is an OSError with its number
        torch.save(state, whole)
        seals.write_digested(self.path, whole)
        self._saved_at = time.monotonic()

    @cached_property
    def partial(self) -> PartialResults:
        """What the work before the training has computed so far."""
        return PartialResults(self.path.with_suffix(".partial"), seconds=self.seconds)

    def remove(self) -> None:
        """Forget the training and what came before it: they are done."""
        self.path.unlink(missing_ok=True)
        self.partial.remove()


def tensor_once(
    partial: PartialResults,
    name: str,
    device: torch.device,
    compute: Callable[..., torch.Tensor],
    *arguments: Any,
) -> torch.Tensor:
    """Return ``compute(*arguments)``, a tensor on ``device``, unless ``partial`` has it by name."""
    (found,) = partial.once(name, lambda: [compute(*arguments)])
    return on_device(found, device)


def on_device(found: Any, device: torch.device) -> torch.Tensor:
    """Return a partial result as a tensor on ``device``: as it was computed, or from its array."""
    return found if isinstance(found, torch.Tensor) else torch.from_numpy(found).to(device)


def train_with_restart(
    train: Callable[[float], Value], checkpoint: Checkpoint, report: Report
) -> Value:
    """Return what ``train`` makes; where it diverges, go on once from the last state, more slowly.

    ``train(part)`` trains with that part of the learning rate. Raises EngineError (DIVERGED) where
    it diverges again.
    """
    try:
        return train(1.0)
    except EngineError as error:
        if error.fault is not Fault.DIVERGED:
            raise
        report.warning(
            f"{error.message} It goes on from its last checkpoint with a quarter of the learning "
            "rate.",
            "Look whether the result is good; a lower learning rate from the start is surer.",
        )
        checkpoint.slower = SLOWER
        return train(SLOWER)


def check_finite(state: Any) -> None:
    """Raise EngineError (DIVERGED) where a tensor in ``state`` holds what is no finite number."""
    if isinstance(state, torch.Tensor):
        if state.is_floating_point() and not state.isfinite().all():
            message = "The training diverged: what it learned is no finite number any more."
            hint = "Lower the learning rate, or set the weights back to their defaults."
            raise EngineError(Fault.DIVERGED, message, hint)
    elif isinstance(state, dict | list | tuple):
        for each in state.values() if isinstance(state, dict) else state:
            check_finite(each)


def _slow_down(state: Any, part: float) -> Any:
    """Return ``state`` with the rates of all groups of all optimisers in it multiplied."""
    if isinstance(state, list):
        return [_slow_down(each, part) for each in state]
    if not isinstance(state, dict):
        return state
    is_group = "params" in state and "lr" in state
    return {
        name: each * part if is_group and name in RATES else _slow_down(each, part)
        for name, each in state.items()
    }
