"""The only module that touches the sequencer's API: strip to Footage, frames to strip.

All differences between Blender versions live here. Knows nothing of jobs.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..engine.contract.job import Footage, FootageKind
from . import movie_header, properties

CHANNELS = 128
NAME_LENGTH = 60
RESULT_TAG = "COLOR_05"
RECIPE_KEY = "stylized_from"
READABLE_IMAGES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"}
TURNS_PICTURES = (4, 5)  # older Blenders do not obey the rotation that a movie asks for
COPIED = (
    "blend_type", "blend_alpha", "use_flip_x", "use_flip_y", "color_saturation",
    "color_multiply", "multiply_alpha",
)  # fmt: skip
COPIED_TRANSFORM = ("filter", "offset_x", "offset_y", "scale_x", "scale_y", "rotation", "origin")
COPIED_CROP = ("min_x", "max_x", "min_y", "max_y")


class Unusable(Exception):
    """A strip cannot be stylized, or a result not placed; the text says why and what to do."""


@dataclass(frozen=True)
class Place:
    """Where a job's result belongs, in values that survive undo and file loads.

    ``start`` is the timeline frame of the first result frame, ``content_start`` that of the
    source's content: their distance tells where the result goes after the source was moved.
    """

    blend: str
    scene: str
    strip: str
    strip_id: str
    start: int
    length: int
    content_start: float
    same_colours: bool = True


@dataclass(frozen=True)
class StripFacts:
    """What the panel says of a strip."""

    name: str
    frames: int
    width: int
    height: int


# --- finding -------------------------------------------------------------------------------------


def sequencer_scene(context: Any) -> Any | None:
    """Return the scene whose strips the user sees; from Blender 5.0 on there may be none."""
    if not hasattr(context, "sequencer_scene"):
        return context.scene
    if context.sequencer_scene is None and bpy.app.background:
        return context.scene
    return context.sequencer_scene


def active_strip(context: Any) -> Any | None:
    """Return the active strip of the sequencer."""
    scene = sequencer_scene(context)
    editor = scene.sequence_editor if scene else None
    return editor.active_strip if editor else None


def top_strips(owner: Any) -> Any:
    """Return the strips of a sequence editor or of a meta strip."""
    return owner.strips if hasattr(owner, "strips") else owner.sequences


def all_strips(scene: Any) -> Sequence[Any]:
    """Return every strip of a scene, also those inside meta strips."""
    editor = scene.sequence_editor
    if editor is None:
        return ()
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def owner_of(scene: Any, strip: Any) -> Any:
    """Return the sequence editor or the meta strip that holds ``strip``."""
    for meta in all_strips(scene):
        if meta.type == "META" and any(inner == strip for inner in top_strips(meta)):
            return meta
    return scene.sequence_editor


def is_in_meta(scene: Any, strip: Any) -> bool:
    """Is the strip inside a meta strip?"""
    return owner_of(scene, strip) != scene.sequence_editor


def find(place: Place) -> Any | None:
    """Return the source strip of a job, None where it is gone."""
    scene = bpy.data.scenes.get(place.scene)
    scenes = ([scene] if scene else []) + [other for other in bpy.data.scenes if other != scene]
    for scene in scenes:
        found = [s for s in all_strips(scene) if properties.of(s).strip_id == place.strip_id]
        if found:
            return next((strip for strip in found if strip.name == place.strip), found[0])
    return _unmarked(place)


def _unmarked(place: Place) -> Any | None:
    """Find a strip that lost its mark because an undo went back to before the job."""
    scene = bpy.data.scenes.get(place.scene)
    if scene is None or bpy.data.filepath != place.blend:
        return None
    for strip in all_strips(scene):
        if strip.name == place.strip and not properties.of(strip).strip_id:
            return strip
    return None


def find_result(job_id: str) -> Any | None:
    """Return the strip that shows a job's result."""
    for scene in bpy.data.scenes:
        for strip in all_strips(scene):
            if properties.of(strip).result_of == job_id:
                return strip
    return None


def source_of(result: Any) -> Any | None:
    """Return the source strip of a result strip."""
    source_id = properties.of(result).source_id
    for scene in bpy.data.scenes:
        for strip in all_strips(scene):
            if source_id and properties.of(strip).strip_id == source_id:
                return strip
    return None


def results_of(strip: Any) -> list[Any]:
    """Return the stylized strips of a source, or all those beside a stylized strip."""
    facts = properties.of(strip)
    source_id = facts.source_id or facts.strip_id
    others = all_strips(strip.id_data)
    return [s for s in others if source_id and properties.of(s).source_id == source_id]


def recipe_of(strip: Any) -> dict:
    """Return what a stylized strip was made from, {} for other strips."""
    try:
        return json.loads(strip.get(RECIPE_KEY, "{}"))
    except (TypeError, ValueError):
        return {}


def mark(scene: Any, strip: Any) -> str:
    """Give the strip an id of its own and return it; a copied strip gets a new one."""
    facts = properties.of(strip)
    bearers = [s for s in all_strips(scene) if properties.of(s).strip_id == facts.strip_id]
    if not facts.strip_id or len(bearers) > 1:
        facts.strip_id = uuid.uuid4().hex[:12]
    return facts.strip_id


def place_of(scene: Any, strip: Any) -> Place:
    """Return where the strip's result belongs."""
    return Place(
        blend=bpy.data.filepath,
        scene=scene.name,
        strip=strip.name,
        strip_id=mark(scene, strip),
        start=start(strip),
        length=length(strip),
        content_start=content_start(strip),
        same_colours=not needs_baking(scene, strip),
    )


# --- reading -------------------------------------------------------------------------------------


def _read(strip: Any, name: str, old_name: str) -> Any:
    """Read a timing property: Blender 5.1 renamed them and warns about the old names."""
    return getattr(strip, name) if hasattr(strip, name) else getattr(strip, old_name)


def start(strip: Any) -> int:
    """Return the first timeline frame on which the strip is seen."""
    return int(_read(strip, "left_handle", "frame_final_start"))


def length(strip: Any) -> int:
    """Return for how many timeline frames the strip is seen."""
    return int(_read(strip, "duration", "frame_final_duration"))


def content_start(strip: Any) -> float:
    """Return the timeline frame of the content's first frame, seen or not."""
    return float(_read(strip, "content_start", "frame_start"))


def content_length(strip: Any) -> int:
    """Return how many frames the content has between the trims of the media."""
    return int(_read(strip, "content_duration", "frame_duration"))


def content_trim(strip: Any) -> int:
    """Return how many frames of the media are skipped at its beginning."""
    return int(_read(strip, "content_trim_start", "animation_offset_start"))


def content_trim_end(strip: Any) -> int:
    """Return how many frames of the media are left out at its end."""
    return int(_read(strip, "content_trim_end", "animation_offset_end"))


def media_size(strip: Any) -> tuple[int, int]:
    """Return width and height of the media in pixels; zeros where it is unknown."""
    elements = strip.elements
    return (elements[0].orig_width, elements[0].orig_height) if len(elements) else (0, 0)


def frame_rate(scene: Any) -> float:
    """Return the frames per second of a scene."""
    return scene.render.fps / scene.render.fps_base


def facts_of(strip: Any) -> StripFacts | None:
    """Return what the panel says of a strip; None for types that have no media."""
    if strip.type not in ("MOVIE", "IMAGE"):
        return None
    return StripFacts(strip.name, length(strip), *media_size(strip))


def why_unusable(strip: Any | None) -> str:
    """Say why a strip cannot be stylized and what to do, without looking at the disk; or ''."""
    if strip is None:
        return "Select a movie or image strip"
    if strip.type not in ("MOVIE", "IMAGE"):
        kind = strip.type.replace("_", " ").lower()
        return f"A {kind} strip has no media of its own: render it to images and select those"
    if length(strip) < 2:
        return "The strip is only one frame long: select one with at least two"
    if strip.type == "IMAGE" and len(strip.elements) < 2:
        return "The strip shows a single image: select a movie or an image sequence"
    return ""


def visible_frames(strip: Any) -> tuple[int, ...]:
    """Return which frame of the media each timeline frame of the strip shows.

    Frames before and after the content hold its first and last frame, as Blender shows them.
    Holds for strips that need no baking.
    """
    first = start(strip) - round(content_start(strip))
    last = content_length(strip) - 1
    trim = content_trim(strip)
    return tuple(min(max(first + i, 0), last) + trim for i in range(length(strip)))


def media_path(strip: Any) -> Path:
    """Return the movie file, or the folder of the images."""
    path = strip.filepath if strip.type == "MOVIE" else strip.directory
    return Path(bpy.path.abspath(path)).absolute()


def missing_media(strip: Any) -> str:
    """Name the first media file that is not on the disk; or ''."""
    path = media_path(strip)
    if strip.type == "MOVIE":
        return "" if path.is_file() else str(path)
    names = {strip.elements[i].filename for i in visible_frames(strip)}
    lost = sorted(name for name in names if not (path / name).is_file())
    return str(path / lost[0]) if lost else ""


def image_names(folder: Path) -> list[str]:
    """Return the names of the pictures in a folder that the engine reads, sorted."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.suffix.lower() in READABLE_IMAGES and not path.name.startswith(".")
    )


def needs_baking(scene: Any, strip: Any) -> bool:
    """Can only Blender itself tell what the strip shows?

    So it is for media at another frame rate, retimed or reversed strips, pictures that the
    engine does not read, and movies whose frames Blender does not count as the engine does.
    """
    if strip.use_reverse_frames or getattr(strip, "strobe", 0.0) > 1.0:
        return True
    if getattr(strip, "use_deinterlace", False):
        return True
    if len(getattr(strip, "retiming_keys", ())):
        return True
    if strip.type == "MOVIE":
        return abs(strip.fps - frame_rate(scene)) > 1e-3 or not _is_counted_alike(strip)
    names = (strip.elements[i].filename for i in visible_frames(strip))
    return any(Path(name).suffix.lower() not in READABLE_IMAGES for name in names)


def _is_counted_alike(strip: Any) -> bool:
    """Is frame n of the movie the same picture for Blender and for the engine, beyond doubt?"""
    header = movie_header.read(media_path(strip))
    if header is None or (header.rotated and bpy.app.version < TURNS_PICTURES):
        return False
    whole = content_trim(strip) + content_length(strip) + content_trim_end(strip)
    return whole == header.frames and abs(strip.fps - header.rate) <= 1e-3


def footage(scene: Any, strip: Any) -> Footage:
    """Return what the strip shows as plain values; for strips that need no baking."""
    shown = visible_frames(strip)
    path, rate = str(media_path(strip)), frame_rate(scene)
    if strip.type == "MOVIE":
        return Footage(FootageKind.MOVIE, path, indices=shown, frames_per_second=rate)
    first, last = min(shown), max(shown)
    names = tuple(strip.elements[i].filename for i in range(first, last + 1))
    indices = tuple(i - first for i in shown)
    return Footage(FootageKind.IMAGES, path, names, indices, rate)


# --- placing -------------------------------------------------------------------------------------


def free_channel(owner: Any, above: int, first: int, count: int) -> int:
    """Return the lowest channel over ``above`` that is free for ``count`` frames from ``first``."""
    busy = {
        strip.channel
        for strip in top_strips(owner)
        if start(strip) < first + count and start(strip) + length(strip) > first
    }
    for channel in range(above + 1, CHANNELS + 1):
        if channel not in busy:
            return channel
    raise Unusable("All channels above the strip are full: free one, then import the result")


def result_files(folder: Path) -> list[str]:
    """Return the names of a result's frames, in order."""
    return sorted(path.name for path in folder.glob("*.png"))


def insert(
    place: Place, folder: Path, names: list[str], *, job_id: str, label: str, recipe: dict
) -> Any:
    """Add the frames ``names`` in ``folder`` as a strip over their source and return it.

    Selection, current frame, frame rate and the source stay as they are. Raises Unusable where
    the source is gone or no channel is free.
    """
    source = find(place)
    if source is None:
        raise Unusable(f"The strip {place.strip} is gone: the result waits until it is back")
    if len(names) != place.length:
        raise Unusable(f"{len(names)} of {place.length} frames are there: run the job again")
    scene = source.id_data
    owner = owner_of(scene, source)
    first = place.start + round(content_start(source) - place.content_start)
    channel = free_channel(owner, source.channel, first, place.length)
    name = f"{source.name} | {label}"[:NAME_LENGTH]
    result = _new_image_strip(owner, name, folder, names, channel, first)
    _copy_look(source, result, place.same_colours)
    _label(result, place, job_id, recipe)
    return _checked(result, owner, place, first, len(names))


def _new_image_strip(
    owner: Any, name: str, folder: Path, names: list[str], channel: int, first: int
) -> Any:
    strips = top_strips(owner)
    path = str(folder / names[0])
    strip = strips.new_image(name, path, channel, first, fit_method="ORIGINAL")
    for other in names[1:]:
        strip.elements.append(other)
    strip.channel = channel
    strip.select = False
    return strip


def _copy_look(source: Any, result: Any, same_colours: bool) -> None:
    for name in COPIED:
        setattr(result, name, getattr(source, name))
    if result.blend_type == "REPLACE":
        result.blend_type = "ALPHA_OVER"
    if same_colours:
        result.colorspace_settings.name = source.colorspace_settings.name
    ratio = media_size(source)[0] / (media_size(result)[0] or 1) or 1.0
    for name in COPIED_TRANSFORM:
        value = getattr(source.transform, name)
        setattr(result.transform, name, value * ratio if name.startswith("scale") else value)
    for name in COPIED_CROP:
        setattr(result.crop, name, round(getattr(source.crop, name) / ratio))


def _label(result: Any, place: Place, job_id: str, recipe: dict) -> None:
    facts = properties.of(result)
    facts.source_id, facts.result_of = place.strip_id, job_id
    result.color_tag = RESULT_TAG
    result[RECIPE_KEY] = json.dumps(recipe, ensure_ascii=False)


def _checked(result: Any, owner: Any, place: Place, first: int, files: int) -> Any:
    """Return ``result`` if it is where it belongs; else remove it and say so."""
    wanted = (first, place.length, place.length)
    found = (start(result), length(result), files)
    if found != wanted:
        top_strips(owner).remove(result)
        raise Unusable(f"The result does not fit: start, length, files {found}, not {wanted}")
    return result


def remove(strip: Any) -> None:
    """Remove a strip from its scene."""
    top_strips(owner_of(strip.id_data, strip)).remove(strip)


def redraw() -> None:
    """Let every sequencer and the preferences draw again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("SEQUENCE_EDITOR", "PREFERENCES"):
                area.tag_redraw()
