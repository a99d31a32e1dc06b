"""Freed memory stays with the process. Standard library only.

The C library of Linux gives each large block back to the system when it is freed, and a step of
a training frees hundreds of them: half of its time went into having the same pages cleared again.
"""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # parameters of glibc's `mallopt`
KEPT = 2**31 - 1  # bytes of freed memory at the heap's end that may stay
GROWTH = 64 << 20  # bytes by which the heap grows at a time


def keep_freed_memory() -> bool:
    """Let freed blocks be used again rather than be given back; False where the system has no such.

    To be called before the work begins. What a process holds is then the most that it ever needed.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    wanted = ((MMAP_MAX, 0), (TRIM_THRESHOLD, KEPT), (TOP_PAD, GROWTH))
    return all(mallopt(name, value) == 1 for name, value in wanted)
