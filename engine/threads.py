"""How many threads compute on the processor: all cores, and one where others want the cores too.

Knows the system's accounts and PyTorch's number of threads, nothing of jobs. Each small operation
ends when its slowest thread ends. Beside a program that takes the cores, such as a window drawn
without a graphics card, several threads wait for each other most of the time: seen here, ten
times as slow as alone, while one thread took twice as long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch

from .cores import requested_threads

WINDOW = 2.0  # seconds over which is averaged
CROWDED = 0.3  # part of the time that threads which could run had to wait for a core
BACK_AFTER = 20.0  # seconds on one thread before all cores are tried again, doubled each time

Accounts = Callable[[], tuple[float, float] | None]


def time_of_threads() -> tuple[float, float] | None:
    """Return the seconds that all threads of this process computed, and waited for a core.

    None where the system does not say: only Linux does.
    """
    ran = waited = 0
    try:
        for path in Path("/proc/self/task").iterdir():
            numbers = (path / "schedstat").read_text().split()
            ran, waited = ran + int(numbers[0]), waited + int(numbers[1])
    except (OSError, ValueError, IndexError):
        return None
    return ran / 1e9, waited / 1e9


class ThreadChoice:
    """Lets a job compute on one thread for as long as the cores are crowded.

    A sum over another number of threads may differ in its last bits; where OMP_NUM_THREADS is set
    the number stays as it is, and so do all bits.
    """

    def __init__(self, accounts: Accounts = time_of_threads) -> None:
        self._accounts = accounts
        self._all = torch.get_num_threads()
        self._fixed = requested_threads() is not None or self._all == 1
        self._wait = BACK_AFTER
        self._since, self._last = time.monotonic(), None if self._fixed else accounts()

    def choose(self) -> None:
        """Look at the last seconds and choose the threads of the next ones.

        To be called by the thread that computes, often: the number belongs to it.
        """
        now = time.monotonic()
        if self._fixed or now - self._since < self._window:
            return
        before, self._last = self._last, self._accounts()
        self._since = now
        if before is None or self._last is None:
            return
        if torch.get_num_threads() == 1:
            torch.set_num_threads(self._all)
            self._wait *= 2
        elif _waiting_share(before, self._last) > CROWDED:
            torch.set_num_threads(1)

    @property
    def _window(self) -> float:
        return self._wait if torch.get_num_threads() == 1 else WINDOW


def _waiting_share(before: tuple[float, float], after: tuple[float, float]) -> float:
    """Return which part of the time threads that could run waited for a core."""
    ran, waited = after[0] - before[0], after[1] - before[1]
    return waited / max(ran + waited, 1e-9)
