"""Starting and stopping the engine, and telling a living one from a dead one.

Knows nothing of Blender: any program that can write a job folder can use it.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..contract import files, locks, variables
from ..contract.folder import EXIT_UNHEARD, JobFolder

LOG_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND
PASSED_ON = (
    "PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT", "SYSTEMDRIVE",
    "USERPROFILE", "LOCALAPPDATA", "APPDATA", "PROGRAMDATA", "WINDIR", "COMSPEC", "PATHEXT",
    "NUMBER_OF_PROCESSORS", "XDG_CACHE_HOME", "XDG_DATA_HOME", "LD_LIBRARY_PATH",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE",
    "ALL_PROXY",
    "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "HF_HOME", "HF_HUB_OFFLINE", "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS", variables.WEIGHTS, "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX",
)  # fmt: skip


@dataclass(frozen=True)
class Launch:
    """How an engine is started.

    ``engine_root`` is the folder that holds the package ``engine``; ``verb`` is run or rehearse.
    ``memory_gb`` is the most graphics memory that a job may take, 0 for all of it.
    """

    python: Path
    engine_root: Path
    cache: Path | None = None
    verb: str = "run"
    online: bool = True
    memory_gb: float = 0.0

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the command line that begins with ``words``, a verb and what it needs."""
        line = [str(self.python), "-P", "-m", "engine", *words]
        if self.cache is None or self.verb != "run":
            return line
        return [*line, "--cache", str(self.cache)]

    def environment(self) -> dict[str, str]:
        """Return `environment` and what this engine is told beside its request."""
        kept = environment(self.engine_root, online=self.online)
        if self.cache:
            kept[variables.WEIGHTS] = str(self.cache.with_name("weights"))
        if self.memory_gb:
            kept[variables.MEMORY] = str(self.memory_gb)
        return kept


def environment(engine_root: Path, *, online: bool = True) -> dict[str, str]:
    """Return a clean environment for the engine: the host's Python must not leak into it."""
    kept = {name: value for name, value in os.environ.items() if name in PASSED_ON}
    kept |= {"PYTHONPATH": str(engine_root), "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}
    if not online:
        kept["HF_HUB_OFFLINE"] = "1"
    return kept


def start(launch: Launch, job_folder: Path) -> subprocess.Popen:
    """Start the engine on a job folder that holds ``job.json``; it outlives this process.

    What the engine prints goes to ``engine.log``. Raises OSError where Python cannot be started,
    where another engine works in the folder, or where something in it leads elsewhere.
    """
    folder = JobFolder(job_folder)
    clear(folder)
    words = [launch.verb, str(job_folder), "--quiet"]
    with os.fdopen(files.open_plain(folder.log, LOG_FLAGS), "ab") as log:
        return spawn(launch, words, job_folder, stdin=subprocess.DEVNULL, stdout=log)


def clear(folder: JobFolder) -> None:
    """Remove what an earlier run and its host said to each other; raises OSError as `start`."""
    folder.check()
    if locks.is_held(folder.lock):
        raise OSError(errno.EBUSY, "another engine works in this folder", str(folder.path))
    for left_over in (folder.stop, folder.pause, folder.events):
        left_over.unlink(missing_ok=True)


def spawn(
    launch: Launch, words: Sequence[str], cwd: Path, *, stdin: int, stdout: int | IO[bytes]
) -> subprocess.Popen:
    """Start an engine in a session of its own, behind the host's window."""
    flags: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        below_normal = subprocess.BELOW_NORMAL_PRIORITY_CLASS
        group = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        flags = {"creationflags": below_normal | group}
    return subprocess.Popen(
        launch.command(words),
        env=launch.environment(),
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        **flags,
    )


def request_stop(job_folder: Path) -> None:
    """Ask the engine to stop at its next step; it leaves a checkpoint."""
    files.append(JobFolder(job_folder).stop, b"")


def pause(job_folder: Path) -> None:
    """Ask the engine to wait at its next step."""
    files.append(JobFolder(job_folder).pause, b"")


def go_on(job_folder: Path) -> None:
    """Let an engine that waits go on."""
    JobFolder(job_folder).pause.unlink(missing_ok=True)


def is_alive(job_folder: Path) -> bool:
    """Does an engine work in this job folder?"""
    return locks.is_held(JobFolder(job_folder).lock)


def exit_sentence(code: int) -> str:
    """Say what an exit code means for a process that ended without a last event."""
    if code in (-9, 137):
        return "The engine was ended by the system, most likely because memory ran out."
    if code == EXIT_UNHEARD:
        return "The engine could not write how it ended: the disk is full or the folder is gone."
    if code in (0xC0000005, -0x3FFFFFFB):
        return "The engine crashed, most likely in the graphics driver."
    return f"The engine ended without a word (exit code {code})."
