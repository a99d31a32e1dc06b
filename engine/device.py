"""Which device, how much memory, seeding. The only module that decides where tensors live.

It also decides how much is computed at once: less where the memory of a GPU has run out.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

from . import cores
from .contract import variables
from .contract.events import DeviceChosen, EngineError, Fault, Report

Value = TypeVar("Value")
LEAST_PART = 1 / 16  # of what is usually computed at once
FEEDING = 4  # threads that are enough where a GPU computes; more wait for each other


class AtOnce:
    """How much is computed in one operation: ``part`` of what is usual."""

    def __init__(self) -> None:
        self.part = 1.0

    def __call__(self, usual: int) -> int:
        """Return how many to take where ``usual`` are taken else, at least 1."""
        return max(1, int(usual * self.part))

    def halve(self) -> bool:
        """Take half as many from now on; False where that would be too few."""
        if self.part <= LEAST_PART:
            return False
        self.part /= 2
        return True


at_once = AtOnce()


def within_memory(compute: Callable[[], Value], report: Report) -> Value:
    """Return what ``compute()`` makes; where the memory of a GPU runs out, in smaller chunks.

    It is called again then, and goes on from a checkpoint of its own if it has one. Raises what it
    raised where chunks are as small as they may be.
    """
    while True:
        try:
            return compute()
        except RuntimeError as error:
            if not is_out_of_memory(error) or not at_once.halve():
                raise
        # Here the error is gone, and with it what the failed operation held.
        release_memory()
        report.warning(
            "The memory of the GPU was not enough: the job goes on in smaller chunks.",
            "It takes longer so. A lower working size or fewer views need less memory.",
        )


def is_out_of_memory(error: RuntimeError) -> bool:
    """Is it what an allocator of a GPU says? CUDA's and ROCm's have a class, others only words."""
    said = str(error)
    words = "out of memory" in said or "CUBLAS_STATUS_ALLOC_FAILED" in said
    return isinstance(error, torch.OutOfMemoryError) or words


def choose(wanted: str) -> torch.device:
    """Return the device for the setting ``wanted``: automatic, cuda (also ROCm), xpu, mps or cpu.

    Raises EngineError where a named device is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "xpu": torch.xpu.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wanted == "automatic":
        wanted = next((kind for kind, found in there.items() if found), "cpu")
    if not there.get(wanted, True):
        raise EngineError(
            Fault.DEVICE_UNAVAILABLE,
            f"This computer has no {wanted} device that PyTorch {torch.__version__} can use.",
            'Set the device to "automatic", or install the driver for this GPU.',
        )
    number = cores.count() if wanted == "cpu" else min(cores.count(), FEEDING)
    torch.set_num_threads(cores.requested_threads() or number)
    if wanted == "cuda":
        _limit_memory()
    return torch.device(wanted)


def take_gpu(number: int, count: int) -> bool:
    """Compute on the CUDA device with this ``number``; False where there are not ``count``."""
    if torch.cuda.device_count() < count:
        return False
    torch.cuda.set_device(number)
    return True


def _limit_memory() -> None:
    """Take no more of the graphics memory than the user allows, in GB; else all of it."""
    total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    if 0 < allowed_memory() < total:
        torch.cuda.set_per_process_memory_fraction(allowed_memory() / total)


def allowed_memory() -> float:
    """Return how many bytes of graphics memory the user allows; 0: all of it."""
    return float(os.environ.get(variables.MEMORY) or 0) * 1e9


def free_memory(device: torch.device) -> float:
    """Return how many bytes of a CUDA device a job may still take."""
    free, _ = torch.cuda.mem_get_info(device)
    kept = torch.cuda.memory_reserved(device)
    unused = kept - torch.cuda.memory_allocated(device)
    allowed = allowed_memory() or float("inf")
    return unused + min(free, allowed - kept)


def describe(device: torch.device) -> DeviceChosen:
    """Return what there is to say about ``device``."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return DeviceChosen("cuda", properties.name, properties.total_memory)
    if device.type == "xpu":
        properties = torch.xpu.get_device_properties(device)
        return DeviceChosen("xpu", properties.name, properties.total_memory)
    names = {"mps": "Apple GPU", "cpu": f"processor, {torch.get_num_threads()} threads"}
    return DeviceChosen(device.type, names[device.type])


def generator(seed: int) -> torch.Generator:
    """Return the one source of randomness of a stage.

    It lives on the CPU, so that the same seed draws the same numbers on every device.
    """
    return torch.Generator().manual_seed(seed)


def send(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a small CPU ``tensor`` on ``device``, without waiting for what that still computes."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


@contextlib.contextmanager
def fast_matrices(device: torch.device | str) -> Iterator[None]:
    """Let matrices be multiplied in TF32 on a GPU within: with 10 bits of each factor, not 23."""
    if torch.device(device).type != "cuda":
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def prove(device: torch.device) -> str:
    """Compute something on ``device`` and say so; raises where it cannot compute."""
    numbers = torch.ones(64, 64, device=device)
    assert float((numbers @ numbers).sum()) == 64.0**3
    return "right"


def release_memory() -> None:
    """Give back the graphics memory that is only kept for later."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
