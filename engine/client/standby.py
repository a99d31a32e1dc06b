"""An engine that is started before there is a job, so that the next one need not wait for imports.

It holds no graphics memory, ends by itself after a while, and with this process.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ..contract.folder import JobFolder
from . import process

IDLE_SECONDS = 900.0  # seconds after which an engine that nobody needed ends
VALID_FOR = 840.0  # seconds for which a host counts on it


@dataclass(frozen=True)
class Standby:
    """An engine that waits, and how it was started."""

    process: subprocess.Popen
    launch: process.Launch
    began: float

    def fits(self, launch: process.Launch) -> bool:
        """Would a job that is to start so run in it?"""
        young = time.monotonic() - self.began < VALID_FOR
        return young and self.launch == launch and self.process.poll() is None

    def give(self, job_folder: Path) -> subprocess.Popen | None:
        """Let it run the job in ``job_folder``; None where it has just ended."""
        process.clear(JobFolder(job_folder))
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{job_folder}\n".encode())
            self.process.stdin.close()
        except OSError:
            return None
        return self.process

    def end(self) -> None:
        """Let it go; it has nothing to lose."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


def prepare(launch: process.Launch) -> Standby:
    """Start an engine that waits. Raises OSError where its Python cannot be started."""
    started = process.spawn(
        launch, ["wait"], Path(tempfile.gettempdir()),
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return Standby(started, launch, time.monotonic())
