"""Finished frames become a strip over their source."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .. import properties
from . import appearance, takes
from .footage import is_displayed, is_premultiplied, needs_baking
from .sequencer import (
    Unusable,
    all_strips,
    content_start,
    free_channel,
    length,
    owner_of,
    start,
    top_strips,
)

NAME_BYTES = 60  # Blender cuts names, some versions in the middle of a letter
RESULT_TAG = "COLOR_05"
IMAGES, MOVIES = (".png", ".exr"), (".mkv", ".mov")


@dataclass(frozen=True)
class Place:
    """Where a job's result belongs, in values that survive undo and file loads.

    ``start`` is the timeline frame of the first result frame, ``content_start`` that of the
    source's content: their distance tells where the result goes after the source was moved.
    ``same_colours``: the frames have the colour space of the source's media, not the display's.
    ``displayed``: all that was done to the source is in the frames already. ``premultiplied``: the
    colours of the source's media, and so those of the frames, are multiplied by their alpha.
    """

    blend: str
    scene: str
    strip: str
    strip_id: str
    start: int
    length: int
    content_start: float
    same_colours: bool = True
    displayed: bool = False
    premultiplied: bool = False


def place_of(scene: Any, strip: Any) -> Place:
    """Return where the strip's result belongs."""
    as_media = not needs_baking(scene, strip)
    return Place(
        blend=bpy.data.filepath,
        scene=scene.name,
        strip=strip.name,
        strip_id=takes.mark(scene, strip),
        start=start(strip),
        length=length(strip),
        content_start=content_start(strip),
        same_colours=as_media,
        displayed=is_displayed(strip),
        premultiplied=as_media and is_premultiplied(strip),
    )


def find(place: Place) -> Any | None:
    """Return the source strip of a job, None where it is gone."""
    scene = bpy.data.scenes.get(place.scene)
    scenes = ([scene] if scene else []) + [other for other in bpy.data.scenes if other != scene]
    for scene in scenes:
        found = [s for s in all_strips(scene) if properties.of(s).strip_id == place.strip_id]
        if found:
            return next((strip for strip in found if strip.name == place.strip), found[0])
    return _find_unmarked(place)


def _find_unmarked(place: Place) -> Any | None:
    """Find a strip that lost its mark because an undo went back to before the job."""
    scene = bpy.data.scenes.get(place.scene)
    if scene is None or bpy.data.filepath != place.blend:
        return None
    for strip in all_strips(scene):
        if strip.name == place.strip and not properties.of(strip).strip_id:
            return strip
    return None


def frame_of(place: Place, source: Any, shown: int) -> int | None:
    """Return which frame of a job is on timeline frame ``shown``, None where none is.

    ``source`` is the job's strip, which may have been moved or trimmed since.
    """
    moved = round(content_start(source) - place.content_start)
    frame = shown - place.start - moved
    return frame if 0 <= frame < place.length else None


def result_files(folder: Path) -> list[str]:
    """Return the names of a result's files in order: its frames as images, or one movie."""
    suffixes = (*IMAGES, *MOVIES)
    return sorted(path.name for path in folder.glob("*") if path.suffix in suffixes)


def insert(
    place: Place, folder: Path, names: list[str], *, job_id: str, label: str, recipe: dict
) -> Any:
    """Add the files ``names`` in ``folder`` as a strip over their source and return it.

    Selection, current frame, frame rate and the source stay as they are; earlier takes are muted.
    Raises Unusable where the source is gone or no channel is free.
    """
    gap = gap_over(place, label)
    is_movie = any(name.endswith(MOVIES) for name in names)
    if not is_movie and len(names) != place.length:
        raise Unusable(f"{len(names)} of {place.length} frames are there: run the job again")
    add = _new_movie_strip if is_movie else new_image_strip
    result = add(gap.owner, gap.name, folder, names, channel=gap.channel, first=gap.first)
    _check(result, gap.owner, gap.first, place.length)
    appearance.set_colours(
        gap.source if place.same_colours else None, result, names[0],
        premultiplied=place.premultiplied,
    )  # fmt: skip
    appearance.copy_appearance(gap.source, result, displayed=place.displayed)
    make_take(result, gap, place, job_id=job_id, recipe=recipe)
    return result


@dataclass(frozen=True)
class Gap:
    """Where a result goes: over its source, in a free channel, under a name of its own."""

    source: Any
    owner: Any
    first: int
    channel: int
    number: int
    name: str


def gap_over(place: Place, label: str) -> Gap:
    """Return where the result of ``place`` goes now.

    Raises Unusable where the source is gone or no channel is free.
    """
    source = find(place)
    if source is None:
        raise Unusable(f"The strip {place.strip} is gone: the result waits until it is back")
    owner = owner_of(source.id_data, source)
    first = place.start + round(content_start(source) - place.content_start)
    channel = free_channel(owner, source.channel, first, place.length)
    number = takes.next_number(place.strip_id)
    return Gap(source, owner, first, channel, number, take_name(source.name, label, number))


def make_take(result: Any, gap: Gap, place: Place, *, job_id: str, recipe: dict) -> None:
    """Let a strip that has just been made be the newest take of its source, and the one shown."""
    result.channel, result.select = gap.channel, False
    _label(result, place, job_id, {**recipe, "take": gap.number})
    takes.show_take(result)


def copy_as_source(take: Any) -> Any:
    """Add a take's frames once more as a strip above it that is nobody's take, and return it.

    Raises Unusable where the take is no strip of images or no channel is free.
    """
    if take.type != "IMAGE":
        raise Unusable("Only a take of images can be a source: bake it, or render it as PNG")
    owner = owner_of(take.id_data, take)
    first, frames = start(take), length(take)
    folder, shift = Path(bpy.path.abspath(take.directory)), first - round(content_start(take))
    names = [each.filename for each in take.elements][shift : shift + frames]
    if len(names) != frames or shift < 0:
        raise Unusable("The take shows frames that it does not have: trim it to its own")
    channel = free_channel(owner, take.channel, first, frames)
    name = _cut(f"{take.name} source", NAME_BYTES)
    copy = new_image_strip(owner, name, folder, names, channel=channel, first=first)
    copy.channel = channel
    copy.colorspace_settings.name = take.colorspace_settings.name
    copy.alpha_mode = take.alpha_mode
    appearance.copy_appearance(take, copy, displayed=False)
    return copy


def take_name(source: str, label: str, number: int) -> str:
    """Return a result's name, such as "Swan – cactus skin, take 2", its text cut where needed."""
    end = f", take {number}"
    room = NAME_BYTES - len(end.encode())
    name = f"{source} \N{EN DASH} {label}"
    if len(name.encode()) > room:
        name = _cut(name, room - len("…".encode())) + "…"
    return name + end


def _cut(text: str, size: int) -> str:
    """Return as much of ``text`` as fits into ``size`` bytes."""
    return text.encode()[:size].decode(errors="ignore").rstrip()


def new_image_strip(
    owner: Any, name: str, folder: Path, names: list[str], *, channel: int, first: int
) -> Any:
    """Add the images ``names`` in ``folder`` as a strip."""
    path = str(folder / names[0])
    strip = top_strips(owner).new_image(name, path, channel, first, fit_method="ORIGINAL")
    for other in names[1:]:
        strip.elements.append(other)
    return strip


def _new_movie_strip(
    owner: Any, name: str, folder: Path, names: list[str], *, channel: int, first: int
) -> Any:
    path = str(folder / names[0])
    return top_strips(owner).new_movie(name, path, channel, first, fit_method="ORIGINAL")


def _label(result: Any, place: Place, job_id: str, recipe: dict) -> None:
    facts = properties.of(result)
    facts.source_id, facts.result_of = place.strip_id, job_id
    result.color_tag = RESULT_TAG
    result[takes.RECIPE_KEY] = json.dumps(recipe, ensure_ascii=False)


def _check(result: Any, owner: Any, first: int, frames: int) -> None:
    """Remove the strip and say so if it is not where it belongs."""
    found = start(result), length(result)
    if found != (first, frames):
        top_strips(owner).remove(result)
        raise Unusable(f"The result does not fit: start, length {found}, not {(first, frames)}")
