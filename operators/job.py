"""One job as Blender knows it: the request, where its result belongs, how far it is.

Beside the engine's files a job folder holds ``strip.json``, which is Blender's own note.
"""

import dataclasses
import json
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import bpy

from ..engine.client.farm import FarmJob, Watch
from ..engine.client.status import POLL_SECONDS, JobReader, Phase, Status, duration
from ..engine.contract import files
from ..engine.contract.codec import Refusal, from_json, job_from_json, to_json
from ..engine.contract.events import EngineError, Fault
from ..engine.contract.folder import JobFolder
from ..engine.contract.job import JobSpec, Stage
from ..engine.contract.layers import LayerPackage
from ..engine.contract.sweeps import Cell
from .baking import LOG, Baking
from .strips import Place

READ_SECONDS = 2.0  # seconds in which the events of a job from elsewhere are read
LINK = "farm.json"  # in the place of a job that lies on a farm's storage
MOST_NOTED = 2**20  # bytes of Blender's own note; a look has no time for more


LIVE_TAKE = "live"


class Kind(Enum):
    """What a job is for."""

    STYLIZE = "stylize"
    PREVIEW = "preview"
    MASKS = "masks"
    CHECKS = "checks"
    LAYERS = "layers"
    LIVE = "live"
    BAKE = "bake"
    SWEEP = "sweep"

    @property
    def title(self) -> str:
        """What a job of this kind is called."""
        named = {
            Kind.MASKS: "mask", Kind.CHECKS: "checkerboard", Kind.LIVE: "live take",
            Kind.BAKE: "baked live take",
        }  # fmt: skip
        return named.get(self, self.value)

    @property
    def makes_strip(self) -> bool:
        """Does its result become a strip?"""
        return self in (Kind.STYLIZE, Kind.LIVE, Kind.BAKE)


@dataclass(frozen=True)
class Rendering:
    """Something that a second Blender renders before the engine can begin.

    ``target`` is the place of an object whose mask it is, -1 for the footage itself; ``source`` is
    ``mask`` or ``strip``, and ``name`` that of the mask or strip. Of `LIVE_TAKE` the live take
    ``name`` is rendered over the footage, and no engine is wanted after that.
    """

    target: int = -1
    source: str = ""
    name: str = ""


@dataclass
class Job:
    """One request, and where it stands.

    ``asked_from`` is the job of the take that was active when this one was asked for, if any.
    ``farm`` is the job of a farm's manager that does it, None where this computer does;
    ``kept_step`` is the step at which its training is to end early, 0 where it is not.
    """

    id: str
    folder: JobFolder
    place: Place
    recipe: dict
    reader: JobReader
    output: str = ""
    spec: JobSpec | None = None
    kind: Kind = Kind.STYLIZE
    renderings: tuple[Rendering, ...] = ()
    rendered: int = 0
    size: tuple[int, int] = (0, 0)
    status: Status = field(default_factory=Status)
    process: subprocess.Popen | None = None
    baking: Baking | None = None
    queued: bool = False
    order: float = 0.0
    paused_by: str = ""
    must_arrive: bool = False
    arrived: bool = False
    note: str = ""
    stopped_at: float = 0.0
    candidates: tuple | None = None
    layers: LayerPackage | None = None
    cells: tuple[Cell, ...] | None = None
    kept_step: int = 0
    asked_from: str = ""
    farm: FarmJob | None = None
    watch: Watch | None = None
    icons: dict[str, int] = field(default_factory=dict)
    pictures_seen: int = 0

    @property
    def text(self) -> str:
        """The texts in one line."""
        return self.recipe.get("title") or self.recipe.get("global_text", "")

    @property
    def title(self) -> str:
        """What the job is called in the list."""
        words = self.text if self.kind is Kind.STYLIZE else self.kind.title
        return f"{self.place.strip}: {words}"

    @property
    def is_complete(self) -> bool:
        """Is there nothing left to wait for?"""
        if not self.kind.makes_strip:
            return self.status.ended
        done = self.arrived or self.note or self.status.phase is not Phase.FINISHED
        return bool(self.status.ended and done)

    @property
    def runs(self) -> bool:
        """Does an engine of this computer work on it, or wait in the middle of it?"""
        return not (self.status.ended or self.queued or self.baking or self.farm)

    @property
    def step_to_keep(self) -> int:
        """The last saved step of a training under way that may end early, 0 where there is none.

        Of several targets or candidates not all have been trained by then.
        """
        if self.spec is None or not self.runs or self.stopped_at or self.kind is not Kind.STYLIZE:
            return 0
        style = self.spec.settings.stylization
        is_alone = len(self.spec.targets) == 1 and style.candidates == 1
        if not is_alone or self.status.stage is not Stage.STYLIZATION:
            return 0
        ahead = max(0, self.status.total - style.steps)  # what came before the first step
        trained = min(max(0, self.status.step - ahead), style.steps)
        return trained // style.snapshot_every * style.snapshot_every

    @property
    def fraction(self) -> float:
        """How much is done, 0 to 1."""
        if self.baking:
            done = self.rendered + self.baking.done / self.baking.total
            return done / max(1, len(self.renderings))
        return self.status.fraction

    @property
    def words(self) -> tuple[str, dict[str, str]]:
        """One line: what is being done, how far, how long still; and what belongs in its braces."""
        status = self.status
        if self.kept_step and not status.ended and status.stage is Stage.STYLIZATION:
            return "Keeping Step {number}", {"number": str(self.kept_step)}
        if self.stopped_at and not status.ended:
            return "Stopping", {}
        if self.baking:
            percent = {"percent": f"{100 * self.fraction:.0f}"}
            if self.kind is Kind.BAKE:
                return "Baking {percent} %", percent
            if self.renderings[self.rendered].target < 0:
                return "Rendering the Strip {percent} %", percent
            return "Rendering the Mask {percent} %", percent
        if self.queued or (status.waits and not status.ended):
            return "Waiting for Another Job", {}
        if self.paused_by == "render" and not status.ended:
            return "Waiting While Blender Renders", {}
        if (self.paused_by or status.paused) and not status.ended:
            return "Paused", {}
        if status.phase is not Phase.RUNNING or status.stage is None:
            return status.label, {}
        values = {
            "stage": status.doing,
            "percent": f"{100 * status.fraction:.0f}",
        }
        if not status.seconds_left:
            return "{stage} {percent} %", values
        left = duration(status.seconds_left)
        return "{stage} {percent} %, {left} left", {**values, "left": left}

    @property
    def label(self) -> str:
        """The same in English."""
        text, values = self.words
        return text.format(**values)

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
        with_layers = self.kind in (Kind.LAYERS, Kind.LIVE)
        own = self.folder.layers if with_layers else self.folder.result
        own = self.folder.sweep if self.kind is Kind.SWEEP else own
        return Path(self.output) / self.id if self.output else own

    @property
    def clock(self) -> str:
        """When the job was made, as hours and minutes."""
        return f"{self.id[9:11]}:{self.id[11:13]}"


def new_id() -> str:
    """Return a name that no other job bears; names sort by time."""
    # Both parts of one reading: the clock that strftime reads by itself may be a second behind.
    seconds, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
    moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(seconds))
    return f"{moment}-{milliseconds:03d}-{uuid.uuid4().hex[:4]}"


def failed_status(status: Status, fault: Fault, message: str, hint: str) -> Status:
    """Return the status of a job that failed on this side of the wall."""
    return dataclasses.replace(
        status, phase=Phase.FAILED, fault=fault, message=f"{message}.", hint=f"{hint}." * bool(hint)
    )


def remember(job: Job) -> None:
    """Write down what belongs to the job but does not influence its result."""
    note = {"place": dataclasses.asdict(job.place), "recipe": job.recipe, "kind": job.kind.value}
    note |= {"output": job.output, "arrived": job.arrived}
    note |= {"renderings": to_json(job.renderings), "size": list(job.size)}
    if job.spec is not None and not job.folder.spec.is_file():
        note["draft"] = to_json(job.spec)  # else a job that was never rendered would be lost
    files.write_text(job.folder.path / "strip.json", json.dumps(note, indent=1, ensure_ascii=False))


def link_to(job: Job, place: Path) -> None:
    """Let `read_own` find in ``place`` a job that lies on a farm's storage."""
    link = {"folder": str(job.folder.path), "farm": to_json(job.farm), "output": job.output}
    files.write_text(place / LINK, json.dumps(link))


def read_own(place: Path) -> Job | None:
    """Return the job of a place in the workspace as `read_job` does, also one on a farm's storage.

    Others may write there: which farm is asked, and where frames go, the workspace alone says.
    """
    if not (place / LINK).is_file():
        return read_job(place)
    try:
        link = files.read_json(place / LINK, MOST_NOTED)
        folder, output = Path(str(link["folder"])), str(link["output"])
        farm = from_json(FarmJob, link["farm"], "farm")
    except (OSError, ValueError, LookupError, TypeError, Refusal):
        return None
    job = read_job(folder)
    if job is not None:
        job.farm, job.output = farm, output
    return job


def read_job(path: Path, *, anywhere: bool = False) -> Job | None:
    """Return the job in a folder if it belongs to the open file, else None.

    ``anywhere``: also one that was made in another file, or before this one had a name; it may be
    a stranger's, whose ``output`` does not count. None as well where it cannot be read.
    """
    folder = JobFolder(path)
    try:
        files.check_plain(path)
        note = files.read_json(path / "strip.json", MOST_NOTED)
        target = from_json(Place, note["place"], "place")
        if target.blend != bpy.data.filepath and not anywhere:
            return None
        target = dataclasses.replace(target, blend=bpy.data.filepath)
        is_rendered = folder.spec.is_file() or "draft" not in note
        spec = folder.read_spec() if is_rendered else job_from_json(note["draft"])
        recipe = note["recipe"] if isinstance(note["recipe"], dict) else {}
        job = Job(path.name, folder, target, recipe, JobReader(path), spec=spec)
        job.output = "" if anywhere else str(note["output"])
        job.kind = Kind(note.get("kind", "stylize"))
        width, height = note.get("size", (0, 0))
        job.size = int(width), int(height)
        job.renderings = tuple(
            from_json(Rendering, each, "rendering") for each in note.get("renderings", ())
        )
        job.arrived = note["arrived"] is True
        job.status = job.reader.poll(READ_SECONDS if anywhere else POLL_SECONDS / 2)
    except (OSError, ValueError, LookupError, TypeError, OverflowError, EngineError, Refusal):
        return None
    if not is_rendered:
        words = "The strip was not rendered to its end", "Retry renders it again"
        job.status = failed_status(job.status, Fault.MEDIA_UNREADABLE, *words)
    return job
