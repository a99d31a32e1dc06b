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

    def words(self, job: Path) -> list[str]:
        """Return what follows ``python -m engine stage`` on the command line."""
        words = [self.verb.value, str(job)]
        if self.target is not None:
            words.append(f"--object={self.target}")
        if self.candidate is not None:
            words.append(f"--candidate={self.candidate}")
        if self.frames is not None:
            words += ["--frames", "{}:{}".format(*self.frames)]
        return words

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


def restyled_numbers(spec: JobSpec) -> list[int]:
    """Return the numbers of the objects with a text, and `BACKGROUND` where it has one."""
    numbers = [number for number, item in enumerate(spec.objects) if not item.texts.empty]
    return numbers if spec.background.empty else [*numbers, BACKGROUND]


def divide(spec: JobSpec, frames: int, chunk: int) -> dict[Task, tuple[Task, ...]]:
    """Return the tasks of a job, each with those that must be done before it.

    They are those of the job type in ``engine/farm/strip_stylizer.js``; a task renders ``chunk``
    of the ``frames``, a multiple of `BLOCK`.
    """
    check, prepare = Task(TaskVerb.CHECK), Task(TaskVerb.PREPARE)
    tasks: dict[Task, tuple[Task, ...]] = {check: (), prepare: (check,)}
    layers = [Task(TaskVerb.DECOMPOSE, number) for number in range(len(spec.objects))]
    layers = layers or [Task(TaskVerb.DECOMPOSE)]
    tasks |= dict.fromkeys(layers, (prepare,))
    needed = [*layers]
    count = spec.settings.stylization.candidates
    for number in restyled_numbers(spec):
        inputs = layers if number == BACKGROUND else layers[number : number + 1]
        for candidate in range(1, count + 1):
            look = Task(TaskVerb.STYLIZE, number, None, candidate if count > 1 else None)
            tasks[look] = tuple(inputs)
            needed.append(look)
    ranges = [(first, min(first + chunk, frames) - 1) for first in range(0, frames, chunk)]
    rendered = [Task(TaskVerb.RENDER, None, each) for each in ranges or [None]]
    tasks |= dict.fromkeys(rendered, tuple(needed))
    tasks[Task(TaskVerb.ASSEMBLE)] = tuple(rendered)
    return tasks
