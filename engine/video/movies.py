"""Movie files as arrays, frame by frame, through the ffmpeg that imageio-ffmpeg brings.

Frames are counted while they are decoded: neither the length nor the rate that a file claims is
trusted, and ffmpeg is told to neither repeat nor drop frames.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from ..contract.events import EngineError, Fault
from ..contract.files import MOST_PIXELS

# Containers that hold their pictures themselves: playlists and lists of files read elsewhere.
CONTAINERS = (
    "mov,matroska,avi,mpegts,mpegtsraw,mpeg,mpegvideo,mxf,flv,ogg,asf,dv,gif,apng,m4v,h263,h264,"
    "hevc,vvc,av1,obu,ivf,nut,rm,wtv,gxf,mjpeg,vc1,dirac,dnxhd,yuv4mpegpipe,cavsvideo,r3d,webp_anim"
)
WARY = [
    *("-format_whitelist", CONTAINERS, "-protocol_whitelist", "file"),
    *("-max_pixels", str(MOST_PIXELS)),
]
HELD_FRAMES = 64  # decoded frames kept at once when a movie is shown out of order
WITH_ALPHA = ("yuva", "gbrap", "rgba", "bgra", "argb", "abgr", "ya8", "ya16", "pal8")


@dataclass(frozen=True)
class Pixels:
    """How ffmpeg codes the pixels of raw frames; names are ffmpeg's."""

    channels: int = 3
    depth: int = 8

    @property
    def name(self) -> str:
        """The pixel format."""
        return {
            (3, 8): "rgb24", (4, 8): "rgba", (3, 16): "rgb48le", (4, 16): "rgba64le"
        }[self.channels, self.depth]  # fmt: skip

    @property
    def bits(self) -> int:
        """Bits of one pixel."""
        return self.channels * self.depth

    @property
    def dtype(self) -> str:
        """The array's numbers."""
        return {8: "u1", 16: "<u2"}[self.depth]


PLAIN = Pixels()


def movie_facts(path: Path) -> dict[str, Any]:
    """Return what the movie says about itself: ``fps``, ``duration`` (s), ``size`` (W, H)."""
    with closing(_open(path)) as stream:
        return _next_of(stream, path)


def has_alpha(path: Path) -> bool:
    """Do the movie's pictures have an alpha channel that ffmpeg decodes?"""
    return movie_facts(path)["pix_fmt"].startswith(WITH_ALPHA)


def movie_frames(
    path: Path, indices: Sequence[int], pixels: Pixels = PLAIN
) -> Iterator[np.ndarray]:
    """Yield the frames ``indices`` of the movie, [H, W, C]; all frames for no indices.

    Rising indices are decoded in one pass. Any other order is decoded in blocks of `HELD_FRAMES`,
    so that a long reversed shot does not fill the memory.
    Raises EngineError MEDIA_UNREADABLE, also for an index beyond the end.
    """
    if not indices:
        yield from _decode(path, pixels)
    elif all(a <= b for a, b in pairwise(indices)):
        yield from _decode_rising(path, indices, pixels)
    else:
        for start in range(0, len(indices), HELD_FRAMES):
            block = indices[start : start + HELD_FRAMES]
            wanted = sorted(set(block))
            kept = dict(zip(wanted, _decode_rising(path, wanted, pixels), strict=True))
            yield from (kept[index] for index in block)


def _open(path: Path, pixels: Pixels = PLAIN) -> Generator[Any, None, None]:
    if not path.is_file():
        raise _unreadable(path, "is not there")
    return imageio_ffmpeg.read_frames(
        str(path),
        pix_fmt=pixels.name,
        bits_per_pixel=pixels.bits,
        input_params=WARY,
        output_params=["-fps_mode", "passthrough"],
    )


def _next_of(stream: Generator[Any, None, None], path: Path) -> dict[str, Any]:
    try:
        return next(stream)
    except (OSError, RuntimeError, IndexError, ValueError) as error:
        raise _unreadable(path, "holds no picture that ffmpeg can decode") from error


def _decode(path: Path, pixels: Pixels) -> Generator[np.ndarray, None, None]:
    with closing(_open(path, pixels)) as stream:
        width, height = _next_of(stream, path)["size"]
        while True:
            try:
                frame = next(stream, None)
            except RuntimeError as error:
                raise _unreadable(path, "breaks off in the middle of a frame") from error
            if frame is None:
                return
            yield np.frombuffer(frame, pixels.dtype).reshape(height, width, pixels.channels)


def _decode_rising(path: Path, indices: Sequence[int], pixels: Pixels) -> Iterator[np.ndarray]:
    remaining = list(reversed(indices))
    count = 0
    with closing(_decode(path, pixels)) as frames:
        for frame in frames:
            while remaining and remaining[-1] == count:
                remaining.pop()
                yield frame
            count += 1
            if not remaining:
                return
    raise EngineError(
        Fault.MEDIA_UNREADABLE,
        f"Frame {indices[-1]} of {path} was asked for, but the movie has {count} frames, "
        "counted from 0.",
        "Trim the strip so that it ends before the movie does.",
    )


def _unreadable(path: Path, what: str) -> EngineError:
    return EngineError(
        Fault.MEDIA_UNREADABLE,
        f"The movie {path} {what}.",
        "Check that the file is there and plays, or convert it to H.264 in an MP4 file.",
    )
