"""The engine's own Python environment: where it is, what is to be said of it, how large it is.

It is built beside its final folder and gets its name when it has proved that it can compute; how,
is in `installation`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

MARKER = "strip-stylizer.json"
LOCK = Path(__file__).parents[1] / "requirements.txt"
RENAME_TRIES = 4


class State(Enum):
    """What is to be said of an environment."""

    NOT_INSTALLED = "not installed"
    INCOMPLETE = "incomplete"
    READY = "ready"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class Environment:
    """A folder with a Python environment that can run the engine."""

    folder: Path

    @property
    def partial(self) -> Path:
        """Where the environment is built before it gets its name."""
        return self.folder.with_name(self.folder.name + ".partial")

    @property
    def packages(self) -> Path:
        """Where downloaded packages wait for being installed."""
        return self.folder.with_name("packages")

    @property
    def python(self) -> Path:
        """The interpreter."""
        return python_of(self.folder)

    def marker(self) -> dict:
        """Return what the installation wrote down when it had succeeded, {} before that."""
        try:
            found = json.loads((self.folder / MARKER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def state(self, version: str) -> State:
        """Describe the environment; ``version`` is that of the engine that wants to use it.

        A newer engine can use an environment whose packages were locked as its own are.
        """
        marker = self.marker()
        if not marker:
            there = self.partial.exists() or self.folder.exists()
            return State.INCOMPLETE if there else State.NOT_INSTALLED
        if not self.python.is_file():  # also where it links to a Python that was removed
            return State.INCOMPLETE
        fits = marker.get("version") == version or marker.get("lock") == lock_digest()
        return State.READY if fits else State.OUTDATED

    def finish(self, version: str, **facts: object) -> None:
        """Give the built environment its name; ``facts`` are kept with it."""
        marker = {"version": version, "lock": lock_digest(), **facts}
        (self.partial / MARKER).write_text(json.dumps(marker), encoding="utf-8")
        old = self.folder.with_name(self.folder.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if self.folder.exists():
            rename(self.folder, old)
        try:
            rename(self.partial, self.folder)
        except OSError:
            if old.exists():
                rename(old, self.folder)
            raise
        shutil.rmtree(old, ignore_errors=True)

    def remove(self) -> None:
        """Delete the environment and what is left of unfinished ones."""
        for folder in (self.folder, self.partial, self.packages):
            shutil.rmtree(folder, ignore_errors=True)


def rename(source: Path, target: Path) -> None:
    """Rename a folder; a virus scanner may hold it for a moment."""
    for remaining in reversed(range(RENAME_TRIES)):
        try:
            source.replace(target)
            return
        except PermissionError:
            if remaining == 0:
                raise
            time.sleep(1.0)


def lock_digest() -> str:
    """Return what tells one lock file from another."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]


def python_of(folder: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    if sys.platform == "win32":
        return folder / "Scripts" / "python.exe"
    return folder / "bin" / "python"


def size_of(folder: Path) -> int:
    """Return how many bytes a folder takes on the disk; a file with two names counts once."""
    total, seen = 0, set()
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                facts = (Path(place) / name).lstat()
            except OSError:
                continue
            if facts.st_nlink > 1:
                if (facts.st_dev, facts.st_ino) in seen:
                    continue
                seen.add((facts.st_dev, facts.st_ino))
            total += facts.st_size
    return total
