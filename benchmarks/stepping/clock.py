"""Seconds of a training step, whole and in parts."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager

import torch


class Clock:
    """Seconds by name; on a GPU the device is waited for at every change."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def on(self, name: str):
        """Count what happens inside for ``name``."""
        self.wait()
        started = time.perf_counter()
        yield
        self.wait()
        self.seconds[name] += time.perf_counter() - started

    def wait(self) -> None:
        """Wait until the device has done all that it was given."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


class NoClock(Clock):
    """Counts nothing and does not wait."""

    @contextmanager
    def on(self, name: str):
        """Do nothing beside."""
        yield


def timed(step, steps: int, clock: Clock, device: torch.device) -> dict:
    """Take two steps to warm up, then measure them whole, then a quarter of them in parts."""
    unused = Clock(device)
    for _ in range(2):
        step(unused)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    free = NoClock(device)
    with clock.on("all"):
        for _ in range(steps):
            step(free)
    total = clock.seconds.pop("all")
    parts = Clock(device)
    some = max(1, steps // 4)
    for _ in range(some):
        step(parts)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    split = {name: round(1000 * value / some, 2) for name, value in parts.seconds.items()}
    split |= {name: round(1000 * value, 2) for name, value in clock.seconds.items()}
    return {
        "steps_per_second": steps / total,
        "seconds_for_2000": 2000 * total / steps,
        "peak_gigabytes": round(peak / 1e9, 2),
        "split": split,
    }
