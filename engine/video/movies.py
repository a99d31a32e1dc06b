"""Movie files as arrays, frame by frame, through the ffmpeg that imageio-ffmpeg brings.

Frames are counted while they are decoded: neither the length nor the rate that a file claims is
trusted, and ffmpeg is told to neither repeat nor drop frames.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from ..contract.events import EngineError, Fault

HELD_FRAMES = 64  # decoded frames kept at once when a movie is shown out of order


def movie_facts(path: Path) -> dict[str, Any]:
    """Return what the movie says about itself: ``fps``, ``duration`` (s), ``size`` (W, H)."""
    with closing(_open(path)) as stream:
        return _next_of(stream, path)


def movie_frames(path: Path, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield the frames ``indices`` of the movie, uint8 RGB [H, W, 3]; all frames for no indices.

    Rising indices are decoded in one pass. Any other order is decoded in blocks of `HELD_FRAMES`,
    so that a long reversed shot does not fill the memory.
    Raises EngineError MEDIA_UNREADABLE, also for an index beyond the end.
    """
    if not indices:
        yield from _decode(path)
    elif all(a <= b for a, b in pairwise(indices)):
        yield from _decode_rising(path, indices)
    else:
        for start in range(0, len(indices), HELD_FRAMES):
            block = indices[start : start + HELD_FRAMES]
            wanted = sorted(set(block))
            kept = dict(zip(wanted, _decode_rising(path, wanted), strict=True))
            yield from (kept[index] for index in block)


def write_movie(path: Path, images: Iterable[np.ndarray], frames_per_second: float) -> None:
    """Write uint8 RGB images of one size as H.264; odd sizes grow by one repeated row or column."""
    path = Path(path)
    iterator = iter(images)
    first = next(iterator)
    part = path.with_name(f".{path.stem}.part.mp4")
    height, width = (side + side % 2 for side in first.shape[:2])
    bt709 = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
    writer = imageio_ffmpeg.write_frames(
        str(part),
        (width, height),
        fps=frames_per_second,  # pyright: ignore[reportArgumentType]
        codec="libx264",
        pix_fmt_out="yuv420p",
        quality=None,  # pyright: ignore[reportArgumentType]
        macro_block_size=1,
        output_params=["-crf", "14", "-vf", "scale=out_color_matrix=bt709", *bt709],
    )
    with closing(writer):
        writer.send(None)
        for image in chain([first], iterator):
            rows, columns = height - image.shape[0], width - image.shape[1]
            padded = np.pad(image, ((0, rows), (0, columns), (0, 0)), mode="edge")
            writer.send(np.ascontiguousarray(padded))
    part.replace(path)


def _open(path: Path) -> Generator[Any, None, None]:
    if not path.is_file():
        raise _unreadable(path, "is not there")
    return imageio_ffmpeg.read_frames(str(path), output_params=["-fps_mode", "passthrough"])


def _next_of(stream: Generator[Any, None, None], path: Path) -> dict[str, Any]:
    try:
        return next(stream)
    except (OSError, RuntimeError, IndexError, ValueError) as error:
        raise _unreadable(path, "holds no picture that ffmpeg can decode") from error


def _decode(path: Path) -> Generator[np.ndarray, None, None]:
    with closing(_open(path)) as stream:
        width, height = _next_of(stream, path)["size"]
        while True:
            try:
                frame = next(stream, None)
            except RuntimeError as error:
                raise _unreadable(path, "breaks off in the middle of a frame") from error
            if frame is None:
                return
            yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)


def _decode_rising(path: Path, indices: Sequence[int]) -> Iterator[np.ndarray]:
    remaining = list(reversed(indices))
    count = 0
    with closing(_decode(path)) as frames:
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
