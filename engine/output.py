"""Finished frames to files: an image for each frame, or one movie. Knows nothing of jobs.

Colours go out as they came in: display colours (sRGB) in PNG and movies, the same light as linear
numbers in EXR. Alpha is straight in PNG and FFV1, unless it came premultiplied. It is multiplied
into the colours in EXR, as that format wants, and in ProRes, as Blender (from 4.5 on) and most
editors take it.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from .contract.settings import DEEP_FORMATS
from .video.exr import encode_exr
from .video.images import encode_png
from .video.movie_writer import MovieWriter
from .video.premultiplied import Premultiplied, with_weighted_colours
from .video.probing import MovieFacts
from .video.provenance import Provenance, tagged_png

IMAGE_NAME = "{:05d}{}"
IMAGE_SUFFIXES = {"png": ".png", "png16": ".png", "exr": ".exr"}
PREMULTIPLIED = ("exr", "prores")
MOVIE_NAMES = {"ffv1": "result.mkv", "prores": "result.mov"}


class Output:
    """The files of one result; a context, left when all frames are written.

    Frames are uint8 or uint16 as `is_deep` says, [H, W, 3] or [H, W, 4] with straight alpha, all
    of one shape. ``source`` is the movie that they were made from: what it says of its colours and
    of the shape of its pixels, a movie says, too. ``premultiplied`` has passed the footage on where
    that came so: then it goes out so.
    """

    def __init__(
        self,
        folder: Path,
        file_format: str,
        frames_per_second: float,
        provenance: Provenance,
        *,
        source: MovieFacts | None = None,
        premultiplied: Premultiplied | None = None,
    ) -> None:
        self._folder = folder
        self._format = file_format
        self._rate = frames_per_second
        self._provenance = provenance
        self._source = source
        self._premultiplied = premultiplied
        self._shape: tuple[int, ...] = ()
        self._count = 0
        self._files: list[str] = []
        self._open = ExitStack()
        self._movie: MovieWriter | None = None

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def add(self, frame: np.ndarray) -> None:
        """Write the next frame. Raises OSError, also where ffmpeg cannot write."""
        self._shape = frame.shape
        if self._premultiplied is not None and self._format not in PREMULTIPLIED:
            frame = self._premultiplied.again(frame)
        if self._format in MOVIE_NAMES:
            self._add_to_movie(frame)
        else:
            self._add_image(frame)
        self._count += 1

    def _add_image(self, frame: np.ndarray) -> None:
        name = IMAGE_NAME.format(self._count, IMAGE_SUFFIXES[self._format])
        if self._format == "exr":
            data = encode_exr(linear(frame), self._provenance.tags)
        else:
            data = tagged_png(encode_png(frame), self._provenance)
        (self._folder / name).write_bytes(data)
        self._files.append(name)

    def _add_to_movie(self, frame: np.ndarray) -> None:
        if self._movie is None:
            name, tags = MOVIE_NAMES[self._format], self._provenance.tags
            writer = MovieWriter(
                self._folder / name, self._format, self._rate, tags=tags, source=self._source
            )
            self._movie = self._open.enter_context(writer)
            self._files.append(name)
        premultiplied = self._format in PREMULTIPLIED
        self._movie.add(with_weighted_colours(frame) if premultiplied else frame)

    def facts(self) -> dict[str, Any]:
        """Return what ``report.json`` says of the files, sizes in pixels."""
        height, width, channels = self._shape
        return {
            "format": self._format,
            "files": self._files,
            "frames": self._count,
            "size": [width, height],
            "alpha": self._alpha_kind() if channels == 4 else "none",
            "colours": "linear Rec.709" if self._format == "exr" else "sRGB",
            "provenance": self._provenance.tags,
        }

    def _alpha_kind(self) -> str:
        multiplied = self._format in PREMULTIPLIED or self._premultiplied is not None
        return "premultiplied" if multiplied else "straight"


def is_deep(file_format: str) -> bool:
    """Does the format hold more than 8 bits, so that its frames are uint16?"""
    return file_format in DEEP_FORMATS


def linear(frame: np.ndarray) -> np.ndarray:
    """Return display colours (sRGB) of any depth as linear light, float32, premultiplied."""
    values = frame.astype(np.float32) / np.iinfo(frame.dtype).max
    colour = values[..., :3]
    low, high = colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4  # IEC 61966-2-1
    light = np.where(colour <= 0.04045, low, high)
    if frame.shape[2] == 3:
        return light
    return np.concatenate([light * values[..., 3:], values[..., 3:]], axis=2)
