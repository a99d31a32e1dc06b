"""What a strip's next job is expected to need, in words. Remembered: panels ask at every draw."""

import dataclasses
import shutil
from typing import Any

from ..engine.client.status import duration
from ..engine.contract.job import JobSpec, Stage
from ..engine.contract.settings import Settings
from . import estimate, folders, requests, session, strips
from .languages import say
from .sizes import in_words


def sentence(strip: Any) -> str:
    """Return time, memory and disk in one line, and whether the layers are there already."""
    draft = requests.draft_of(strip)
    separated = is_separated(strip, draft)
    found = estimate_of(strip, draft, separated=separated)
    words = "First guess: {time}, {memory} memory, {disk} disk"
    if found.measured:
        words = "About {time}, {memory} memory, {disk} disk"
    if separated:
        words = "Layers are cached: {time}, {memory} memory, {disk} disk"
    need = {"memory": f"{found.memory_gb:.1f} GB", "disk": in_words(found.disk_gb * 1e9)}
    return say(words, time=duration(found.seconds), **need)


def estimate_of(strip: Any, draft: JobSpec, *, separated: bool) -> estimate.Estimate:
    """Return what a job needs on the device that the last one ran on."""
    facts, rates = strips.facts_of(strip), session.rates()
    size, device = (
        estimate.Size(facts.frames, facts.width, facts.height),
        estimate.last_device(rates),
    )
    return estimate.estimate(draft, size, rates, device, separated=separated)


def check_room(strip: Any, draft: JobSpec) -> None:
    """Raise Unusable where the disk has no room for a job."""
    needed = estimate_of(strip, draft, separated=is_separated(strip, draft)).disk_gb
    place = folders.workspace()
    there = next((folder for folder in (place, *place.parents) if folder.is_dir()), None)
    if there is None:
        raise strips.Unusable(
            f"{place} cannot be reached: choose another workspace in the preferences"
        )
    free = shutil.disk_usage(there).free / 1e9
    if needed > free:
        raise strips.Unusable(
            f"The job needs about {in_words(needed * 1e9)} on the disk, "
            f"but {in_words(free * 1e9)} are free at {place}: "
            "clean the workspace in the preferences, or choose another one there"
        )


def is_separated(strip: Any, draft: JobSpec) -> bool:
    """Has a job of this strip taken the same frames apart in the same way?"""
    shown = strips.length(strip), strips.start(strip) - round(strips.content_start(strip))
    for job in session.jobs_of(strip):
        if job.spec is None or Stage.DECOMPOSITION.value not in job.status.stage_seconds:
            continue
        then = job.place.length, job.place.start - round(job.place.content_start)
        if then == shown and same_layers(job.spec, draft):
            return True
    return False


def same_layers(one: JobSpec, other: JobSpec) -> bool:
    """Do two requests for the same footage give the same layers?"""
    same = _of_layers(one.settings) == _of_layers(other.settings)
    return same and [masks_of(item) for item in one.objects] == [
        masks_of(item) for item in other.objects
    ]


def _of_layers(settings: Settings) -> tuple:
    """Return the settings that layers depend on."""
    decomposition = dataclasses.replace(settings.decomposition, seed=settings.layers_seed)
    return settings.frames, settings.flow, settings.masks, decomposition


def masks_of(item: Any) -> tuple:
    """Return how an object is found, but for where rendered masks happen to lie."""
    mask = item.mask
    return mask.kind, mask.box, mask.strokes, mask.class_name, mask.label, mask.inverted
