"""The files of a job folder, which are the protocol between host and engine.

Whoever can read the folder can watch the job; whoever can write in it can stop it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from . import files
from .codec import Refusal, job_from_json, to_json
from .events import EngineError, Fault
from .job import JobSpec, TargetTexts

EXIT_UNHEARD = 74  # of an engine that could not write its last event


@dataclass(frozen=True)
class JobFolder:
    """The files of one job, which are also the protocol between host and engine."""

    path: Path

    @property
    def spec(self) -> Path:
        """The whole request, written once by the host."""
        return self.path / "job.json"

    @property
    def events(self) -> Path:
        """What the engine said, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the kernel for as long as an engine works here."""
        return self.path / "lock"

    @property
    def earlier_events(self) -> Path:
        """What the engine said in the run before."""
        return self.path / "events.old.jsonl"

    @property
    def stop(self) -> Path:
        """Its presence asks for a stop."""
        return self.path / "stop"

    @property
    def pause(self) -> Path:
        """Its presence asks to wait."""
        return self.path / "pause"

    @property
    def log(self) -> Path:
        """All that the engine printed."""
        return self.path / "engine.log"

    @property
    def preview(self) -> Path:
        """Pictures of the work in progress."""
        return self.path / "preview"

    @property
    def result(self) -> Path:
        """Finished frames; there only when all of them are."""
        return self.path / "result"

    @property
    def masks(self) -> Path:
        """Where each object was found, where the job ends with its masks."""
        return self.path / "masks"

    @property
    def checks(self) -> Path:
        """A checkerboard on the atlases, where the job ends with its decomposition."""
        return self.path / "checks"

    @property
    def layers(self) -> Path:
        """The layer package, where the job asks for one."""
        return self.path / "layers"

    @property
    def sweep(self) -> Path:
        """Pictures and list of the cells, where the job is a sweep."""
        return self.path / "sweep"

    @property
    def report(self) -> Path:
        """Versions, device, seconds, metrics, keys."""
        return self.path / "report.json"

    @property
    def finished(self) -> tuple[Path, ...]:
        """Folders that have their names when they are whole."""
        return self.result, self.masks, self.checks, self.layers, self.sweep

    def files(self) -> tuple[Path, ...]:
        """All that a job leaves."""
        known = (self.spec, self.events, self.report, self.log)
        return (*known, self.preview, *self.finished)

    def check(self) -> None:
        """Raise OSError where something in the folder leads elsewhere: a stranger's may."""
        for path in self.path.iterdir():
            files.check_plain(path)
        for folder in (*self.finished, self.preview, self.path / "media"):
            for _ in files.entries(folder) if folder.is_dir() else ():
                pass

    def write_spec(self, spec: JobSpec) -> None:
        """Write the request."""
        files.private_folder(self.path)
        files.write_text(self.spec, json.dumps(to_json(spec), indent=1, ensure_ascii=False))

    def read_spec(self) -> JobSpec:
        """Read the request; raises EngineError where there is none or it cannot be served.

        Paths in it that are not absolute count from the job folder, so that it may be moved.
        """
        try:
            spec = job_from_json(files.read_json(self.spec))
            return with_paths(spec, lambda path: str(self.path.absolute() / path))
        except OSError as error:
            message = f"{self.spec} cannot be read as a job: {error.strerror}."
        except Refusal as refusal:
            message = f"{refusal}."
        raise EngineError(
            Fault.BAD_JOB, message, "Correct job.json, or write a new job from the panel."
        )


def with_paths(spec: JobSpec, change: Callable[[str], str]) -> JobSpec:
    """Return the request with all paths of media changed; an empty path stays empty."""

    def renew(path: str) -> str:
        return change(path) if path else ""

    def texts(item: TargetTexts) -> TargetTexts:
        return replace(item, picture=renew(item.picture))

    objects = tuple(
        replace(
            item,
            texts=texts(item.texts),
            mask=replace(item.mask, path=renew(item.mask.path)),
        )
        for item in spec.objects
    )
    footage = replace(spec.footage, path=renew(spec.footage.path))
    edits = tuple(
        replace(item, path=renew(item.path), before=renew(item.before)) for item in spec.edits
    )
    background = texts(spec.background)
    return replace(spec, footage=footage, objects=objects, background=background, edits=edits)
