"""One job a step further: render what must be rendered, start the engine, watch it."""

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

from ...engine.client import process
from ...engine.client.farm import Watch, fold_answer
from ...engine.client.status import JobReader, Phase, Status, crash_status
from ...engine.contract import files
from ...engine.contract.codec import event_to_json, to_json
from ...engine.contract.events import Fault, Finished
from ...engine.contract.job import Footage
from ...engine.contract.settings import replace_setting
from .. import baking, estimate, folders, mattes, strips
from ..job import LIVE_TAKE, Job, Kind, Rendering, failed_status, remember
from . import delivery, pictures, standby
from .state import next_order, rates, state

STOP_SECONDS = 30.0
AHEAD = 1_000_000


def enqueue(job: Job) -> None:
    """Write the request and let the engine start when it is the job's turn."""
    if job.spec is not None:
        job.folder.write_spec(job.spec)
    job.queued, job.status, job.note = True, Status(), ""
    job.order = next_order() - (AHEAD if is_quick(job) else 0)
    job.reader = JobReader(job.folder.path)
    job.stopped_at, job.paused_by, job.arrived, job.candidates = 0.0, "", False, None
    job.kept_step, job.layers, job.cells = 0, None, None


def begin_rendering(job: Job, scene: Any, strip: Any) -> None:
    """Let a second Blender render what the job needs next.

    Raises Unusable where that is gone, OSError where the folder cannot be written.
    """
    job.status, job.note, job.stopped_at = Status(), "", 0.0
    wanted = job.renderings[job.rendered]
    if wanted.source == LIVE_TAKE:
        job.baking = baking.start_live(scene, strip, wanted.name, job.place.length, job.folder.path)
    elif wanted.target < 0:
        job.baking = baking.start(scene, strip, job.folder.path)
    else:
        job.baking = mattes.start(scene, strip, wanted, job.folder.path)


def end_baking(job: Job) -> None:
    """Stop a rendering that runs and drop its files."""
    if job.baking:
        baking.discard(job.baking)
    job.baking = None


def cancel(job: Job) -> None:
    """Ask a job to stop; it is over when its status says so."""
    if job.farm is not None:
        job.stopped_at = job.stopped_at or time.monotonic()
        _watch_of(job).ask_for("cancel-requested", "Cancelled in Blender")
        return
    if job.baking:
        end_baking(job)
    elif not job.queued:
        job.stopped_at = job.stopped_at or time.monotonic()
        process.request_stop(job.folder.path)
        return
    job.queued, job.status = False, dataclasses.replace(job.status, phase=Phase.CANCELLED)


def advance(job: Job) -> None:
    """Look after a job once."""
    if job.baking:
        _advance_baking(job)
    elif job.queued:
        _start_engine(job)
    elif job.status.phase is Phase.FINISHED:
        delivery.bring_in(job)
    elif job.farm is not None:
        _watch_farm(job)
    else:
        watch_engine(job)


def requeue_on_farm(job: Job) -> None:
    """Let the farm do again what of a job is not done yet."""
    assert job.farm is not None
    end_watch(job)
    job.status, job.note, job.stopped_at, job.arrived = Status(), "", 0.0, False
    job.watch = Watch(job.farm, request=("requeueing", "Resumed in Blender"))


def end_watch(job: Job) -> None:
    """Ask a farm no more for a job."""
    if job.watch is not None:
        job.watch.end()
    job.watch = None


def _watch_of(job: Job) -> Watch:
    assert job.farm is not None
    job.watch = job.watch or Watch(job.farm)
    return job.watch


def _watch_farm(job: Job) -> None:
    """See what the farm's manager says, and whether the result is there."""
    own = job.reader.poll()
    if own.phase is Phase.FINISHED:
        job.status = dataclasses.replace(own, warnings=(*job.status.warnings, *own.warnings))
    else:
        job.status = fold_answer(job.status, _watch_of(job).answer, job.folder.path)
    if job.status.ended:
        end_watch(job)


def _advance_baking(job: Job) -> None:
    assert job.baking is not None and job.spec is not None
    if job.baking.process.poll() is None:
        return
    try:
        if job.renderings[job.rendered].source == LIVE_TAKE:
            _end_live_baking(job)
            return
        footage = baking.finish(job.baking, folders.workspace())
        take_rendered(job, job.renderings[job.rendered], footage)
        job.rendered += 1
        if job.rendered < len(job.renderings):
            strip = strips.find(job.place)
            if strip is None:
                raise strips.Unusable(f"The strip {job.place.strip} is gone: stylize another one")
            begin_rendering(job, strip.id_data, strip)
            return
        enqueue(job)
        remember(job)
    except strips.Unusable as error:
        job.status = failed_status(job.status, Fault.MEDIA_UNREADABLE, str(error), "")
    end_baking(job)


def _end_live_baking(job: Job) -> None:
    """Let the frames that were rendered be the result of the job: no engine is wanted for it.

    Raises Unusable where frames are missing.
    """
    assert job.baking is not None and job.spec is not None
    frames = job.baking.total
    baking.hand_over(job.baking, job.folder.result)
    job.baking = None
    job.folder.write_spec(job.spec)
    line = json.dumps(event_to_json(Finished(frames, 0.0), time.time()))
    files.append(job.folder.events, f"{line}\n".encode())
    job.status = job.reader.poll()
    remember(job)


def take_rendered(job: Job, rendering: Rendering, footage: Footage) -> None:
    """Put what was rendered into the request, as footage or as an object's masks."""
    assert job.spec is not None
    if rendering.target < 0:
        job.spec = dataclasses.replace(job.spec, footage=footage)
        return
    objects = list(job.spec.objects)
    item = objects[rendering.target]
    mask = dataclasses.replace(item.mask, path=footage.path)
    objects[rendering.target] = dataclasses.replace(item, mask=mask)
    job.spec = dataclasses.replace(job.spec, objects=tuple(objects))


def _start_engine(job: Job) -> None:
    if process.is_alive(job.folder.path):
        return  # the engine of the run before has not ended yet
    job.queued = False
    python = folders.engine_python()
    if python is None:
        words = "The engine is not installed", "Install it in the preferences"
        job.status = failed_status(job.status, Fault.ENVIRONMENT, *words)
        return
    wanted, folder = standby.launch(python), job.folder.path
    try:
        job.process = standby.take(wanted, folder) or process.start(wanted, folder)
    except OSError as error:
        where = Path(error.filename or python)
        words = f"{where} cannot be used: {error.strerror}", "Check the engine's Python"
        if where != python:
            words = words[0], "Make a new job, or correct the folder"
        job.status = failed_status(job.status, Fault.ENVIRONMENT, *words)


def watch_engine(job: Job) -> None:
    """Read what the engine said, and notice when it is gone."""
    alive, code = _sign_of_life(job)
    job.status = job.reader.poll()
    if not alive and not job.status.ended and not job.reader.is_behind:
        job.status = _ended_silently(job, code)
    elif job.stopped_at and time.monotonic() - job.stopped_at > STOP_SECONDS and job.process:
        job.process.kill()
    pictures.show_newest(job)
    if job.kept_step and job.status.phase is Phase.CANCELLED:
        _render_kept(job)
    if job.status.phase is Phase.FINISHED and job.kind is Kind.STYLIZE:
        _learn(job)
    if job.status.phase is Phase.FINISHED and job.kind is Kind.LAYERS:
        delivery.hand_over_layers(job)
    if job.status.phase in (Phase.FINISHED, Phase.CANCELLED):
        standby.prepare()


def keep(job: Job) -> None:
    """End a job's training at its last saved step; what it has learned by then is the result."""
    job.kept_step = job.step_to_keep
    cancel(job)


def _render_kept(job: Job) -> None:
    """Run a stopped job again for the step that is to be kept: all but the render is there."""
    assert job.spec is not None
    settings = replace_setting(job.spec.settings, "render.snapshot", job.kept_step)
    job.spec = dataclasses.replace(job.spec, settings=settings)
    job.recipe["settings"] = to_json(settings)
    enqueue(job)
    job.order -= AHEAD
    remember(job)


def _learn(job: Job) -> None:
    """Let the next estimate know what this job took."""
    if job.spec is None or job.process is None or not job.size[0]:
        return
    size = estimate.Size(job.place.length, *job.size)
    state.rates = estimate.update_rates(rates(), job.spec, size, job.status)
    estimate.write(folders.workspace(), state.rates)


def _sign_of_life(job: Job) -> tuple[bool, int | None]:
    """Tell whether the engine lives and, where this Blender started it, how it ended."""
    if job.process is None:
        return process.is_alive(job.folder.path), None
    code = job.process.poll()
    return code is None, code


def _ended_silently(job: Job, code: int | None) -> Status:
    if job.stopped_at:
        return dataclasses.replace(job.status, phase=Phase.CANCELLED, seconds_left=None)
    return crash_status(job.status, code) if code is not None else _left_alone(job.status)


def _left_alone(status: Status) -> Status:
    words = "The engine stopped while Blender was closed", "Resume goes on from the last checkpoint"
    return failed_status(status, Fault.CRASHED, *words)


def is_quick(job: Job) -> bool:
    """Is somebody waiting for a picture of it?"""
    return job.kind not in (Kind.STYLIZE, Kind.BAKE, Kind.SWEEP)
