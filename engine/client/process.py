"""Starting and stopping the engine, and telling a living one from a dead one.

Knows nothing of Blender: any program that can write a job folder can use it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ..contract import variables
from ..contract.folder import JobFolder

HEARTBEAT_LIMIT = 20.0
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


def command(python: Path, verb: str, job_folder: Path, cache: Path | None = None) -> list[str]:
    """Return the command line that runs the job in ``job_folder``; ``verb`` is run or rehearse."""
    line = [str(python), "-P", "-m", "engine", verb, str(job_folder), "--quiet"]
    return line if cache is None or verb != "run" else [*line, "--cache", str(cache)]


def environment(engine_root: Path, *, online: bool = True) -> dict[str, str]:
    """Return a clean environment for the engine: the host's Python must not leak into it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.startswith(("PIP_", "UV_"))
    }
    kept |= {"PYTHONPATH": str(engine_root), "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}
    if not online:
        kept["HF_HUB_OFFLINE"] = "1"
    return kept


def start(
    python: Path,
    engine_root: Path,
    job_folder: Path,
    *,
    cache: Path | None = None,
    verb: str = "run",
    online: bool = True,
    memory_gb: float = 0.0,
) -> subprocess.Popen:
    """Start the engine on a job folder that holds ``job.json``; it outlives this process.

    ``engine_root`` is the folder that holds the package ``engine``. ``memory_gb`` is the most
    graphics memory that the job may take, 0 for all of it. What the engine prints goes
    to ``engine.log``. Raises OSError where ``python`` cannot be started.
    """
    folder = JobFolder(job_folder)
    for left_over in (folder.stop, folder.pause, folder.events, folder.heartbeat):
        left_over.unlink(missing_ok=True)
    flags: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        below_normal = subprocess.BELOW_NORMAL_PRIORITY_CLASS
        group = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        flags = {"creationflags": below_normal | group}
    more = {variables.WEIGHTS: str(cache.with_name("weights"))} if cache else {}
    more |= {variables.MEMORY: str(memory_gb)} if memory_gb else {}
    with folder.log.open("ab") as log:
        return subprocess.Popen(
            command(python, verb, job_folder, cache),
            env=environment(engine_root, online=online) | more,
            cwd=job_folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **flags,
        )


def request_stop(job_folder: Path) -> None:
    """Ask the engine to stop at its next step; it leaves a checkpoint."""
    JobFolder(job_folder).stop.touch()


def pause(job_folder: Path) -> None:
    """Ask the engine to wait at its next step."""
    JobFolder(job_folder).pause.touch()


def go_on(job_folder: Path) -> None:
    """Let an engine that waits go on."""
    JobFolder(job_folder).pause.unlink(missing_ok=True)


def is_alive(job_folder: Path) -> bool:
    """Has an engine given a sign of life in this job folder lately?"""
    try:
        age = time.time() - JobFolder(job_folder).heartbeat.stat().st_mtime
    except FileNotFoundError:
        return False
    return age < HEARTBEAT_LIMIT


def last_words(job_folder: Path, lines: int = 12) -> str:
    """Return the end of ``engine.log``, for an error message."""
    try:
        text = JobFolder(job_folder).log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])


def exit_sentence(code: int) -> str:
    """Say what an exit code means for a process that ended without a last event."""
    if code in (-9, 137):
        return "The engine was ended by the system, most likely because memory ran out."
    if code in (0xC0000005, -0x3FFFFFFB):
        return "The engine crashed, most likely in the graphics driver."
    return f"The engine ended without a word (exit code {code})."
