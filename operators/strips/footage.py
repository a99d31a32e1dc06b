"""What a strip shows, as the engine's Footage, and whether only Blender itself can tell.

A strip is read in one of two ways. *Strip media*: the files that it refers to, with its timing;
where Blender counts frames in its own way, a second Blender renders the bare media. *As
displayed*: the picture with all that was done to it, always rendered by a second Blender.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ...engine.contract.image_headers import header_of
from ...engine.contract.job import Footage, FootageKind
from ...engine.contract.sequences import by_number
from .. import movie_header, properties
from .sequencer import (
    content_length,
    content_start,
    content_trim,
    content_trim_end,
    frame_rate,
    inputs_of,
    length,
    media_size,
    render_size,
    start,
    top_strips,
)

READABLE_IMAGES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"}
# H.264, H.265 and AV1: what a benchmark found alike in all Blenders (docs/strips.md).
READ_ALIKE = {"avc1", "avc3", "hvc1", "hev1", "av01"}
SHOWS_ALIKE = (4, 5)  # older Blenders convert chroma otherwise and do not turn movies
WITH_MEDIA = ("MOVIE", "IMAGE")


@dataclass(frozen=True)
class StripFacts:
    """What the panel says of a strip."""

    name: str
    frames: int
    width: int
    height: int


def is_displayed(strip: Any, source: str | None = None) -> bool:
    """Is the strip read as displayed, not as its media?

    ``source`` is ``automatic``, ``media`` or ``displayed``; None is what the strip itself says.
    """
    source = source or properties.of(strip).source
    return source == "displayed" or (source == "automatic" and strip.type not in WITH_MEDIA)


def why_unusable(strip: Any | None, source: str | None = None) -> str:
    """Say why a strip cannot be stylized and what to do, without looking at the disk; or ''."""
    if strip is None:
        return "Select a movie or image strip, or any other that shows a picture"
    kind = strip.type.replace("_", " ").lower()
    if strip.type == "SOUND":
        return "A sound strip shows nothing: select a strip with a picture"
    if length(strip) < 2:
        return "The strip is only one frame long: select one with at least two"
    if is_displayed(strip, source):
        return ""
    if strip.type not in WITH_MEDIA:
        return f"The {kind} strip has no media of its own: choose As Displayed"
    if strip.type == "IMAGE" and len(strip.elements) < 2:
        return "The strip shows a single image: select a movie or an image sequence"
    return ""


def facts_of(strip: Any) -> StripFacts | None:
    """Return what the panel says of a strip; None for sound."""
    if strip.type == "SOUND":
        return None
    return StripFacts(strip.name, length(strip), *picture_size(strip))


def picture_size(strip: Any, source: str | None = None) -> tuple[int, int]:
    """Return width and height of the frames that the engine gets, in pixels; 0 where unknown."""
    if is_displayed(strip, source):
        return render_size(strip.id_data)
    return media_size(strip)


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
    """Name the first media file that is not on the disk; or ''.

    Looks into meta strips and at the inputs of effects too.
    """
    if strip.type not in WITH_MEDIA:
        inner = [*(top_strips(strip) if strip.type == "META" else ()), *inputs_of(strip)]
        return next(filter(None, map(missing_media, inner)), "")
    path = media_path(strip)
    if strip.type == "MOVIE":
        return "" if path.is_file() else str(path)
    names = {strip.elements[i].filename for i in _chosen_images(strip)}
    lost = sorted(name for name in names if not (path / name).is_file())
    return str(path / lost[0]) if lost else ""


def _chosen_images(strip: Any) -> tuple[int, ...]:
    """Return the places of the images that are shown, all of them where Blender alone knows."""
    if _has_timing_of_its_own(strip):
        return tuple(range(len(strip.elements)))
    return visible_frames(strip)


def image_names(folder: Path) -> list[str]:
    """Return the names of the pictures in a folder that the engine reads, by number."""
    return by_number(
        path.name
        for path in folder.iterdir()
        if path.suffix.lower() in READABLE_IMAGES and not path.name.startswith(".")
    )


def needs_baking(scene: Any, strip: Any, source: str | None = None) -> bool:
    """Can only Blender itself tell what the engine should get?

    So it is for all that is read as displayed, for media at another frame rate, retimed or
    reversed strips, pictures and movies that Blender or the engine does not read as the other
    does, movies whose frames they count differently, and linear results of media that are not in
    display colours.
    """
    if is_displayed(strip, source) or _has_timing_of_its_own(strip):
        return True
    if getattr(strip, "use_deinterlace", False) or _is_linear_of_other_colours(strip):
        return True
    if strip.type == "MOVIE":
        return abs(strip.fps - frame_rate(scene)) > 1e-3 or not _is_counted_alike(strip)
    names = {strip.elements[i].filename for i in visible_frames(strip)}
    return not all(_is_read_alike(media_path(strip) / name) for name in names)


def _is_read_alike(path: Path) -> bool:
    """Does the engine read the image as Blender does, beyond doubt?"""
    if path.suffix.lower() not in READABLE_IMAGES:
        return False
    try:
        header = header_of(path)
    except OSError:
        return True  # the engine says what is wrong with it
    return not (header.peculiar or header.alpha)


def _has_timing_of_its_own(strip: Any) -> bool:
    """Does the strip show its media in another order or at another speed?"""
    if strip.use_reverse_frames or getattr(strip, "strobe", 0.0) > 1.0:
        return True
    return bool(len(getattr(strip, "retiming_keys", ())))


def _is_linear_of_other_colours(strip: Any) -> bool:
    """Will the result be linear though the engine cannot tell how the media code light?"""
    is_linear = properties.of(strip).settings.render.format == "exr"
    return is_linear and strip.colorspace_settings.name != "sRGB"


def _is_counted_alike(strip: Any) -> bool:
    """Is frame n of the movie the same picture for Blender and for the engine, beyond doubt?"""
    if bpy.app.version < SHOWS_ALIKE:
        return False
    header = movie_header.read(media_path(strip))
    if header is None or header.codec not in READ_ALIKE or header.is_hdr:
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
    return Footage(
        FootageKind.IMAGES, path, names, indices, rate, premultiplied=is_premultiplied(strip)
    )


def is_premultiplied(strip: Any) -> bool:
    """Are the colours of the strip's media multiplied by their alpha?

    The movies that the engine reads have no alpha.
    """
    return strip.type == "IMAGE" and strip.alpha_mode == "PREMUL"
