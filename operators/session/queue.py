"""What operators do to jobs: add, stop, wait, go on, change the order, find them again."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import bpy
import bpy.utils.previews

from ...engine.client import process
from ...engine.client.status import JobReader
from ...engine.contract.codec import to_json
from ...engine.contract.files import private_folder
from ...engine.contract.folder import JobFolder
from ...engine.contract.job import Footage, JobSpec
from .. import folders, strips
from ..job import Job, Kind, Rendering, new_id, remember
from . import standby, work
from .attaching import attach_some
from .polling import ensure_polling, poll
from .state import refresh_engine, state, waiting_jobs

ATTACH_SECONDS = 0.1  # of computing while a file is opened; later looks read the other folders


def add(
    scene: Any,
    strip: Any,
    spec: JobSpec | None,
    *,
    draft: JobSpec,
    output: str = "",
    kind: Kind = Kind.STYLIZE,
    renderings: tuple[Rendering, ...] | None = None,
    recipe: dict | None = None,
    place: strips.Place | None = None,
) -> Job:
    """Start a job for ``strip`` and return it.

    ``spec`` is the whole request; None where something must be rendered first: ``renderings``, or
    where that is None the strip itself. Then ``draft`` lacks it. ``place`` is where the result
    belongs, without it over the strip as it is now. Raises OSError where the workspace cannot be
    written.
    """
    job_id = new_id()
    place = place or strips.place_of(scene, strip)
    job = new_job(strip, place, folders.jobs() / job_id, spec or draft, recipe or {})
    job.output, job.kind, folder = output, kind, job.folder
    private_folder(folder.path)
    try:
        if spec is None:
            job.renderings = (Rendering(),) if renderings is None else renderings
            work.begin_rendering(job, scene, strip)
        else:
            work.enqueue(job)
        remember(job)
    except (OSError, strips.Unusable):
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    state.jobs[job_id] = job
    ensure_polling()
    return job


def watch(job: Job) -> None:
    """Look after a job that a farm does."""
    state.jobs[job.id] = job
    ensure_polling()


def new_job(strip: Any, place: strips.Place, folder: Path, spec: JobSpec, recipe: dict) -> Job:
    """Return a job of ``strip`` in ``folder``, which is named after it; writes nothing."""
    whole = {"job": folder.name, "strip": strip.name, **_request_fields(spec), **recipe}
    job = Job(folder.name, JobFolder(folder), place, whole, JobReader(folder), spec=spec)
    job.size = strips.picture_size(strip)
    return job


def _request_fields(draft: JobSpec) -> dict:
    first = draft.targets[0] if draft.targets else None
    return {
        "title": draft.title,
        "global_text": first.global_text if first else "",
        "local_text": first.local_text if first else "",
        "settings": to_json(draft.settings),
        "edits": to_json(draft.edits),
    }


def resume(job: Job) -> None:
    """Run a job again: it goes on from its last checkpoint.

    Raises Unusable where its strip must be rendered first and cannot be, OSError where the
    workspace cannot be written.
    """
    if job.farm is not None:
        work.requeue_on_farm(job)
    elif job.folder.spec.is_file():
        work.enqueue(job)
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
    if footage is not None:
        job.spec = dataclasses.replace(job.spec, footage=footage)
        job.renderings = tuple(each for each in job.renderings if each.source)
    job.rendered = 0
    if job.renderings:
        work.begin_rendering(job, scene, strip)
    else:
        work.enqueue(job)
    if job.kind is not Kind.BAKE:
        job.place = place
    remember(job)


def pause(job: Job) -> None:
    """Let a running job wait."""
    process.pause(job.folder.path)
    job.paused_by = "user"


def go_on(job: Job) -> None:
    """Let a job that waits go on."""
    process.go_on(job.folder.path)
    job.paused_by = ""
    ensure_polling()


def move(job: Job, step: int) -> bool:
    """Move a waiting job ``step`` places up (negative) or down; False where it cannot move."""
    queue = waiting_jobs()
    place = queue.index(job)
    if not 0 <= place + step < len(queue):
        return False
    other = queue[place + step]
    job.order, other.order = other.order, job.order
    return True


def forget(job: Job) -> None:
    """Drop a job from the list; its files stay."""
    work.end_watch(job)
    state.jobs.pop(job.id, None)


# --- beginning and end ---------------------------------------------------------------------------


def attach_jobs() -> None:
    """Find the jobs of the file that is open, also those of an earlier Blender."""
    refresh_engine()
    if not bpy.data.filepath or not folders.jobs().is_dir():
        return
    state.unread = sorted(folders.jobs().iterdir())
    attach_some(ATTACH_SECONDS)
    ensure_polling()


def follow_file() -> None:
    """The file was saved, perhaps under a new name: note it with the jobs of its strips."""
    for job in state.jobs.values():
        if job.place.blend != bpy.data.filepath and strips.find(job.place) is not None:
            job.place = dataclasses.replace(job.place, blend=bpy.data.filepath)
            remember(job)


def leave() -> None:
    """Blender ends: stop the engines where the preferences do not let them go on."""
    standby.drop()
    if not state.keeps_running:
        for job in state.jobs.values():
            if job.runs:
                process.request_stop(job.folder.path)


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
    standby.drop()
    for job in state.jobs.values():
        work.end_baking(job)
        work.end_watch(job)
    handlers = state.handlers
    state.__init__()
    state.handlers = handlers


def footage_of(scene: Any, strip: Any) -> Footage | None:
    """Return the strip's footage, None where it must be rendered first."""
    return None if strips.needs_baking(scene, strip) else strips.footage(scene, strip)
