"""From footage to frames: at the working size for the engine, at their own size for the result.

Knows nothing of strips or of jobs; the same code serves Blender and the command line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..contract.events import EngineError, Fault, Report, Stopped
from ..contract.image_headers import header_of
from ..contract.job import Footage, FootageKind
from ..contract.sequences import oddities, twice
from ..contract.settings import FramesSettings
from .images import (
    IMAGE_SUFFIXES,
    encode_png,
    image_names,
    over_black,
    read_rgb,
    read_whole,
    write_png,
)
from .movie_writer import write_movie
from .movies import PLAIN, Pixels, Warn, movie_frames
from .probing import movie_facts

__all__ = [
    "Video",
    "encode_png",
    "footage_from_path",
    "footage_length",
    "footage_names",
    "is_movie",
    "load_video",
    "read_video",
    "save_video",
    "source_frames",
    "whole_frames",
    "working_size",
    "write_movie",
    "write_png",
]

GREYS_SIDE = 854


@dataclass(frozen=True)
class Video:
    """The footage decoded once, at the working size and, in grey, larger.

    ``frames`` uint8 RGB [T, H, W, 3]; ``source_size`` (width, height) of the footage itself.
    ``greys`` uint8 [T, h, w] have a longest side of `GREYS_SIDE` at most: points are tracked and
    flow is estimated more exactly in them.
    """

    frames: np.ndarray
    source_size: tuple[int, int]
    frames_per_second: float
    greys: np.ndarray


def working_size(source_size: tuple[int, int], longest_side: int) -> tuple[int, int]:
    """Return (width, height) with the given longest side, the aspect kept, never larger."""
    scale = min(1.0, longest_side / max(source_size))
    width, height = (max(1, round(side * scale)) for side in source_size)
    return width, height


def read_video(footage: Footage, settings: FramesSettings, report: Report) -> Video:
    """Decode the chosen frames and reduce them to the working size by area.

    Raises EngineError MEDIA_UNREADABLE or FOOTAGE_TOO_SHORT, and Stopped.
    """
    expected = expected_count(footage)
    _say_what_is_odd(footage, report)
    frames: list[np.ndarray] = []
    greys: list[np.ndarray] = []
    source_size = (0, 0)
    for frame in source_frames(footage, report.warning):
        if report.stopping():
            raise Stopped
        source_size = (frame.shape[1], frame.shape[0])
        size = working_size(source_size, settings.longest_side)
        frames.append(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
        grey, size = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), working_size(source_size, GREYS_SIDE)
        greys.append(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
        report.progress(len(frames), max(len(frames), expected))
    if len(frames) < 2:
        raise EngineError(
            Fault.FOOTAGE_TOO_SHORT,
            f"The footage has {len(frames)} frame(s); at least 2 are needed.",
            "Choose a longer strip.",
        )
    return Video(np.stack(frames), source_size, footage.frames_per_second, np.stack(greys))


def _say_what_is_odd(footage: Footage, report: Report) -> None:
    path = Path(footage.path)
    if footage.kind is FootageKind.IMAGES:
        names = footage_names(footage)
        for oddity in oddities(names):
            report.warning(oddity, "Check that these are all images of the shot, and no others.")
        has_deep_alpha = bool(names) and _has_deep_alpha(path / names[0])
    else:
        facts = movie_facts(path)
        has_deep_alpha = facts.has_alpha and facts.is_deep
        if not facts.constant:
            report.warning(
                f"The movie {path} may show its frames for different times: the result has "
                f"each of them once, {footage.frames_per_second:g} a second.",
                "Convert it to a constant rate first if the result must keep its times.",
            )
    if has_deep_alpha:
        report.warning(
            f"The alpha of {path} has more than 8 bits and is read as the file says, straight "
            "unless it says otherwise; Blender may show such footage as premultiplied.",
            "If edges look too dark or too light, start the job in Blender, or save the footage "
            "as PNG.",
        )


def _has_deep_alpha(path: Path) -> bool:
    """Has the image, a TIFF, alpha of more than 8 bits?"""
    try:
        header = header_of(path)
    except OSError:
        return False  # who reads its pixels says what is wrong with it
    return bool(header.alpha) and header.bits > 8


def source_frames(footage: Footage, warn: Warn | None = None) -> Iterator[np.ndarray]:
    """Yield the chosen frames at their own size, uint8 RGB [H, W, 3], in display order.

    ``warn`` gets a sentence and a remedy where a movie is damaged.
    Raises EngineError MEDIA_UNREADABLE where a frame is missing or images differ in size.
    """
    _check_indices(footage)
    if footage.kind is FootageKind.MOVIE:
        return movie_frames(Path(footage.path), footage.indices, PLAIN, warn)
    if footage.premultiplied:  # over black they are as they are stored
        return (frame[..., :3] for frame in _image_frames(footage, lambda p: read_whole(p, 8)))
    return _image_frames(footage, read_rgb)


def whole_frames(footage: Footage, depth: int) -> Iterator[np.ndarray]:
    """Yield the frames as `source_frames` does, with all that they hold.

    They are uint8 or uint16 for ``depth`` 8 or 16, RGB [H, W, 3], or RGBA [H, W, 4] where the first
    one has alpha, which is straight unless the footage is premultiplied.
    """
    _check_indices(footage)
    path = Path(footage.path)
    if footage.kind is FootageKind.MOVIE:
        pixels = Pixels(4 if movie_facts(path).has_alpha else 3, depth)
        return movie_frames(path, footage.indices, pixels)
    return _alike(_image_frames(footage, lambda path: read_whole(path, depth)))


def _alike(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Give all frames alpha if the first has it, else none."""
    channels = 0
    for frame in frames:
        channels = channels or frame.shape[2]
        if channels == 3:
            frame = over_black(frame)
        elif frame.shape[2] == 3:
            opaque = np.full_like(frame[..., :1], np.iinfo(frame.dtype).max)
            frame = np.concatenate([frame, opaque], axis=2)
        yield frame


def _check_indices(footage: Footage) -> None:
    if any(index < 0 for index in footage.indices):
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            f"Frame {min(footage.indices)} of {footage.path} was asked for; they count from 0.",
            "Trim the strip so that it begins after the media does.",
        )


def is_movie(path: Path) -> bool:
    """Is ``path`` a file other than a still image?"""
    return Path(path).is_file() and Path(path).suffix.lower() not in IMAGE_SUFFIXES


def footage_from_path(path: Path, frames_per_second: float = 24.0) -> Footage:
    """Return the whole of a movie file, or of a folder of images, as footage.

    A movie brings its own rate; ``frames_per_second`` is for images.
    Raises EngineError MEDIA_UNREADABLE.
    """
    path = Path(path)
    _check_name(path)
    if path.is_dir():
        names = _names(Footage(FootageKind.IMAGES, str(path)))
        return Footage(FootageKind.IMAGES, str(path), names, (), frames_per_second)
    if path.is_file() and not is_movie(path):
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            f"{path} is a single image.",
            "Give the folder that holds the images of the shot, or a movie file.",
        )
    rate = movie_facts(path).frames_per_second or frames_per_second
    return Footage(FootageKind.MOVIE, str(path), frames_per_second=float(rate))


def _check_name(path: Path) -> None:
    """Refuse what names several files or another machine, and say what to give instead."""
    if path.exists():
        return
    what = ""
    if re.search(r"[*?\[]|%0?[0-9]*d|#{2,}", path.name):
        what = f"{path} is a pattern of names, and there is no file of that name."
    elif any(re.fullmatch(r"[a-z0-9+.-]{2,}:", part) for part in path.parts):
        what = f"{path} is an address on the net."
    if what:
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            what,
            "Give a movie file, or the folder that holds the images of the shot, on this machine.",
        )


def footage_names(footage: Footage) -> tuple[str, ...]:
    """Return the file names of image footage, one for each frame that ``indices`` may choose."""
    return footage.files or _names(footage)


def footage_length(footage: Footage) -> int:
    """Count the frames that ``indices`` may choose from; a movie is decoded to know."""
    if footage.kind is FootageKind.MOVIE:
        return sum(1 for _ in movie_frames(Path(footage.path), ()))
    return len(footage_names(footage))


def expected_count(footage: Footage) -> int:
    """Return the number of chosen frames; of a whole movie what it says itself, about.

    Raises EngineError MEDIA_UNREADABLE.
    """
    if footage.indices or footage.kind is FootageKind.IMAGES:
        return len(footage.indices) or len(footage_names(footage))
    return movie_facts(Path(footage.path)).frames


def save_video(video: Video, folder: Path) -> None:
    """Write ``video`` into ``folder``."""
    np.save(folder / "frames.npy", video.frames)
    np.save(folder / "greys.npy", video.greys)
    facts = {"source_size": video.source_size, "frames_per_second": video.frames_per_second}
    (folder / "video.json").write_text(json.dumps(facts), encoding="utf-8")


def load_video(folder: Path) -> Video:
    """Read what `save_video` wrote."""
    facts = json.loads((folder / "video.json").read_text(encoding="utf-8"))
    width, height = facts["source_size"]
    frames, greys = (np.load(folder / name) for name in ("frames.npy", "greys.npy"))
    return Video(frames, (width, height), facts["frames_per_second"], greys)


def _image_frames(footage: Footage, read: Callable[[Path], np.ndarray]) -> Iterator[np.ndarray]:
    names = footage_names(footage)
    indices = footage.indices or range(len(names))
    if max(indices) >= len(names):
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            f"Image {max(indices)} of {footage.path} was asked for, but there are {len(names)}, "
            "counted from 0.",
            "Trim the strip so that it ends with its last image.",
        )
    first: np.ndarray | None = None
    for index in indices:
        frame = read(Path(footage.path) / names[index])
        first = frame if first is None else first
        if frame.shape[:2] != first.shape[:2]:
            raise EngineError(
                Fault.MEDIA_UNREADABLE,
                f"The image {names[index]} is {frame.shape[1]} x {frame.shape[0]} px, but "
                f"{names[indices[0]]} is {first.shape[1]} x {first.shape[0]} px.",
                "Use images of one size, or put shots of different sizes into different strips.",
            )
        yield frame


def _names(footage: Footage) -> tuple[str, ...]:
    folder = Path(footage.path)
    names = image_names(folder) if folder.is_dir() else ()
    both = twice(names)
    if both is not None:
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            f"The folder {folder} holds two images of one number: {both[0]} and {both[1]}.",
            "Put the images of each shot, of one kind, into a folder of their own.",
        )
    if not names:
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            f"The folder {folder} " + ("holds no image." if folder.is_dir() else "is not there."),
            f"Give a folder with images: {', '.join(sorted(IMAGE_SUFFIXES))}.",
        )
    return names
