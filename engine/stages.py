"""Runs the stages of one job: each artifact is read from the cache, or made and kept there.

Knows keys and folders, not what is in them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from .contract.events import Stopped, Waiting
from .contract.job import Stage
from .reporter import Reporter
from .workspace import Cache

Value = TypeVar("Value")


@dataclass(frozen=True)
class CachedArtifact(Generic[Value]):
    """One result of a stage: of the whole job, or of one object.

    ``make`` fills a folder and ``load`` reads it. ``early`` returns what the job wants of the
    folder of an unfinished stage, None where that is not there yet.
    """

    key: str
    make: Callable[[Path], None]
    load: Callable[[Path], Value]
    early: Callable[[Path], Value | None] = lambda folder: None


class Stages:
    """The stages that a job has done so far: their ``keys``, and the ``seconds`` they took."""

    def __init__(self, cache: Cache, report: Reporter) -> None:
        self.cache = cache
        self.keys: dict[Stage, list[str]] = {}
        self.seconds: dict[Stage, float] = {}
        self._report = report

    def one(self, stage: Stage, artifact: CachedArtifact[Value]) -> Value:
        """Do a stage that the job has only once."""
        return self.all(stage, [artifact])[0]

    def all(self, stage: Stage, artifacts: Sequence[CachedArtifact[Value]]) -> list[Value]:
        """Make the folders of all artifacts that are not there yet, and read them."""
        reused = all(self._is_there(stage, artifact) for artifact in artifacts)
        values = []
        with self.announce(stage, [artifact.key for artifact in artifacts], reused=reused):
            for index, artifact in enumerate(artifacts):
                with self._report.share(index, len(artifacts)):
                    values.append(self._read_or_make(stage, artifact))
        return values

    def beside(self, stage: Stage, artifact: CachedArtifact[Value]) -> Value:
        """Read an artifact that belongs to the results of ``stage``, made at its first use."""
        return self._read_or_make(stage, artifact)

    @contextlib.contextmanager
    def announce(self, stage: Stage, keys: list[str], *, reused: bool) -> Iterator[None]:
        """Announce a stage and, unless it fails, its end, and count its seconds."""
        self.keys[stage] = keys
        started = time.monotonic()
        with self._report.stage(stage, reused=reused):
            yield
        self.seconds[stage] = round(time.monotonic() - started, 3)

    def _is_there(self, stage: Stage, artifact: CachedArtifact) -> bool:
        if self.cache.has(stage, artifact.key):
            return True
        return artifact.early(self.cache.part(stage, artifact.key)) is not None

    def _read_or_make(self, stage: Stage, artifact: CachedArtifact[Value]) -> Value:
        if not self.cache.has(stage, artifact.key):
            early = artifact.early(self.cache.part(stage, artifact.key))
            if early is not None:
                return early
            report = self._report
            building = self.cache.building(
                stage, artifact.key, waiting=lambda: report.say(Waiting(stage)),
                stopping=report.stopping, damaged=report.warning,
            )  # fmt: skip
            with building as folder:
                if folder is not None:
                    artifact.make(folder)
        value = artifact.load(self.cache.folder(stage, artifact.key))
        if self._report.stopping():
            raise Stopped
        return value
