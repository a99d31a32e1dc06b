"""Folding events into one value for display. Pure but for `JobReader`, which reads the file."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from ..contract import events, files
from ..contract.codec import event_from_json
from ..contract.folder import EXIT_UNHEARD, JobFolder
from ..contract.job import Stage
from . import process


class Phase(Enum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


STAGE_LABELS = {
    Stage.FRAMES: "Reading Frames",
    Stage.FLOW: "Following Motion",
    Stage.MASKS: "Finding Object",
    Stage.DECOMPOSITION: "Separating Layers",
    Stage.STYLIZATION: "Stylizing",
    Stage.RENDER: "Rendering",
}
# Between the masks and the stage after them torch and open_clip are imported.
LOADING = "Loading Libraries"

POLL_SECONDS = 0.004  # a host that draws windows has no more to spare
BLOCK = 2**16  # bytes; no event of ours is longer
MOST_KEPT = 100  # warnings, and names of previews
PROGRESS = b'{"event": "progress"'

# Rough shares of a job's time, for one bar over all stages.
STAGE_SHARES = {
    Stage.FRAMES: 0.03,
    Stage.FLOW: 0.05,
    Stage.MASKS: 0.07,
    Stage.DECOMPOSITION: 0.4,
    Stage.STYLIZATION: 0.35,
    Stage.RENDER: 0.1,
}


@dataclass(frozen=True)
class Status:
    """All that a user interface shows of a job."""

    phase: Phase = Phase.WAITING
    stage: Stage | None = None
    step: int = 0
    total: int = 0
    terms: dict[str, float] = field(default_factory=dict)
    seconds_left: float | None = None
    device: str = ""
    previews: dict[str, str] = field(default_factory=dict)
    preview_count: int = 0
    warnings: tuple[tuple[str, str], ...] = ()
    stage_seconds: dict[str, float] = field(default_factory=dict)
    reused: tuple[Stage, ...] = ()
    fault: events.Fault | None = None
    message: str = ""
    hint: str = ""
    frames: int = 0
    paused: bool = False
    waits: bool = False
    seconds: float = 0.0

    @property
    def ended(self) -> bool:
        """Will nothing more happen?"""
        return self.phase in (Phase.FINISHED, Phase.FAILED, Phase.CANCELLED)

    @property
    def stage_fraction(self) -> float:
        """How much of the current stage is done, 0 to 1."""
        return min(1.0, max(0.0, self.step / self.total)) if self.total > 0 else 0.0

    @property
    def fraction(self) -> float:
        """How much of the whole job is done, 0 to 1."""
        if self.phase is Phase.FINISHED:
            return 1.0
        if self.stage is None:
            return 0.0
        stages = list(Stage)
        before = stages[: stages.index(self.stage)]
        share = STAGE_SHARES[self.stage] * self.stage_fraction
        return sum(STAGE_SHARES[stage] for stage in before) + share

    @property
    def doing(self) -> str:
        """What is being done, '' before the first stage."""
        if self.stage is Stage.MASKS and self.stage.value in self.stage_seconds:
            return LOADING
        return STAGE_LABELS[self.stage] if self.stage else ""

    @property
    def label(self) -> str:
        """One line: the stage, how far the whole job is, how long still."""
        if self.paused and not self.ended:
            return "Paused"
        if self.waits and not self.ended:
            return "Waiting for Another Job"
        if self.phase is Phase.RUNNING and self.stage is not None:
            text = f"{self.doing} {100 * self.fraction:.0f} %"
            return f"{text}, {duration(self.seconds_left)} left" if self.seconds_left else text
        return {"waiting": "Starting", "running": "Starting"}.get(
            self.phase.value, self.phase.value.capitalize()
        )


def duration(seconds: float) -> str:
    """Say a time as a person would: 40 s, 3 min, 2 h 5 min."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def fold(status: Status, event: events.Event) -> Status:
    """Return the status after ``event``."""
    match event:
        case events.Hello():
            return replace(status, phase=Phase.RUNNING)
        case events.DeviceChosen(name=name):
            return replace(status, device=name)
        case events.StageStarted(stage=stage):
            return replace(
                status, stage=stage, step=0, total=0, terms={}, seconds_left=None, waits=False
            )
        case events.Progress():
            return replace(
                status,
                stage=event.stage,
                step=event.step,
                total=event.total,
                terms=dict(event.terms),
                seconds_left=event.seconds_left,
                waits=False,
            )
        case events.Waiting():
            return replace(status, waits=True)
        case events.Preview(name=name, path=path):
            previews = status.previews
            if previews.get(name) != path and len(previews) < MOST_KEPT:
                previews = {**previews, name: path}
            return replace(status, previews=previews, preview_count=status.preview_count + 1)
        case events.Warned(message=message, hint=hint):
            known = (message, hint) in status.warnings or len(status.warnings) >= MOST_KEPT
            kept = status.warnings if known else (*status.warnings, (message, hint))
            return replace(status, warnings=kept)
        case events.StageFinished(stage=stage, seconds=seconds, reused=reused):
            seconds_by_stage = {**status.stage_seconds, stage.value: seconds}
            known = dict.fromkeys((*status.reused, stage) if reused else status.reused)
            return replace(status, stage_seconds=seconds_by_stage, reused=tuple(known), waits=False)
        case events.Paused() | events.Resumed():
            return replace(status, paused=isinstance(event, events.Paused))
        case _:
            return _end_status(status, event)


def _end_status(status: Status, event: events.Event) -> Status:
    match event:
        case events.Finished(frames=frames, seconds=seconds):
            return replace(
                status, phase=Phase.FINISHED, frames=frames, seconds=seconds, seconds_left=None
            )
        case events.Failed(fault=fault, message=message, hint=hint):
            return replace(status, phase=Phase.FAILED, fault=fault, message=message, hint=hint)
        case events.Cancelled():
            return replace(status, phase=Phase.CANCELLED, seconds_left=None)
    return status


def crash_status(status: Status, code: int) -> Status:
    """Return the status of an engine that ended with ``code`` before it said a last word."""
    return replace(
        status,
        phase=Phase.FAILED,
        fault=events.Fault.DISK_FULL if code == EXIT_UNHEARD else events.Fault.CRASHED,
        message=process.exit_sentence(code),
        hint="Run the job again: it goes on from its last checkpoint. The log tells more.",
    )


class JobReader:
    """Follows one job folder; each `poll` reads what is new, and of much only a part."""

    def __init__(self, job_folder: Path) -> None:
        self.job_folder = job_folder
        self.status = Status()
        self.is_behind = False  # is there more to read at once?
        self._offset = 0
        self._file_id = 0

    def poll(self, seconds: float = POLL_SECONDS) -> Status:
        """Read new events for at most about ``seconds`` of computing and return the status."""
        end = time.thread_time() + seconds
        try:
            number = files.open_plain(JobFolder(self.job_folder).events, os.O_RDONLY)
        except OSError:
            return self.status
        with os.fdopen(number, "rb") as file:
            facts = os.fstat(number)
            if facts.st_ino != self._file_id or facts.st_size < self._offset:
                self.status, self._offset, self._file_id = Status(), 0, facts.st_ino
            self.is_behind = facts.st_size > self._offset
            while self.is_behind and time.thread_time() < end:
                file.seek(self._offset)
                self.is_behind = self._take_block(file.read(BLOCK), end)
        return self.status

    def read_to_end(self) -> Status:
        """Read all events that are there, however long it takes, and return the status."""
        return self.poll(math.inf)

    def _take_block(self, block: bytes, end: float) -> bool:
        """Read the whole lines of a block until ``end``; is there most likely more?"""
        lines = block.split(b"\n")
        rest = lines.pop()
        if not lines and len(block) == BLOCK:  # none of our lines: what is left of it is no event
            self._offset += len(block)
            return True
        for index, line in enumerate(lines):
            if time.thread_time() > end:
                return True
            self._offset += len(line) + 1
            following = lines[index + 1] if index + 1 < len(lines) else b""
            if not (line.startswith(PROGRESS) and following.startswith(PROGRESS)):
                self._take(line)
        return len(block) == BLOCK and len(rest) < BLOCK

    def _take(self, line: bytes) -> None:
        try:
            event = event_from_json(json.loads(line))
        except (ValueError, RecursionError):  # no line of ours
            return
        if event is not None:
            self.status = fold(self.status, event)
