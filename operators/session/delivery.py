"""Finished frames become a strip."""

import shutil
import threading
from pathlib import Path
from typing import Any

import bpy

from ...engine.contract import files
from ...engine.contract.layers import read_manifest
from .. import folders, properties, strips
from ..job import Job, Kind, remember

BY_HAND = "The result is finished: Import Result puts it into the timeline."


def bring_in(job: Job) -> None:
    """Place the result of a finished job as soon as that may be."""
    if bpy.app.is_job_running("RENDER"):
        return
    if not (job.must_arrive or folders.preference("import_when_finished", True)):
        job.note = BY_HAND
        return
    take = place(job)
    if take is not None and job.asked_from:
        _follow(job, take)
    if job.arrived:
        bpy.ops.ed.undo_push(message="Import Stylized Strip")


def hand_over_layers(job: Job) -> None:
    """Copy the layer package of a finished job to the folder that was asked for, if there is one.

    It may be large: a window does not wait for it. Where it is impossible ``job.note`` says why.
    """
    target, own = job.result_folder, job.folder.layers
    if target == own:
        return

    def copy() -> None:
        try:
            job.folder.check()
            shutil.copytree(own, target, dirs_exist_ok=True, copy_function=_copy)
        except (OSError, shutil.Error) as error:
            job.note = f"{error}."

    if bpy.app.background:
        copy()
    else:
        threading.Thread(target=copy).start()


def _copy(source: str, target: str) -> None:
    files.copy(Path(source), Path(target))


def _follow(job: Job, take: Any) -> None:
    """Let a take that was asked for from another one be active in its place, if that still is."""
    active = strips.active_strip(bpy.context)
    if active is not None and properties.of(active).result_of == job.asked_from:
        strips.activate_instead(take, active)


def place(job: Job) -> Any | None:
    """Insert the result of a finished job; where that is impossible ``job.note`` says why."""
    job.note = ""
    try:
        job.folder.check()
        strip = _insert(job)
    except (strips.Unusable, OSError, files.Refusal) as error:
        job.note = f"{error}."
        return None
    job.arrived = True
    remember(job)
    return strip


def _insert(job: Job) -> Any:
    """Insert the result; raises Unusable, OSError or Refusal."""
    words = {Kind.LIVE: "live", Kind.BAKE: "baked"}.get(job.kind, "")
    label = ", ".join(filter(None, (words, job.text)))
    facts = {"job_id": job.id, "label": label, "recipe": job.recipe}
    if job.kind is Kind.LIVE:
        package = read_manifest(job.folder.layers)
        return strips.insert_live(job.place, job.folder.layers, package, **facts)
    folder, names = _deliver(job)
    return strips.insert(job.place, folder, names, **facts)


def _deliver(job: Job) -> tuple[Path, list[str]]:
    """Copy the frames to the output folder, where one was asked for; return folder and names."""
    target, own = job.result_folder, job.folder.result
    names = strips.result_files(own if own.is_dir() else target)
    if target != own and own.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for name in names:
            files.copy(own / name, target / name)
    return target, names
