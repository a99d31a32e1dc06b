"""What a look after the jobs has changed, and so which regions draw again.

A change of state is shown at once. Mere progress is shown `PROGRESS_SECONDS` after the last time:
to draw a window in software takes the processor from the engine.
"""

import time
from dataclasses import dataclass

from .. import strips
from ..job import Job
from .state import state

PROGRESS_SECONDS = 1.0


@dataclass(frozen=True)
class Seen:
    """What is seen of all jobs: by how much of the window a change of it concerns."""

    everywhere: tuple
    panels: tuple
    preferences: tuple
    words: tuple
    bars: tuple


def what_is_seen() -> Seen:
    """Return what there is to be seen now."""
    jobs = [job for job in state.jobs.values() if not job.is_complete]
    setup = state.setup
    return Seen(
        everywhere=(*map(_state_of, jobs), setup is not None and setup.ended),
        panels=tuple(map(_shown_of, jobs)),
        preferences=(setup.label, round(setup.fraction, 3)) if setup else (),
        words=tuple(job.label for job in jobs),
        bars=tuple(round(job.fraction, 3) for job in jobs),
    )


def _state_of(job: Job) -> tuple:
    """Return what of a job strips and pictures may depend on."""
    return job.id, job.status.phase, job.arrived, job.note, job.queued, job.paused_by


def _shown_of(job: Job) -> tuple:
    """Return what the panels show of a job beside how far it is."""
    status = job.status
    return (
        job.words[0], status.stage, status.paused, status.device, len(status.warnings),
        job.pictures_seen, bool(job.step_to_keep),
    )  # fmt: skip


def show_changes(now: float | None = None) -> None:
    """Let draw again what has changed since this was called last; ``now`` is in seconds."""
    now = time.monotonic() if now is None else now
    fresh, last = what_is_seen(), state.seen
    if fresh == last:
        return
    if last is None or fresh.everywhere != last.everywhere:
        strips.redraw()
    elif fresh.panels != last.panels:
        strips.redraw_panels()
        strips.redraw_timelines()
    elif now - state.seen_at >= PROGRESS_SECONDS:
        _show_progress(fresh, last)
    else:
        return  # the next look shows it
    state.seen, state.seen_at = fresh, now


def _show_progress(fresh: Seen, last: Seen) -> None:
    strips.redraw_panels()
    if fresh.bars != last.bars:
        strips.redraw_timelines()
    if fresh.preferences != last.preferences:
        strips.redraw_preferences()
