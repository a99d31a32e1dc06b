"""The same numbers on one machine, whatever number of threads the process was given.

Some of OpenCV's routines split a picture by the number of threads and give another answer for
another split (the patches of the DIS flow start anew in each stripe).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import cv2

THREADS = 4


@contextlib.contextmanager
def repeatable() -> Iterator[None]:
    """Let OpenCV split its work into the same parts everywhere, and put its choice back."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(THREADS)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
