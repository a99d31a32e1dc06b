"""How many cores a job may use. Needs no PyTorch."""

from __future__ import annotations

import os


def requested_threads() -> int | None:
    """Return OMP_NUM_THREADS, None where it names no number: then the cores decide."""
    number = os.environ.get("OMP_NUM_THREADS", "")
    return int(number) if number.isdigit() and int(number) > 0 else None


def count() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
