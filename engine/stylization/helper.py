"""What the other processes of a training do than the first: `processes` says why."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from .. import device as devices
from .encoder import Encoder, load_encoder
from .processes import PROCESSES, Order
from .terms import step_terms, weighted_sum
from .train import TrainingInputs, set_up


@contextlib.contextmanager
def together() -> Iterator[bool]:
    """Be one of torchrun's processes within; says whether this is the one that does the job.

    Raises EngineError where another one ends before its time.
    """
    PROCESSES.join()
    try:
        yield PROCESSES.share.rank == 0
    finally:
        PROCESSES.leave()


def serve() -> None:
    """Add gradients until the first process has ended. Raises EngineError where that is killed.

    What asks for a stop comes to all of them; the first one's answer holds.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    encoders: dict[str, Encoder] = {}
    helper: Helper | None = None
    generator = torch.Generator()
    while True:
        order, inputs = PROCESSES.receive(generator)
        if order is Order.END:
            return
        if order is Order.BEGIN:
            helper = Helper(inputs, encoders)
        else:
            assert helper is not None, "a training begins before its first step"
            helper.step(generator)


class Helper:
    """Computes gradients for a training of ``inputs``; ``encoders`` keeps what was loaded."""

    def __init__(self, inputs: TrainingInputs, encoders: dict[str, Encoder]) -> None:
        device = devices.choose(inputs.device)
        settings = inputs.settings
        if settings.encoder not in encoders:
            encoders[settings.encoder] = load_encoder(settings.encoder, device)
        self.settings, self.encoder = settings, encoders[settings.encoder]
        generator = torch.Generator().manual_seed(inputs.seed)
        ready = set_up(inputs, self.encoder, generator=generator, report=_Mute())
        self.atlas, self.canvases, self.targets = ready.atlas, ready.canvases, ready.targets
        self.sampler = self.atlas.sampler(self.canvases, self.encoder.size, settings)

    def step(self, generator: torch.Generator) -> None:
        """Take part in a step of the first process, which draws with ``generator``."""
        PROCESSES.send_state(self.atlas)
        terms = step_terms(
            self.sampler, self.canvases, self.encoder, self.targets, self.settings,
            generator=generator, share=PROCESSES.share,
        )  # fmt: skip
        self.atlas.zero_grad()
        with devices.fast_matrices(next(self.atlas.parameters()).device):
            weighted_sum(terms, self.settings.weights).backward()
        PROCESSES.sum_gradients(self.atlas)


class _Mute:
    """A report of which nobody knows: the first process says all."""

    def progress(self, step: int, total: int, terms: Mapping[str, float] | None = None) -> None:
        """Say nothing."""

    def preview(self, name: str, image: Any) -> None:
        """Show nothing."""

    def warning(self, message: str, hint: str = "") -> None:
        """Warn of nothing."""

    def stopping(self) -> bool:
        """Who is stopped is the first process."""
        return False
