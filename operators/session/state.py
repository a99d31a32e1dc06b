"""The only state that changes while Blender runs, and the questions that others ask about it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...engine.client.standby import Standby
from ...engine.client.status import Phase
from .. import estimate, folders, properties
from ..installing import Setup
from ..job import Job, Kind


@dataclass
class State:
    """All that changes while Blender runs."""

    jobs: dict[str, Job] = field(default_factory=dict)
    unread: list[Path] = field(default_factory=list)  # folders that may hold jobs, the newest last
    setup: Setup | None = None
    standby: Standby | None = None
    engine: str = ""
    storage: dict[str, int] = field(default_factory=dict)
    pictures: Any = None
    thumbnails: dict[str, int] = field(default_factory=dict)
    keeps_running: bool = True
    orders: int = 0
    looked_at: str = ""  # the job that the last look ended with
    rates: estimate.Rates | None = None
    pictures_over: dict[Kind, list] = field(default_factory=dict)  # see `overlay`
    draws_by_hand: bool = False  # an operator does, and shows what is there already
    handlers: list = field(default_factory=list)
    seen: Any = None  # a `showing.Seen`: what the windows have been told to show last
    seen_at: float = 0.0


state = State()


def newest_first() -> list[Job]:
    """Return the jobs, the last one first."""
    return sorted(state.jobs.values(), key=lambda job: job.id, reverse=True)


def waiting_jobs() -> list[Job]:
    """Return the jobs that wait for their turn, the next one first."""
    return sorted((job for job in state.jobs.values() if job.queued), key=lambda job: job.order)


def next_order() -> int:
    """Return a number behind all others in the queue."""
    state.orders += 1
    return state.orders


def job_of(strip: Any) -> Job | None:
    """Return the last job of a source strip, or the job that made a result strip."""
    facts = properties.of(strip)
    if facts.result_of:
        return state.jobs.get(facts.result_of)
    found = jobs_of(strip)
    return found[0] if found else None


def current_job(strip: Any) -> Job | None:
    """Return the job of a source strip that is under way, else its last one."""
    found = jobs_of(strip)
    under_way = [job for job in found if not job.status.ended]
    running = [job for job in under_way if not job.queued]
    return next(iter([*running, *reversed(under_way), *found]), None)


def jobs_of(strip: Any) -> list[Job]:
    """Return all jobs of a source strip, the last one first."""
    mark = properties.of(strip).strip_id
    return [job for job in newest_first() if mark and job.place.strip_id == mark]


def last_finished(strip: Any, kind: Kind) -> Job | None:
    """Return the last job of a kind that has done what it was for, None where there is none."""
    found = (job for job in jobs_of(strip) if job.kind is kind)
    return next((job for job in found if job.status.phase is Phase.FINISHED), None)


def rates() -> estimate.Rates:
    """Return what finished jobs took; reads the disk once."""
    if state.rates is None:
        state.rates = estimate.read(folders.workspace())
    return state.rates


def engine() -> str:
    """Return the engine's state as it was when it was last looked at."""
    if not state.engine:
        refresh_engine()
    return state.engine


def refresh_engine() -> None:
    """Look at the disk for the engine's state."""
    state.engine = folders.engine_state()
