"""One job as Blender knows it: the request, where its result belongs, how far it is.

Beside the engine's files a job folder holds ``strip.json``, which is Blender's own note.
"""

import dataclasses
import json
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from ..engine.client.status import JobReader, Phase, Status
from ..engine.contract.events import EngineError
from ..engine.contract.folder import JobFolder, write_text
from ..engine.contract.job import JobSpec
from .baking import LOG, Baking
from .strips import Place


@dataclass
class Job:
    """One request, and where it stands."""

    id: str
    folder: JobFolder
    place: Place
    recipe: dict
    reader: JobReader
    output: str = ""
    spec: JobSpec | None = None
    status: Status = field(default_factory=Status)
    process: subprocess.Popen | None = None
    baking: Baking | None = None
    queued: bool = False
    arrived: bool = False
    note: str = ""
    started_at: float = 0.0
    stopped_at: float = 0.0
    icon: int = 0
    pictures_seen: int = 0

    @property
    def text(self) -> str:
        """The text that the object should look like."""
        return self.recipe.get("global_text", "")

    @property
    def settled(self) -> bool:
        """Is there nothing left to wait for?"""
        done = self.arrived or self.note or self.status.phase is not Phase.FINISHED
        return bool(self.status.ended and done)

    @property
    def fraction(self) -> float:
        """How much is done, 0 to 1."""
        if self.baking:
            return self.baking.done / self.baking.total
        return self.status.fraction

    @property
    def label(self) -> str:
        """One line: what is being done, how far, how long still."""
        if self.stopped_at and not self.status.ended:
            return "Stopping"
        if self.baking:
            return f"Rendering the Strip {100 * self.fraction:.0f} %"
        return "Waiting for Another Job" if self.queued else self.status.label

    @property
    def sentence(self) -> str:
        """What went wrong and what to do, '' where nothing did."""
        if self.status.phase is Phase.CANCELLED:
            return "The job was cancelled"
        return " ".join(filter(None, (self.status.message, self.status.hint, self.note)))

    @property
    def log(self) -> Path:
        """What the engine printed, or where it never ran what the second Blender printed."""
        return self.folder.log if self.folder.log.is_file() else self.folder.path / LOG

    @property
    def result_folder(self) -> Path:
        """Where the frames are that the result strip shows; no other job writes there."""
        return Path(self.output) / self.id if self.output else self.folder.result


def new_id() -> str:
    """Return a name that no other job bears; names sort by time."""
    milliseconds = time.time_ns() // 1_000_000 % 1000
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{milliseconds:03d}-{uuid.uuid4().hex[:4]}"


def remember(job: Job) -> None:
    """Write down what belongs to the job but does not influence its result."""
    note = {"place": dataclasses.asdict(job.place), "recipe": job.recipe}
    note |= {"output": job.output, "arrived": job.arrived}
    write_text(job.folder.path / "strip.json", json.dumps(note, indent=1, ensure_ascii=False))


def read_job(path: Path) -> Job | None:
    """Return the job in a folder if it belongs to the open file, else None."""
    folder = JobFolder(path)
    try:
        note = json.loads((path / "strip.json").read_text(encoding="utf-8"))
        target = Place(**note["place"])
        spec = folder.read_spec()
    except (OSError, ValueError, KeyError, TypeError, EngineError):
        return None
    if target.blend != bpy.data.filepath:
        return None
    job = Job(path.name, folder, target, note["recipe"], JobReader(path), note["output"], spec)
    job.arrived, job.status = note["arrived"], job.reader.poll()
    return job
