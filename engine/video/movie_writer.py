"""Arrays to movie files, through the ffmpeg that imageio-ffmpeg brings."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from .movies import Pixels

BT709 = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
TO_BT709 = [
    "-vf",
    "scale=out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int,"
    # Blender believes a movie's matrix only where the frames themselves name all three.
    "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709",
]
CODECS = {"ffv1": "ffv1", "prores": "prores_ks"}
STORED = {  # by codec and number of channels
    ("ffv1", 3): "bgr0", ("ffv1", 4): "bgra",
    ("prores", 3): "yuv444p10le", ("prores", 4): "yuva444p10le",
}  # fmt: skip
OPTIONS = {
    "ffv1": ["-level", "3", "-g", "1", "-slicecrc", "1"],
    "prores": [
        "-profile:v",
        "4444",
        "-alpha_bits",
        "16",
        "-movflags",
        "use_metadata_tags",
        *TO_BT709,
        *BT709,
    ],
}


class MovieWriter:
    """A movie that keeps alpha, written frame by frame; a context, left when all are written.

    ``codec``: ``ffv1`` keeps 8 bits without loss, in Matroska; ``prores`` is ProRes 4444 with 10
    bits, in QuickTime. Frames are uint8 or uint16, [H, W, 3] RGB or [H, W, 4] RGBA, of one shape.
    """

    def __init__(
        self, path: Path, codec: str, frames_per_second: float, *, tags: Mapping[str, str]
    ) -> None:
        self._path = path
        self._codec = codec
        self._rate = frames_per_second
        self._tags = tags
        self._stream: Generator[Any, Any, None] | None = None

    def __enter__(self) -> MovieWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()
        if kind is None and not (self._path.is_file() and self._path.stat().st_size):
            raise OSError(f"ffmpeg wrote no {self._path.name}")

    def add(self, frame: np.ndarray) -> None:
        """Write the next frame; raises OSError where ffmpeg ends early."""
        if self._stream is None:
            self._stream = self._started(frame)
            self._stream.send(None)
        self._stream.send(np.ascontiguousarray(frame))

    def _started(self, frame: np.ndarray) -> Generator[Any, Any, None]:
        height, width, channels = frame.shape
        tags = [
            item
            for name, text in self._tags.items()
            for item in ("-metadata", f"{name.lower()}={text}")
        ]
        return imageio_ffmpeg.write_frames(
            str(self._path),
            (width, height),
            pix_fmt_in=Pixels(channels, 8 * frame.dtype.itemsize).name,
            pix_fmt_out=STORED[self._codec, channels],
            fps=self._rate,  # pyright: ignore[reportArgumentType]
            codec=CODECS[self._codec],
            quality=None,  # pyright: ignore[reportArgumentType]
            macro_block_size=1,
            output_params=[*OPTIONS[self._codec], *tags],
        )


def write_movie(path: Path, images: Iterable[np.ndarray], frames_per_second: float) -> None:
    """Write uint8 RGB images of one size as H.264; odd sizes grow by one repeated row or column."""
    path = Path(path)
    iterator = iter(images)
    first = next(iterator)
    part = path.with_name(f".{path.stem}.part.mp4")
    height, width = (side + side % 2 for side in first.shape[:2])
    writer = imageio_ffmpeg.write_frames(
        str(part),
        (width, height),
        fps=frames_per_second,  # pyright: ignore[reportArgumentType]
        codec="libx264",
        pix_fmt_out="yuv420p",
        quality=None,  # pyright: ignore[reportArgumentType]
        macro_block_size=1,
        output_params=[
            *("-crf", "14", "-movflags", "+faststart"),
            *("-vf", "scale=out_color_matrix=bt709", *BT709),
        ],
    )
    with closing(writer):
        writer.send(None)
        for image in chain([first], iterator):
            rows, columns = height - image.shape[0], width - image.shape[1]
            padded = np.pad(image, ((0, rows), (0, columns), (0, 0)), mode="edge")
            writer.send(np.ascontiguousarray(padded))
    part.replace(path)
