"""Everything that changes something in Blender: operators, properties, and the session of jobs."""

import atexit
from typing import Any

import bpy

from . import (
    command_line,
    drawing,
    edits,
    environment,
    farm,
    fixes,
    jobs,
    languages,
    layers,
    live,
    objects,
    overlay,
    painting,
    pins,
    placing,
    properties,
    result,
    session,
    snapshots,
    storage,
    stylize,
    sweeping,
    takes,
    travel,
    uninstall,
    weights,
)
from .registration import register_all, unregister_all

CLASSES = (
    *properties.CLASSES,
    *stylize.CLASSES,
    *objects.CLASSES,
    *drawing.CLASSES,
    *jobs.CLASSES,
    *fixes.CLASSES,
    *result.CLASSES,
    *takes.CLASSES,
    *snapshots.CLASSES,
    *sweeping.CLASSES,
    *layers.CLASSES,
    *edits.CLASSES,
    *painting.CLASSES,
    *placing.CLASSES,
    *pins.CLASSES,
    *live.CLASSES,
    *travel.CLASSES,
    *farm.CLASSES,
    *environment.CLASSES,
    *weights.CLASSES,
    *uninstall.CLASSES,
    *storage.CLASSES,
)


@bpy.app.handlers.persistent
def after_load(*_: Any) -> None:
    """A file was loaded: its jobs may still run."""
    session.attach_jobs()


@bpy.app.handlers.persistent
def after_save(*_: Any) -> None:
    """The file was saved: its jobs are found under its name."""
    session.follow_file()


def attach() -> None:
    """Add what is no class: properties, the drawing over regions, verbs, other languages."""
    properties.attach()
    overlay.attach()
    command_line.attach()
    languages.attach()


def register() -> None:
    """Register everything, or nothing."""
    register_all(CLASSES, attach)
    bpy.app.handlers.load_post.append(after_load)
    bpy.app.handlers.save_post.append(after_save)
    atexit.register(session.leave)
    if not bpy.app.background:
        bpy.app.timers.register(session.attach_jobs, first_interval=0.1)


def unregister() -> None:
    """Take back all that `register` did; Blender does that, too, when it is quit."""
    atexit.unregister(session.leave)
    session.leave()
    if bpy.app.timers.is_registered(session.attach_jobs):
        bpy.app.timers.unregister(session.attach_jobs)
    bpy.app.handlers.load_post.remove(after_load)
    bpy.app.handlers.save_post.remove(after_save)
    languages.detach()
    command_line.detach()
    overlay.detach()
    session.close()
    properties.detach()
    unregister_all(CLASSES)
