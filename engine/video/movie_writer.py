"""Arrays to movie files, through the ffmpeg that imageio-ffmpeg brings."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from .movies import Pixels
from .probing import Colours, MovieFacts, exact_rate, process_options

SIGXFSZ = 25  # the signal that ends a program whose file has become larger than it may
BT709 = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
MATRICES = ("bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "bt2020nc")  # that scale knows
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
    ],
}


class Encoding:
    """An ffmpeg that takes raw frames of one shape; a context, left when all are written.

    ``options`` are ffmpeg's for what it writes. All methods raise OSError where it fails; what it
    said is in the error.
    """

    def __init__(
        self, path: Path, first: np.ndarray, frames_per_second: float, options: Sequence[str]
    ) -> None:
        height, width, channels = first.shape
        self._path = path
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        pixels = Pixels(channels, 8 * first.dtype.itemsize).name
        rate = str(exact_rate(frames_per_second))
        command = [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", "-f", "rawvideo"),
            *("-s", f"{width}x{height}", "-pix_fmt", pixels, "-r", rate, "-i", "-", "-an"),
            *(*options, str(path)),
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._said,
            **process_options(),
        )  # fmt: skip

    def __enter__(self) -> Encoding:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._process.kill()
        with self._said:
            with contextlib.suppress(OSError):  # the exit status tells
                self._process.communicate()
            if kind is None and self._process.wait() != 0:
                raise self._failure()

    def add(self, frame: np.ndarray) -> None:
        """Write the next frame."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(frame).data)
        except OSError as error:
            self._process.wait()
            raise self._failure() from error

    def _failure(self) -> OSError:
        self._said.seek(0)
        words = self._said.read().decode("utf-8", errors="replace").strip().splitlines()
        code = self._process.returncode
        said = "; ".join(words[:3]) or "File too large" * (code == -SIGXFSZ) or f"status {code}"
        return OSError(f"ffmpeg could not write {self._path.name}: {said}")


class MovieWriter:
    """A movie that keeps alpha, written frame by frame; a context, left when all are written.

    ``codec``: ``ffv1`` keeps 8 bits without loss, in Matroska; ``prores`` is ProRes 4444 with 10
    bits, in QuickTime. Frames are uint8 or uint16, [H, W, 3] RGB or [H, W, 4] RGBA, of one shape.
    Colours and the shape of pixels are said to be those of ``source``, where that names them.
    """

    def __init__(
        self,
        path: Path,
        codec: str,
        frames_per_second: float,
        *,
        tags: Mapping[str, str],
        source: MovieFacts | None = None,
    ) -> None:
        self._path = path
        self._codec = codec
        self._rate = frames_per_second
        self._tags = tags
        self._source = source
        self._encoding: Encoding | None = None
        self._open = contextlib.ExitStack()

    def __enter__(self) -> MovieWriter:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._open.__exit__(*raised)

    def add(self, frame: np.ndarray) -> None:
        """Write the next frame; raises OSError where ffmpeg fails."""
        if self._encoding is None:
            self._encoding = self._open.enter_context(self._start(frame))
        self._encoding.add(frame)

    def _start(self, frame: np.ndarray) -> Encoding:
        tags = [
            item
            for name, text in self._tags.items()
            for item in ("-metadata", f"{name.lower()}={text}")
        ]
        stored = STORED[self._codec, frame.shape[2]]
        options = ["-vcodec", CODECS[self._codec], "-pix_fmt", stored]
        appearance = _look(self._codec, self._source)
        options += [*OPTIONS[self._codec], *appearance, *tags]
        return Encoding(self._path, frame, self._rate, options)


def _look(codec: str, source: MovieFacts | None) -> list[str]:
    """Return the options that convert to the source's colours and name them, with its pixels."""
    colours = source.colours if source is not None else Colours()
    aspect = source.pixel_aspect if source is not None else Fraction(1)
    filters = [f"setsar={aspect.numerator}/{aspect.denominator}"] if aspect != 1 else []
    primaries, transfer = colours.primaries or "bt709", colours.transfer or "bt709"
    if codec == "prores":
        matrix = colours.matrix if colours.matrix in MATRICES else "bt709"
        # Blender believes a movie's matrix only where the frames themselves name all three.
        filters += [
            f"scale=out_color_matrix={matrix}:flags=accurate_rnd+full_chroma_int",
            f"setparams=colorspace={matrix}:color_primaries={primaries}:color_trc={transfer}",
        ]
        named = ["-colorspace", matrix]
    elif colours.primaries and colours.transfer:
        filters.append(f"setparams=color_primaries={primaries}:color_trc={transfer}")
        named = []
    else:
        return ["-vf", ",".join(filters)] if filters else []
    named += ["-color_primaries", primaries, "-color_trc", transfer]
    return ["-vf", ",".join(filters), *named]


def write_movie(path: Path, images: Iterable[np.ndarray], frames_per_second: float) -> None:
    """Write uint8 RGB images of one size as H.264; odd sizes grow by one repeated row or column.

    Raises OSError where ffmpeg fails.
    """
    path = Path(path)
    iterator = iter(images)
    first = _even(next(iterator))
    part = path.with_name(f".{path.stem}.part.mp4")
    options = [
        *("-vcodec", "libx264", "-pix_fmt", "yuv420p", "-crf", "14", "-movflags", "+faststart"),
        *("-vf", "scale=out_color_matrix=bt709", *BT709),
    ]
    with Encoding(part, first, frames_per_second, options) as encoding:
        encoding.add(first)
        for image in iterator:
            encoding.add(_even(image))
    part.replace(path)


def _even(image: np.ndarray) -> np.ndarray:
    rows, columns = (side % 2 for side in image.shape[:2])
    return np.pad(image, ((0, rows), (0, columns), (0, 0)), mode="edge")
