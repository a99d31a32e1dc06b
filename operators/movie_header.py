"""What an MP4 or QuickTime file says of the times of its frames. Knows nothing of Blender.

Blender shows a movie by the times of its frames, the engine counts its frames: frame n is the
same for both only where every frame is shown equally long.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PQ, HLG = 16, 18  # transfer characteristics
Boxes = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class MovieHeader:
    """``rate`` is in frames per second, 0 where frames are shown for different times.

    ``codec`` is the four letters by which the file calls the coding of its pictures; ``is_hdr``:
    they code light by PQ or HLG.
    """

    frames: int
    rate: float
    codec: str
    is_hdr: bool = False


def read(path: Path) -> MovieHeader | None:
    """Return the header of a movie with one picture track; None for every other file."""
    try:
        movie = _boxes(_movie_box(path))
        tracks = [_boxes(body) for kind, body in movie if kind == b"trak"]
        (track,) = (track for track in tracks if _inside(track, b"mdia", b"hdlr")[8:12] == b"vide")
        return _header(movie, track)
    except (OSError, ValueError, IndexError, struct.error):
        return None


def _header(movie: Boxes, track: Boxes) -> MovieHeader:
    runs = _runs(_inside(track, b"mdia", b"minf", b"stbl", b"stts"))
    frames = sum(count for count, _ in runs)
    lengths = {length for count, length in runs[:-1]} | {runs[0][1]}
    constant = len(lengths) == 1 and (runs[-1][0] == 1 or runs[-1][1] in lengths)
    rate = _timescale(_inside(track, b"mdia", b"mdhd")) / runs[0][1] if runs[0][1] else 0.0
    if not constant or not _is_shown_whole(movie, track, frames, rate):
        rate = 0.0
    coding = _inside(track, b"mdia", b"minf", b"stbl", b"stsd")
    codec = coding[12:16].decode("latin-1")
    return MovieHeader(frames, rate, codec, _is_hdr(coding))


def _runs(table: bytes) -> list[tuple[int, int]]:
    """Return how many frames in a row last how many ticks each."""
    (count,) = struct.unpack_from(">I", table, 4)
    numbers = struct.unpack_from(f">{2 * count}I", table, 8)
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _is_shown_whole(movie: Boxes, track: Boxes, frames: int, rate: float) -> bool:
    """Does the edit list, if there is one, show all frames in one go?"""
    edits = next((body for kind, body in track if kind == b"edts"), b"")
    table = next((body for kind, body in _boxes(edits) if kind == b"elst"), b"")
    if not table:
        return True
    (count,) = struct.unpack_from(">I", table, 4)
    length, begin = struct.unpack_from(">Qq" if table[0] else ">Ii", table, 8)
    seconds = length / _timescale(_inside(movie, b"mvhd"))
    return count == 1 and begin >= 0 and abs(seconds * rate - frames) < 1


def _is_hdr(coding: bytes) -> bool:
    """Does the colour box name a transfer for HDR? ITU-T H.273, table 3."""
    at = coding.find(b"colr")
    if at < 0 or coding[at + 4 : at + 8] not in (b"nclx", b"nclc"):
        return False
    return struct.unpack_from(">H", coding, at + 10)[0] in (PQ, HLG)


def _timescale(body: bytes) -> int:
    """Return how many ticks a second has, from the header of a movie or of its media."""
    return struct.unpack_from(">I", body, 20 if body[0] else 12)[0]


def _movie_box(path: Path) -> bytes:
    """Return the box that describes the movie, without reading its frames."""
    with path.open("rb") as file:
        while True:
            start = file.tell()
            kind, header, size = _box_at(file.read(16), 0)
            if kind == b"moov":
                file.seek(start + header)
                return file.read(size - header)
            if not size:
                raise ValueError
            file.seek(start + size)


def _boxes(data: bytes) -> Boxes:
    return list(_each_box(data))


def _each_box(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        kind, header, size = _box_at(data, at)
        size = size or len(data) - at
        yield kind, data[at + header : at + size]
        at += size


def _box_at(data: bytes, at: int) -> tuple[bytes, int, int]:
    """Return the name, the length of the header and the whole length; 0 is up to the end."""
    size, kind = struct.unpack_from(">I4s", data, at)
    header = 8
    if size == 1:
        (size,), header = struct.unpack_from(">Q", data, at + 8), 16
    if 0 < size < header:
        raise ValueError
    return kind, header, size


def _inside(boxes: Boxes, *names: bytes) -> bytes:
    """Return the body of a box inside boxes inside boxes; raises IndexError where it lacks."""
    for depth, name in enumerate(names):
        bodies = [body for kind, body in boxes if kind == name]
        if depth == len(names) - 1:
            return bodies[0]
        boxes = _boxes(bodies[0])
    raise IndexError
