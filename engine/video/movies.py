"""Movie files as arrays, frame by frame, through the ffmpeg that imageio-ffmpeg brings.

Frames are counted while they are decoded, and ffmpeg is told to neither repeat nor drop any. What
is lost in a damaged movie of constant rate leaves a gap in the times of the frames: the frame
before it is held, so that all others stay in their places.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, repeat
from pathlib import Path
from typing import IO

import cv2
import numpy as np

from ..contract.events import EngineError, Fault
from .probing import (
    HDR,
    MovieFacts,
    ffmpeg_command,
    input_words,
    movie_facts,
    process_options,
    unreadable,
)

HELD_FRAMES = 64  # decoded frames kept at once when a movie is shown out of order
SURELY_LOST = 1.75  # frames' time between two
MOST_LOST = 1000  # frames in a row
# As Blender converts: the chroma of the nearest place, and exact rounding.
SCALER = "neighbor+full_chroma_int+accurate_rnd"

Warn = Callable[[str, str], None]


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
    def decoded(self) -> str:
        """The pixel format in which frames are decoded: the same numbers, converted faster."""
        return "gbrp" if self.name == "rgb24" else self.name

    @property
    def dtype(self) -> str:
        """The array's numbers."""
        return {8: "u1", 16: "<u2"}[self.depth]

    def frame(self, data: bytes, width: int, height: int) -> np.ndarray:
        """Return the raw frame as an array [H, W, C]."""
        values = np.frombuffer(data, self.dtype)
        if self.decoded == "gbrp":
            green, blue, red = values.reshape(3, height, width)
            return cv2.merge((red, green, blue))
        return values.reshape(height, width, self.channels)


PLAIN = Pixels()


def movie_frames(
    path: Path, indices: Sequence[int], pixels: Pixels = PLAIN, warn: Warn | None = None
) -> Iterator[np.ndarray]:
    """Yield the frames ``indices`` of the movie, [H, W, C]; all frames for no indices.

    Rising indices are decoded in one pass. Any other order is decoded in blocks of `HELD_FRAMES`,
    so that a long reversed shot does not fill the memory. ``warn`` gets a sentence and a remedy
    where the movie is damaged. Raises EngineError MEDIA_UNREADABLE, also for an index beyond the
    end.
    """
    facts = movie_facts(path)
    if facts.colours.transfer in HDR:
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            f"The movie {path} codes light as HDR ({HDR[facts.colours.transfer]}).",
            "Convert it to SDR (BT.709) first, or choose As Displayed for its strip in Blender.",
        )
    decoding = _Decoding(path, facts, pixels, warn)
    if not indices:
        yield from decoding.frames()
    elif all(a <= b for a, b in pairwise(indices)):
        yield from _rising(decoding, indices)
    else:
        for start in range(0, len(indices), HELD_FRAMES):
            block = indices[start : start + HELD_FRAMES]
            wanted = sorted(set(block))
            kept = dict(zip(wanted, _rising(decoding, wanted), strict=True))
            yield from (kept[index] for index in block)


def _rising(decoding: _Decoding, indices: Sequence[int]) -> Iterator[np.ndarray]:
    remaining = list(reversed(indices))
    count = 0
    for frame in decoding.frames():
        while remaining and remaining[-1] == count:
            remaining.pop()
            yield frame
        count += 1
        if not remaining:
            return
    raise EngineError(
        Fault.MEDIA_UNREADABLE,
        f"Frame {indices[-1]} of {decoding.path} was asked for, but the movie has {count} frames, "
        "counted from 0.",
        "Trim the strip so that it ends before the movie does.",
    )


class _Decoding:
    """Decodes one movie, from its beginning each time."""

    def __init__(self, path: Path, facts: MovieFacts, pixels: Pixels, warn: Warn | None) -> None:
        self.path = path
        self._facts = facts
        self._pixels = pixels
        self._warn = warn

    def frames(self) -> Iterator[np.ndarray]:
        """Yield all frames, each in its place."""
        with tempfile.TemporaryDirectory(prefix="strip-stylizer-") as folder:
            times, said = Path(folder) / "times", Path(folder) / "said"
            with said.open("wb") as errors:
                process = subprocess.Popen(
                    self._command(times), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=errors, **process_options(),
                )  # fmt: skip
            assert process.stdout is not None
            try:
                decoded, lost, cut = yield from self._place(process.stdout, times)
                process.wait()
                errors = said.read_text(encoding="utf-8", errors="replace")
                self._check(decoded, lost, errors, failed=cut or process.returncode != 0)
            finally:
                process.kill()
                process.stdout.close()
                process.wait()

    def _command(self, times: Path) -> list[str]:
        decoder = self._facts.decoder if self._pixels.channels == 4 else ""
        return ffmpeg_command(
            *("-v", "error", *input_words(self.path, decoder)),
            *("-fps_mode", "passthrough", "-sws_flags", SCALER, "-pix_fmt", self._pixels.decoded),
            *("-stats_enc_pre:v", str(times), "-stats_enc_pre_fmt:v", "{tbi} {ptsi}"),
            *("-f", "rawvideo", "-"),
        )

    def _place(
        self, pipe: IO[bytes], times: Path
    ) -> Generator[np.ndarray, None, tuple[int, int, bool]]:
        """Yield the frames, with the one before in the place of each that is lost.

        Returns how many were decoded, how many are lost, and whether the last one is cut off.
        """
        width, height = self._facts.size
        size = width * height * self._pixels.channels * self._pixels.depth // 8
        decoded = lost = 0
        frame = np.empty(0)
        with ExitStack() as stack:
            seconds: Iterator[Fraction | None] = iter(())
            while len(data := pipe.read(size)) == size:
                if not decoded:
                    seconds = _seconds_apart(stack.enter_context(times.open()))
                for _ in range(self._count_lost(next(seconds))):
                    lost += 1
                    yield frame
                frame = self._pixels.frame(data, width, height)
                decoded += 1
                yield frame
        return decoded, lost, bool(data)

    def _count_lost(self, seconds: Fraction | None) -> int:
        """Count the frames that lack between two that are ``seconds`` apart."""
        rate = self._facts.frames_per_second
        if seconds is None or not self._facts.constant or seconds * rate < SURELY_LOST:
            return 0
        return min(round(seconds * rate) - 1, MOST_LOST)

    def _check(self, decoded: int, lost: int, errors: str, *, failed: bool) -> None:
        """Say what is damaged; raises EngineError where nothing could be decoded."""
        first = re.sub(r"^(\[[^\]]*\] *)+", "", next(iter(errors.splitlines()), "")).strip()
        why = f" (ffmpeg: {first})" if first else ""
        if not decoded:
            raise unreadable(self.path, f"cannot be decoded{why}")
        if self._warn is None or not (first or failed or lost):
            return
        whole = max(self._facts.frames, decoded + lost)
        held = f" In the places of {lost} the frame before is held." if lost else ""
        self._warn(
            f"The movie {self.path} is damaged: {decoded} of {whole} frames could be read{why}."
            + held,
            "Copy the file anew from where it was recorded, or go on with these frames.",
        )


def _seconds_apart(lines: Iterable[str]) -> Iterator[Fraction | None]:
    """Yield for each frame how long after the one before it is shown, None where unknown.

    ``lines`` have the ticks' length and the ticks.
    """
    before = None
    for line in lines:
        length, _, ticks = line.partition(" ")
        known = "N" not in ticks and "/" in length
        now = Fraction(length) * int(ticks) if known else None
        yield None if now is None or before is None else now - before
        before = now
    yield from repeat(None)
