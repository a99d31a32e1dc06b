"""What an image file says of its pixels, where programs read the same file in different ways.

Both sides ask: what is peculiar the extension lets Blender render, and the engine refuses. Standard
library only. Sources: TIFF 6.0; the PNG specification; Windows' bitmap headers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BITMAP_HEADERS = (40, 108, 124)  # bytes, of Windows 3, 4 and 5
NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # of TIFF
BITS, PACKING, MEANING, ORIENTATION, SAMPLES = 258, 259, 262, 274, 277  # tags of TIFF
PLANES, EXTRA, KIND = 284, 338, 339
JPEG = 7
PACKED = (1, 2, 3, 4, 5, 7, 8, 32773, 32946)
GREY, RGB, PALETTE = (0, 1), 2, 3  # meanings of TIFF
ASSOCIATED, UNASSOCIATED = 1, 2  # alpha in TIFF
SIGNED, FLOAT = 2, 3  # kinds of TIFF


@dataclass(frozen=True)
class ImageHeader:
    """``alpha`` is "", or how a TIFF holds it: "straight" or "premultiplied".

    ``bits`` are those of a channel of a TIFF with alpha.
    ``peculiar`` says what of the file is read in different ways; "" where nothing.
    ``straight_at`` is where a TIFF has the word that its alpha is straight, 0 where none.
    """

    alpha: str = ""
    bits: int = 8
    peculiar: str = ""
    straight_at: int = 0


def header_of(path: Path) -> ImageHeader:
    """Read the header of an image file; raises OSError."""
    with path.open("rb") as file:
        return read_header(file)


def read_header(file: BinaryIO) -> ImageHeader:
    """Return what an image says of itself; what is damaged or of another kind says nothing."""
    start = file.read(64)
    try:
        if start.startswith(b"\x89PNG"):
            return _png(file, start)
        if start.startswith(b"BM"):
            return _bmp(start)
        if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return _tiff(_entries(file, start))
    except (struct.error, OverflowError):
        pass  # the decoder says that it is damaged
    return ImageHeader()


def _png(file: BinaryIO, start: bytes) -> ImageHeader:
    (depth,), at = struct.unpack_from(">B", start, 24), 33
    while True:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        if name == b"acTL":
            return ImageHeader(peculiar="an animated PNG")
        if name == b"tRNS" and depth < 8:
            return ImageHeader(peculiar=f"a PNG of {depth} bit(s) with a transparent colour")
        if name in (b"IDAT", b"IEND"):
            return ImageHeader()
        at += 12 + length


def _bmp(start: bytes) -> ImageHeader:
    (pixels_at,) = struct.unpack_from("<I", start, 10)
    size, _, _, _, bits = struct.unpack_from("<IiiHH", start, 14)
    if size not in BITMAP_HEADERS:
        return ImageHeader(peculiar="a bitmap of OS/2 or of another early system")
    if bits not in (1, 4, 8, 24):
        return ImageHeader(peculiar=f"a bitmap of {bits} bits")
    (colours,) = struct.unpack_from("<I", start, 46)
    if bits < 24 and pixels_at != 14 + size + 4 * (colours or 1 << bits):
        return ImageHeader(peculiar="a bitmap whose pixels do not follow its palette")
    return ImageHeader()


Entries = dict[int, tuple[int, tuple[int, ...]]]  # by tag: where the numbers are, and they


def _entries(file: BinaryIO, start: bytes) -> Entries:
    """Read the whole numbers of a TIFF's first directory."""
    order = "<" if start[:2] == b"II" else ">"
    big = start[2:4] in (b"+\0", b"\0+")
    count_of, entry, inline = ("Q", "HHQ", 8) if big else ("H", "HHI", 4)
    (place,) = struct.unpack_from(order + ("Q" if big else "I"), start, 8 if big else 4)
    file.seek(place)
    (count,) = struct.unpack(order + count_of, file.read(struct.calcsize(order + count_of)))
    size, head = 12 + 8 * big, struct.calcsize(order + entry)
    first = file.tell()
    table = file.read(size * min(count, 4096))
    found: Entries = {}
    for at in range(0, len(table), size):
        tag, kind, number = struct.unpack_from(order + entry, table, at)
        if kind not in NUMBERS or number > 16:
            continue
        form = f"{order}{number}{NUMBERS[kind]}"
        where = first + at + head
        if struct.calcsize(form) > inline:
            (where,) = struct.unpack_from(order + ("Q" if big else "I"), table, at + head)
        file.seek(where)
        found[tag] = where, struct.unpack(form, file.read(struct.calcsize(form)))
    return found


def _tiff(entries: Entries) -> ImageHeader:
    def numbers(tag: int, usual: int) -> tuple[int, ...]:
        return entries[tag][1] if entries.get(tag, (0, ()))[1] else (usual,)

    bits, kind = max(numbers(BITS, 1)), max(numbers(KIND, 1))
    (meaning, *_), (samples, *_) = numbers(MEANING, 1), numbers(SAMPLES, 1)
    (packing, *_), (extra, *_) = numbers(PACKING, 1), numbers(EXTRA, 0)
    if packing not in PACKED:
        return ImageHeader(peculiar=f"a TIFF packed by method {packing}")
    if numbers(ORIENTATION, 1)[0] != 1:
        return ImageHeader(peculiar="a TIFF that is to be turned")
    if numbers(PLANES, 1)[0] != 1 and bits > 8:
        return ImageHeader(peculiar=f"a TIFF of {bits} bits in planes")
    if meaning == PALETTE and bits != 8:
        return ImageHeader(peculiar=f"a TIFF with a palette of {bits} bit(s)")
    if kind == SIGNED or (bits > 16 and kind != FLOAT) or bits not in (1, 8, 16, 32):
        return ImageHeader(peculiar=f"a TIFF of {bits} bit(s) of an unusual kind")
    if meaning == RGB and samples == 4:
        alpha = "premultiplied" if extra == ASSOCIATED else "straight"
        patched = extra == UNASSOCIATED and packing != JPEG
        at = entries[EXTRA][0] if patched else 0
        return ImageHeader(alpha=alpha, bits=bits, straight_at=at)
    if samples != {RGB: 3, 5: 4, 6: 3, 8: 3}.get(meaning, 1):
        return ImageHeader(peculiar=f"a TIFF with {samples} channels of an unusual kind")
    return ImageHeader()
