"""An engine that waits for the next job: after a job somebody will most likely try another text."""

import contextlib
import subprocess
from pathlib import Path

import bpy

from ...engine.client import process, standby
from .. import folders
from .state import state


def launch(python: Path) -> process.Launch:
    """Return how a job's engine is started, as the preferences are now."""
    return process.Launch(
        python,
        folders.ROOT,
        cache=folders.cache(),
        verb="rehearse" if folders.rehearses() else "run",
        online=bpy.app.online_access,
        memory_gb=folders.preference("memory_limit_gb", 0.0),
    )


def take(wanted: process.Launch, job_folder: Path) -> subprocess.Popen | None:
    """Let the waiting engine run a job; None where there is none that was started so."""
    waiting = state.standby
    if waiting is None or not waiting.fits(wanted):
        drop()
        return None
    state.standby = None
    return waiting.give(job_folder)


def prepare() -> None:
    """Start an engine that waits, where the preferences have it and nobody else computes."""
    wanted = folders.preference("keep_ready", False) and not folders.rehearses()
    if not wanted or bpy.app.background:
        return
    busy = any(job.runs or job.queued for job in state.jobs.values())
    python = None if busy else folders.engine_python()
    if python is None:
        return
    drop()
    with contextlib.suppress(OSError):  # the next job says what is wrong with it
        state.standby = standby.prepare(launch(python))


def drop() -> None:
    """End the engine that waits: it is not wanted, or its files are about to change."""
    waiting, state.standby = state.standby, None
    if waiting is not None:
        waiting.end()
