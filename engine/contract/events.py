"""What the engine says while it works, and how it fails. Standard library only.

One event is one JSON object on one line of ``events.jsonl``: its ``event`` names the class below,
``time`` is in seconds since 1970. Readers ignore kinds and fields that they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from .files import one_line
from .job import Stage


class Fault(Enum):
    """Everything that can end a job early. Each has its entry in ``docs/remedies.md``."""

    BAD_JOB = "bad_job"
    MEDIA_UNREADABLE = "media_unreadable"
    FOOTAGE_TOO_SHORT = "footage_too_short"
    MASKS_UNREADABLE = "masks_unreadable"
    OBJECT_NOT_FOUND = "object_not_found"
    WEIGHTS_UNAVAILABLE = "weights_unavailable"
    DEVICE_UNAVAILABLE = "device_unavailable"
    OUT_OF_MEMORY = "out_of_memory"
    DIVERGED = "diverged"
    DISK_FULL = "disk_full"
    DISK_FAILED = "disk_failed"
    TOO_MANY_FILES = "too_many_files"
    FOLDER_IN_USE = "folder_in_use"
    FOLDER_UNWRITABLE = "folder_unwritable"
    ENVIRONMENT = "environment"
    CRASHED = "crashed"
    UNEXPECTED = "unexpected"


class EngineError(Exception):
    """A failure that a user can understand.

    ``message`` is one sentence that says what happened, with the numbers; ``hint`` says what to do.
    """

    def __init__(self, fault: Fault, message: str, hint: str) -> None:
        self.message = one_line(message)
        super().__init__(self.message)
        self.fault = fault
        self.hint = hint


class Stopped(Exception):
    """The host asked for a stop; a checkpoint has been written where there is something to keep."""


@dataclass(frozen=True)
class Hello:
    """First words, said before anything heavy is imported."""

    version: str
    protocol: int
    pid: int


@dataclass(frozen=True)
class DeviceChosen:
    """Where the engine computes; ``memory`` in bytes, 0 where unknown."""

    kind: str
    name: str
    memory: int = 0


@dataclass(frozen=True)
class StageStarted:
    """A stage begins."""

    stage: Stage


@dataclass(frozen=True)
class Progress:
    """At most five a second. ``seconds_left`` is for this stage, None while unknown."""

    stage: Stage
    step: int
    total: int
    terms: Mapping[str, float] = field(default_factory=dict)
    seconds_left: float | None = None


@dataclass(frozen=True)
class Preview:
    """A picture in the job folder was replaced; ``path`` is relative to the job folder."""

    name: str
    path: str


@dataclass(frozen=True)
class Warned:
    """Something that the user should know and that does not stop the job."""

    message: str
    hint: str = ""


@dataclass(frozen=True)
class StageFinished:
    """A stage is done; ``reused`` where an earlier job had done it."""

    stage: Stage
    seconds: float
    reused: bool


@dataclass(frozen=True)
class Paused:
    """The host asked to wait; nothing is computed until `Resumed`."""


@dataclass(frozen=True)
class Waiting:
    """Another job makes what this one needs for ``stage``; it goes on when that is there."""

    stage: Stage


@dataclass(frozen=True)
class Resumed:
    """The work goes on where it was."""


@dataclass(frozen=True)
class Finished:
    """All frames are in ``result/``, or the last stage that was asked for is done."""

    frames: int
    seconds: float


@dataclass(frozen=True)
class Failed:
    """The job ended early."""

    fault: Fault
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Cancelled:
    """The job was stopped by its host; ``resumable`` where running it again goes on from here."""

    resumable: bool = True


Event = (
    Hello
    | DeviceChosen
    | StageStarted
    | Progress
    | Preview
    | Warned
    | StageFinished
    | Paused
    | Resumed
    | Waiting
    | Finished
    | Failed
    | Cancelled
)

EVENT_NAMES: dict[str, type] = {
    "hello": Hello,
    "device": DeviceChosen,
    "stage_started": StageStarted,
    "progress": Progress,
    "preview": Preview,
    "warning": Warned,
    "stage_finished": StageFinished,
    "paused": Paused,
    "resumed": Resumed,
    "waiting": Waiting,
    "finished": Finished,
    "failed": Failed,
    "cancelled": Cancelled,
}


class Report(Protocol):
    """How a stage speaks while it works. The reporter and the tests implement it."""

    def progress(self, step: int, total: int, terms: Mapping[str, float] | None = None) -> None:
        """Say that ``step`` of ``total`` is done, with the current loss terms."""
        ...

    def preview(self, name: str, image: Any) -> None:
        """Show a picture, uint8 array [H, W, 3] or [H, W, 4], RGB."""
        ...

    def warning(self, message: str, hint: str = "") -> None:
        """Say something that the user should know."""
        ...

    def stopping(self) -> bool:
        """Has the host asked for a stop? Cheap enough to be asked in every step.

        Where the host has asked to wait, the answer comes when the waiting is over.
        """
        ...
