"""Writes OpenEXR files: scan lines of half floats, ZIP in blocks of 16 lines, attributes as text.

OpenCV's packages are built without OpenEXR, and this part of the format is small. Source: the
OpenEXR project's "OpenEXR File Layout".
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import numpy as np

MAGIC, VERSION = 20000630, 2
HALF, ZIP, INCREASING = 1, 3, 0
BLOCK = 16  # lines
# Rec. 709 primaries and white, the ones of sRGB: x and y of red, green, blue, white.
CHROMATICITIES = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)


def encode_exr(image: np.ndarray, tags: Mapping[str, str] | None = None) -> bytes:
    """Code linear light, float [H, W, 3] RGB or [H, W, 4] RGBA with premultiplied colours."""
    height, width, channels = image.shape
    names = "RGBA"[:channels]
    order = sorted(range(channels), key=lambda channel: names[channel])
    planes = image[..., order].astype("<f2").transpose(0, 2, 1)  # [H, C, W]: line by line
    header = _header(width, height, sorted(names), tags or {})
    blocks = [
        struct.pack("<ii", line, len(data)) + data
        for line in range(0, height, BLOCK)
        for data in [_compressed(planes[line : line + BLOCK].tobytes())]
    ]
    starts = np.cumsum([len(header) + 8 * len(blocks), *map(len, blocks[:-1])])
    return b"".join([header, starts.astype("<u8").tobytes(), *blocks])


def _compressed(data: bytes) -> bytes:
    """Return the block as ZIP, or as it is where that is not larger."""
    values = np.frombuffer(data, np.uint8)
    parted = np.concatenate([values[0::2], values[1::2]])
    steps = parted.copy()
    steps[1:] = parted[1:] - parted[:-1] + np.uint8(128)  # wraps around, as the format wants
    packed = zlib.compress(steps.tobytes(), 4)
    return packed if len(packed) < len(data) else data


def _header(width: int, height: int, channels: list[str], tags: Mapping[str, str]) -> bytes:
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iB3xii", HALF, 0, 1, 1) for name in channels
    )
    attributes = [
        ("channels", "chlist", listed + b"\0"),
        ("chromaticities", "chromaticities", struct.pack("<8f", *CHROMATICITIES)),
        ("compression", "compression", bytes([ZIP])),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", bytes([INCREASING])),
        ("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0.0, 0.0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1.0)),
        *((name, "string", text.encode()) for name, text in tags.items()),
    ]
    told = b"".join(
        name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
        for name, kind, value in attributes
    )
    return struct.pack("<ii", MAGIC, VERSION) + told + b"\0"
