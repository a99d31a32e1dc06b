"""Jobs of earlier Blenders are found again, some at a time: there may be a thousand folders."""

import time
import traceback
from pathlib import Path

from ..job import Job, read_own
from .state import state

REMEMBERED = 50  # jobs of one file


def attach_some(seconds: float) -> None:
    """Read folders of `State.unread`, the newest first, for about so many seconds of computing."""
    end = time.thread_time() + seconds
    while state.unread and time.thread_time() < end:
        path = state.unread.pop()
        if path.name not in state.jobs and (job := _job_in(path)) is not None:
            job.paused_by = "user" if job.status.paused and not job.status.ended else ""
            state.jobs[job.id] = job
        if len(state.jobs) >= REMEMBERED:
            state.unread.clear()


def _job_in(path: Path) -> Job | None:
    """Return the job in a folder; one that cannot be read hides none but itself."""
    try:
        return read_own(path)
    except Exception:
        traceback.print_exc()
        return None
