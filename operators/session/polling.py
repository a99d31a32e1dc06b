"""The heartbeat of the jobs: a plain function that an application timer calls, and `wait`."""

import time
import traceback

import bpy

from ...engine.client import process
from ...engine.contract.events import Fault
from .. import folders
from ..job import Job, failed_status
from . import showing, work
from .attaching import attach_some
from .state import refresh_engine, state, waiting_jobs

INTERVAL = 0.25
TICK_SECONDS = 0.006  # of computing, after which the other jobs wait for the next look


def ensure_polling() -> None:
    """Let the timer run; it ends by itself when there is nothing to watch."""
    if not bpy.app.background and not bpy.app.timers.is_registered(poll):
        bpy.app.timers.register(poll, first_interval=INTERVAL, persistent=True)


def poll() -> float | None:
    """Look after all jobs once; returns the seconds until the next time, None when all rest."""
    state.keeps_running = folders.preference("keep_running", True)
    _yield_to_render()
    turn = _whose_turn()
    end = time.thread_time() + TICK_SECONDS
    attach_some(TICK_SECONDS / 3)
    for job in _in_turn():
        if not job.is_complete and (not job.queued or job.id in turn):
            _advance_or_fail(job)
            state.looked_at = job.id
            if time.thread_time() > end:
                break
    if state.setup is not None and not state.setup.ended:
        state.setup.advance()
        if state.setup.ended:
            refresh_engine()
    showing.show_changes()
    return INTERVAL if _busy() else None


def wait(job: Job) -> None:
    """Poll until ``job`` has settled; Ctrl-C cancels it."""
    job.must_arrive = True
    try:
        while not job.is_complete:
            poll()
            time.sleep(0.05)
    except KeyboardInterrupt:
        work.cancel(job)
        raise


def _in_turn() -> list[Job]:
    """Return all jobs, first those behind the one that was looked at last.

    Engines that have ended are let go of, so that the system forgets them too.
    """
    jobs = list(state.jobs.values())
    for job in jobs:
        if job.process is not None:
            job.process.poll()
    place = next((place for place, job in enumerate(jobs) if job.id == state.looked_at), -1)
    return jobs[place + 1 :] + jobs[: place + 1]


def _whose_turn() -> set[str]:
    """Name the jobs that may start now."""
    queue = waiting_jobs()
    if not queue:
        return set()
    running = sum(job.runs for job in state.jobs.values())
    free = folders.preference("jobs_at_once", 1) - running
    return {job.id for job in queue[: max(0, free)]}


def _yield_to_render() -> None:
    """Let the jobs wait while Blender renders, where the preferences say so."""
    if bpy.app.background:
        return
    renders = bpy.app.is_job_running("RENDER") and folders.preference("pause_while_rendering", True)
    for job in state.jobs.values():
        if renders and job.runs and not job.paused_by:
            process.pause(job.folder.path)
            job.paused_by = "render"
        elif not renders and job.paused_by == "render":
            process.go_on(job.folder.path)
            job.paused_by = ""


def _busy() -> bool:
    if state.unread or (state.setup is not None and not state.setup.ended):
        return True
    return any(
        not job.is_complete or (job.process is not None and job.process.poll() is None)
        for job in state.jobs.values()
    )


def _advance_or_fail(job: Job) -> None:
    """The border of the timer: a job that cannot go on fails, the others do not."""
    try:
        work.advance(job)
    except Exception as error:
        traceback.print_exc()
        work.end_baking(job)
        job.queued = False
        words = f"{type(error).__name__}: {error}"
        job.status = failed_status(job.status, Fault.UNEXPECTED, words, "Try again")
