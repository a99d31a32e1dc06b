"""The jobs that this Blender knows: the only state that changes.

`poll` is a plain function: an application timer calls it, and `wait` does where timers do not
run. No reference into Blender's data is kept between two calls.
"""

import dataclasses
import shutil
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
import bpy.utils.previews

from ..engine.client import process
from ..engine.client.status import JobReader, Phase, Status, crashed
from ..engine.contract.codec import to_json
from ..engine.contract.events import Fault
from ..engine.contract.folder import JobFolder
from ..engine.contract.job import Footage, JobSpec
from . import baking, folders, properties, strips
from .installing import Setup
from .job import Job, new_id, read_job, remember

INTERVAL = 0.25
STOP_SECONDS = 30.0
REMEMBERED = 50


@dataclass
class State:
    """All that changes while Blender runs."""

    jobs: dict[str, Job] = field(default_factory=dict)
    setup: Setup | None = None
    engine: str = ""
    storage: dict[str, int] = field(default_factory=dict)
    pictures: Any = None


state = State()


# --- what the panels and operators ask -----------------------------------------------------------


def newest_first() -> list[Job]:
    """Return the jobs, the last one first."""
    return sorted(state.jobs.values(), key=lambda job: job.id, reverse=True)


def job_of(strip: Any) -> Job | None:
    """Return the last job of a source strip, or the job that made a result strip."""
    facts = properties.of(strip)
    if facts.result_of:
        return state.jobs.get(facts.result_of)
    for job in newest_first():
        if facts.strip_id and job.place.strip_id == facts.strip_id:
            return job
    return None


def engine() -> str:
    """Return the engine's state as it was when it was last looked at."""
    if not state.engine:
        refresh_engine()
    return state.engine


def refresh_engine() -> None:
    """Look at the disk for the engine's state."""
    state.engine = folders.engine_state()


# --- starting and stopping -----------------------------------------------------------------------


def add(scene: Any, strip: Any, spec: JobSpec | None, *, draft: JobSpec, output: str) -> Job:
    """Start a job for ``strip`` and return it.

    ``spec`` is the whole request; None where the strip must be rendered first, then ``draft``
    lacks its footage. Raises OSError where the workspace cannot be written.
    """
    job_id = new_id()
    folder = JobFolder(folders.jobs() / job_id)
    folder.path.mkdir(parents=True)
    place = strips.place_of(scene, strip)
    first = draft.targets[0]
    texts = {"global_text": first.global_text, "local_text": first.local_text}
    recipe = {"job": job_id, "strip": strip.name, **texts, "settings": to_json(draft.settings)}
    job = Job(job_id, folder, place, recipe, JobReader(folder.path), output, spec or draft)
    try:
        if spec is None:
            job.baking = baking.start(scene, strip, folder.path)
        else:
            enqueue(job)
        remember(job)
    except (OSError, strips.Unusable):
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    state.jobs[job_id] = job
    ensure_polling()
    return job


def enqueue(job: Job) -> None:
    """Write the request and let the engine start when no other job runs."""
    if job.spec is not None:
        job.folder.write_spec(job.spec)
    job.queued, job.status, job.note = True, Status(), ""
    job.reader = JobReader(job.folder.path)
    job.stopped_at, job.arrived = 0.0, False


def resume(job: Job) -> None:
    """Run a job again: it goes on from its last checkpoint.

    Raises Unusable where its strip must be rendered first and cannot be, OSError where the
    workspace cannot be written.
    """
    if job.folder.spec.is_file():
        enqueue(job)
    else:
        _render_again(job)
    ensure_polling()


def _render_again(job: Job) -> None:
    """Begin a job anew whose strip has never been rendered to its end."""
    strip = strips.find(job.place)
    if strip is None or job.spec is None:
        raise strips.Unusable(f"The strip {job.place.strip} is gone: stylize another one")
    scene = strip.id_data
    place, footage = strips.place_of(scene, strip), footage_of(scene, strip)
    if footage is None:
        job.baking = baking.start(scene, strip, job.folder.path)
        job.status, job.note, job.stopped_at = Status(), "", 0.0
    else:
        job.spec = dataclasses.replace(job.spec, footage=footage)
        enqueue(job)
    job.place = place
    remember(job)


def _end_baking(job: Job) -> None:
    if job.baking:
        baking.discard(job.baking)
    job.baking = None


def cancel(job: Job) -> None:
    """Ask a job to stop; it is over when its status says so."""
    if job.baking:
        _end_baking(job)
    elif not job.queued:
        job.stopped_at = job.stopped_at or time.monotonic()
        process.request_stop(job.folder.path)
        return
    job.queued, job.status = False, dataclasses.replace(job.status, phase=Phase.CANCELLED)


def forget(job: Job) -> None:
    """Drop a job from the list; its files stay."""
    state.jobs.pop(job.id, None)


# --- polling -------------------------------------------------------------------------------------


def ensure_polling() -> None:
    """Let the timer run; it ends by itself when there is nothing to watch."""
    if not bpy.app.background and not bpy.app.timers.is_registered(poll):
        bpy.app.timers.register(poll, first_interval=INTERVAL, persistent=True)


def poll() -> float | None:
    """Look after all jobs once; returns the seconds until the next time, None when all rest."""
    before = _picture_of_all()
    for job in list(state.jobs.values()):
        _advance_or_fail(job)
    if state.setup is not None and not state.setup.ended:
        state.setup.advance()
        if state.setup.ended:
            refresh_engine()
    if _picture_of_all() != before:
        strips.redraw()
    return INTERVAL if _busy() else None


def wait(job: Job) -> None:
    """Poll until ``job`` has settled; Ctrl-C cancels it."""
    try:
        while not job.settled:
            poll()
            time.sleep(0.05)
    except KeyboardInterrupt:
        cancel(job)
        raise


def _busy() -> bool:
    if state.setup is not None and not state.setup.ended:
        return True
    return any(not job.settled for job in state.jobs.values())


def _picture_of_all() -> list:
    jobs = [(j.id, j.label, j.fraction, j.note, j.arrived, j.icon) for j in state.jobs.values()]
    setup = state.setup
    return [*jobs, (setup.label, setup.fraction) if setup else None]


def _advance_or_fail(job: Job) -> None:
    """The border of the timer: a job that cannot go on fails, the others do not."""
    try:
        if not job.settled:
            _advance(job)
    except Exception as error:
        traceback.print_exc()
        _end_baking(job)
        job.queued = False
        words = f"{type(error).__name__}: {error}"
        job.status = _failed(job.status, Fault.UNEXPECTED, words, "Try again")


def _advance(job: Job) -> None:
    if job.baking:
        _advance_baking(job)
    elif job.queued:
        if not any(_occupies(other) for other in state.jobs.values()):
            _start_engine(job)
    elif job.status.phase is Phase.FINISHED:
        _bring_in(job)
    else:
        _watch_engine(job)


def _occupies(job: Job) -> bool:
    return not (job.status.ended or job.queued or job.baking)


def _advance_baking(job: Job) -> None:
    assert job.baking is not None and job.spec is not None
    if job.baking.process.poll() is None:
        return
    try:
        footage = baking.finish(job.baking, folders.workspace())
    except strips.Unusable as error:
        job.status = _failed(job.status, Fault.MEDIA_UNREADABLE, str(error), "")
    else:
        job.spec = dataclasses.replace(job.spec, footage=footage)
        enqueue(job)
    _end_baking(job)


def _start_engine(job: Job) -> None:
    job.queued = False
    python = folders.engine_python()
    if python is None:
        words = "The engine is not installed", "Install it in the preferences"
        job.status = _failed(job.status, Fault.ENVIRONMENT, *words)
        return
    verb = "rehearse" if folders.rehearsing() else "run"
    online = bpy.app.online_access
    try:
        job.process = process.start(
            python,
            folders.ROOT,
            job.folder.path,
            cache=folders.cache(),
            verb=verb,
            online=online,
        )
        job.started_at = time.monotonic()
    except OSError as error:
        words = f"{python} cannot be started: {error.strerror}", "Check the engine's Python"
        job.status = _failed(job.status, Fault.ENVIRONMENT, *words)


def _watch_engine(job: Job) -> None:
    alive, code = _sign_of_life(job)
    job.status = job.reader.poll()
    if not alive and not job.status.ended:
        job.status = _ended_silently(job, code)
    elif job.stopped_at and time.monotonic() - job.stopped_at > STOP_SECONDS and job.process:
        job.process.kill()
    _show_preview(job)


def _sign_of_life(job: Job) -> tuple[bool, int | None]:
    """Tell whether the engine lives and, where this Blender started it, how it ended."""
    if job.process is None:
        return process.is_alive(job.folder.path), None
    code = job.process.poll()
    return code is None, code


def _ended_silently(job: Job, code: int | None) -> Status:
    if job.stopped_at:
        return dataclasses.replace(job.status, phase=Phase.CANCELLED, seconds_left=None)
    return crashed(job.status, code) if code is not None else _left_alone(job.status)


def _left_alone(status: Status) -> Status:
    words = "The engine stopped while Blender was closed", "Resume goes on from the last checkpoint"
    return _failed(status, Fault.CRASHED, *words)


def _failed(status: Status, fault: Fault, message: str, hint: str) -> Status:
    return dataclasses.replace(
        status, phase=Phase.FAILED, fault=fault, message=f"{message}.", hint=f"{hint}." * bool(hint)
    )


def _bring_in(job: Job) -> None:
    if bpy.app.is_job_running("RENDER"):
        return
    place(job)
    if job.arrived:
        bpy.ops.ed.undo_push(message="Import Stylized Strip")


def place(job: Job) -> Any | None:
    """Insert the result of a finished job; where that is impossible ``job.note`` says why."""
    job.note = ""
    try:
        folder, names = _delivered(job)
        facts = {"job_id": job.id, "label": job.text, "recipe": job.recipe}
        strip = strips.insert(job.place, folder, names, **facts)
    except (strips.Unusable, OSError) as error:
        job.note = f"{error}."
        return None
    job.arrived = True
    remember(job)
    return strip


def _delivered(job: Job) -> tuple[Path, list[str]]:
    """Copy the frames to the output folder, where one was asked for; return folder and names."""
    target, own = job.result_folder, job.folder.result
    names = strips.result_files(own if own.is_dir() else target)
    if target != own and own.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copyfile(own / name, target / name)
    return target, names


def _show_preview(job: Job) -> None:
    """Load the job's newest picture where there is a window to show it."""
    if not bpy.app.background and job.pictures_seen != job.status.preview_count:
        load_picture(job)


def load_picture(job: Job) -> None:
    """Let ``job.icon`` be what the job's stylized object looks like by now, else what there is."""
    names = job.status.previews
    path = names.get("frame") or next(reversed(names.values()), "")
    if state.pictures is None:
        state.pictures = bpy.utils.previews.new()
    old, new = (f"{job.id}-{n}" for n in (job.pictures_seen, job.status.preview_count))
    job.pictures_seen = job.status.preview_count
    if (job.folder.path / path).is_file():
        job.icon = state.pictures.load(new, str(job.folder.path / path), "IMAGE").icon_id
        if old in state.pictures:
            del state.pictures[old]


# --- after a file was loaded ---------------------------------------------------------------------


def attach_jobs() -> None:
    """Find the jobs of the file that is open, also those of an earlier Blender."""
    refresh_engine()
    if not bpy.data.filepath or not folders.jobs().is_dir():
        return
    newest = sorted(folders.jobs().iterdir(), reverse=True)[:REMEMBERED]
    for path in newest:
        if path.name not in state.jobs and (job := read_job(path)) is not None:
            state.jobs[job.id] = job
    ensure_polling()


def follow_file() -> None:
    """The file was saved, perhaps under a new name: note it with the jobs of its strips."""
    for job in state.jobs.values():
        if job.place.blend != bpy.data.filepath and strips.find(job.place) is not None:
            job.place = dataclasses.replace(job.place, blend=bpy.data.filepath)
            remember(job)


def close() -> None:
    """Forget everything; engines that run go on, their jobs are found again later.

    Renderings of strips end: nothing would wait for them.
    """
    if bpy.app.timers.is_registered(poll):
        bpy.app.timers.unregister(poll)
    if state.pictures is not None:
        bpy.utils.previews.remove(state.pictures)
    if state.setup is not None and not state.setup.ended:
        state.setup.cancel()
    for job in state.jobs.values():
        _end_baking(job)
    state.__init__()


def footage_of(scene: Any, strip: Any) -> Footage | None:
    """Return the strip's footage, None where it must be rendered first."""
    return None if strips.needs_baking(scene, strip) else strips.footage(scene, strip)
