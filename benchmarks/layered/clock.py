"""The clock of all contestants: the wall's, or the processor time of this process."""

from __future__ import annotations

import time

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
_chosen = "wall"


def choose(name: str) -> None:
    """Take the wall's clock, or the processor's where others use the machine at the same time."""
    global _chosen
    _chosen = name


def now() -> float:
    """Return seconds since some moment."""
    return CLOCKS[_chosen]()


def name() -> str:
    """Return which clock it is."""
    return _chosen
