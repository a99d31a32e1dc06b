"""The tasks into which a job can be divided for several machines, and where each one reports.

A task is one call of ``python -m engine stage VERB JOB``. All tasks of a job share its folder; only
the last one, ``assemble``, writes where the host looks for a result. Each of the others has a
folder of its own below ``farm/``, with the same files as a job's. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from .folder import JobFolder
from .job import BACKGROUND, JobSpec

FARM = "farm"
BLOCK = 8  # frames that are rendered and kept together


class TaskVerb(Enum):
    """What a task does, in the order in which a job needs it."""

    CHECK = "check"
    PREPARE = "prepare"
    DECOMPOSE = "decompose"
    STYLIZE = "stylize"
    RENDER = "render"
    ASSEMBLE = "assemble"


@dataclass(frozen=True)
class Task:
    """One task. ``target`` is an object's number or `BACKGROUND`, None for all of them.

    ``frames`` are the first and the last frame of the job, counted from 0; None for all.
    ``candidate`` is the only one to train, counted from 1; None for all.
    """

    verb: TaskVerb
    target: int | None = None
    frames: tuple[int, int] | None = None
    candidate: int | None = None

    @property
    def name(self) -> str:
        """What the task is called in a farm's list, and its folder."""
        words = [self.verb.value]
        if self.target is not None:
            words.append("background" if self.target == BACKGROUND else str(self.target))
        if self.candidate is not None:
            words += ["candidate", str(self.candidate)]
        if self.frames is not None:
            words += [str(number) for number in self.frames]
        return "-".join(words)

    def folder(self, job: JobFolder) -> JobFolder:
        """Return the folder in which the task reports."""
        if self.verb is TaskVerb.ASSEMBLE:
            return job
        return TaskFolder(job.path / FARM / self.name, job)


@dataclass(frozen=True)
class TaskFolder(JobFolder):
    """The folder of one task of a job: its events, its lock, its log; the request is the job's."""

    job: JobFolder = field(default_factory=lambda: JobFolder(Path()))

    @property
    def spec(self) -> Path:
        """The request of the whole job."""
        return self.job.spec

    def read_spec(self) -> JobSpec:
        """Read the request of the whole job; raises EngineError as `JobFolder.read_spec`."""
        return self.job.read_spec()
