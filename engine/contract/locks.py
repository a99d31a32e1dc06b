"""Locks of the operating system's kernel: freed when a process ends, however that happens.

Standard library only. A lock is a file; who holds it removes it in the end.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from . import files

if sys.platform == "win32":
    import msvcrt

    def _seize(number: int) -> None:
        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _seize(number: int) -> None:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class Lock:
    """The lock in one file; at most one process holds it at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number: int | None = None

    def take(self) -> bool:
        """Take the lock, or return False where another one has it.

        Raises OSError where the file cannot be made or the disk cannot lock.
        """
        while True:
            number = files.open_plain(self.path, os.O_RDWR | os.O_CREAT)
            try:
                if not _try_to_seize(number):
                    os.close(number)
                    return False
                there = os.path.samestat(os.fstat(number), self.path.lstat())
            except FileNotFoundError:
                there = False  # who held it before has removed the file since we opened it
            except BaseException:
                os.close(number)
                raise
            if there:
                self._number = number
                return True
            os.close(number)

    def free(self) -> None:
        """Let the next one have it."""
        number, self._number = self._number, None
        if number is None:
            return
        try:
            if sys.platform != "win32":  # there a file that is open cannot be removed
                self.path.unlink(missing_ok=True)
        finally:
            os.close(number)
        if sys.platform == "win32":
            try:
                self.path.unlink(missing_ok=True)
            except PermissionError:
                return  # the next one has opened it


def is_held(path: Path) -> bool:
    """Does a living process hold the lock in ``path``?"""
    try:
        number = files.open_plain(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _try_to_seize(number)
    finally:
        os.close(number)


def _try_to_seize(number: int) -> bool:
    try:
        _seize(number)
    except OSError as error:
        if error.errno in TAKEN:
            return False
        raise
    return True
