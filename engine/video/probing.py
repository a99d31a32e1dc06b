"""What a movie says of itself, read by the ffmpeg that imageio-ffmpeg brings: one picture stream.

The first picture stream is meant, here and where frames are decoded, as Blender takes it; pictures
that are attached to a sound (covers) are none.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import imageio_ffmpeg

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
STREAM = "0:V:0"
WITH_ALPHA = (
    "yuva",
    "gbrap",
    "rgba",
    "bgra",
    "argb",
    "abgr",
    "ya8",
    "ya16",
    "pal8",
    "ayuv",
    "vuya",
)
# Only these decode the second picture that holds alpha.
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
UNKNOWN = ("", "unknown", "unspecified", "reserved")


@dataclass(frozen=True)
class Colours:
    """What RGB numbers mean, in ffmpeg's words; "" is unknown."""

    matrix: str = ""
    primaries: str = ""
    transfer: str = ""


@dataclass(frozen=True)
class MovieFacts:
    """One picture stream. ``size`` is that of the frames as shown, (width, height).

    ``frames_per_second`` is 0 where it is unknown; it is exact where frames are ``constant``, that
    is all shown equally long, else the mean. ``seconds`` is what the file says, 0 where nothing.
    ``pixel_aspect`` is width by height of a pixel. ``decoder`` is one that ffmpeg would not choose.
    """

    size: tuple[int, int]
    codec: str
    frames_per_second: Fraction
    constant: bool
    seconds: float
    pixel_format: str
    has_alpha: bool
    pixel_aspect: Fraction
    colours: Colours
    decoder: str = ""

    @property
    def is_deep(self) -> bool:
        """Has a channel more than 8 bits? ffmpeg names the order of its bytes then."""
        return self.pixel_format.endswith(("le", "be"))

    @property
    def frames(self) -> int:
        """How many frames the file says it holds, about; 0 where it says nothing."""
        return round(float(self.frames_per_second) * self.seconds)


def ffmpeg_command(*words: str) -> list[str]:
    """Return the command line of ffmpeg, which shall not read the terminal."""
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", *words]


def input_words(path: Path, decoder: str = "") -> list[str]:
    """Return the options that let ffmpeg read the movie ``path``, and no other file."""
    chosen = ["-c:v", decoder] if decoder else []
    return [*WARY, *chosen, "-i", f"file:{path}", "-map", STREAM]


def process_options() -> dict[str, Any]:
    """Return how ffmpeg is started: Ctrl-C ends the job, which then ends it; no window opens."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def movie_facts(path: Path) -> MovieFacts:
    """Return what the movie says of its first picture stream; its first frame is decoded.

    The same file is asked once. Raises EngineError MEDIA_UNREADABLE.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise unreadable(path, "is not there") from error
    return _facts_of(path, (state.st_mtime_ns, state.st_size, state.st_ino))


@lru_cache(maxsize=16)
def _facts_of(path: Path, _state: tuple[int, ...]) -> MovieFacts:
    facts = _facts(path, "")
    if facts.has_alpha and facts.decoder:
        return _facts(path, facts.decoder)
    return facts


def exact_rate(frames_per_second: float | Fraction) -> Fraction:
    """Return the rate as a fraction: whole, or whole by 1.001, where it is meant to be.

    Blender keeps the divisor in single precision, and Matroska the times in milliseconds.
    """
    for divisor in (Fraction(1), Fraction(1001, 1000)):
        meant = round(frames_per_second * divisor) / divisor
        if meant and abs(float(frames_per_second / meant) - 1) < 1e-6:
            return meant
    return Fraction(frames_per_second).limit_denominator()


def unreadable(path: Path, what: str) -> EngineError:
    """Return the failure of a movie."""
    return EngineError(
        Fault.MEDIA_UNREADABLE,
        f"The movie {path} {what}.",
        "Check that the file is there and plays, or convert it to H.264 in an MP4 file.",
    )


def _facts(path: Path, decoder: str) -> MovieFacts:
    show = ["-vf", "showinfo=checksum=0", "-frames:v", "1", "-f", "null", "-"]
    command = ffmpeg_command(*input_words(path, decoder), *show)
    done = subprocess.run(
        command, capture_output=True, stdin=subprocess.DEVNULL, check=False, **process_options()
    )
    said = done.stderr.decode("utf-8", errors="replace")
    frame = re.search(r"n: *0 .*? fmt:(\S+) .*?sar:(\d+)/(\d+) s:(\d+)x(\d+) ", said)
    stream = re.search(r"^  Stream #0:.*: Video: (\w+).*", said, re.MULTILINE)
    if frame is None or stream is None:
        raise unreadable(path, "holds no picture that ffmpeg can decode")
    pixels, across, down, width, height = frame.groups()
    rate, constant = _rate(stream[0], said)
    alpha_beside = re.search(r"^ +alpha_mode +: 1$", said, re.MULTILINE)
    decoder = decoder or (ALPHA_DECODERS.get(stream[1], "") if alpha_beside else "")
    aspect = Fraction(int(across), int(down)) if int(across) and int(down) else Fraction(1)
    return MovieFacts(
        size=(int(width), int(height)),
        codec=stream[1],
        frames_per_second=rate,
        constant=constant,
        seconds=_seconds(said),
        pixel_format=pixels,
        has_alpha=pixels.startswith(WITH_ALPHA) or bool(decoder),
        pixel_aspect=aspect,
        colours=_colours(said),
        decoder=decoder,
    )


def _rate(stream: str, said: str) -> tuple[Fraction, bool]:
    """Return the frames per second, and whether all frames are shown equally long.

    ffmpeg prints the mean as "fps" and the shortest distance as "tbr", both rounded: where they
    are alike, the exact number stands with the filter's own words.
    """
    mean, shortest = (re.search(rf"([\d.]+k?) {unit}\b", stream) for unit in ("fps", "tbr"))
    exact = re.search(r"config in time_base: \S+, frame_rate: (\d+)/(\d+)", said)
    constant = mean is not None and shortest is not None and mean[1] == shortest[1]
    if exact is not None and int(exact[1]) and int(exact[2]) and (constant or mean is None):
        return exact_rate(Fraction(int(exact[1]), int(exact[2]))), constant
    number = mean[1] if mean is not None else "0"
    return Fraction(number.removesuffix("k")) * (1000 if number.endswith("k") else 1), False


def _seconds(said: str) -> float:
    found = re.search(r"^  Duration: (\d+):(\d+):([\d.]+)", said, re.MULTILINE)
    if found is None:
        return 0.0
    hours, minutes, seconds = found.groups()
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def _colours(said: str) -> Colours:
    found = re.search(r"color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)", said)
    words = found.groups() if found is not None else ("", "", "")
    return Colours(*("" if word in UNKNOWN else word for word in words))
