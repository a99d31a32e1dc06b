"""OpenEXR files: scan lines of half floats or floats, ZIP in blocks of 16 lines, text tags.

Reads what it writes.

OpenCV's packages are built without OpenEXR, and this part of the format is small. Source: the
OpenEXR project's "OpenEXR File Layout".
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import numpy as np

from ..contract.files import Refusal

MAGIC, VERSION = 20000630, 2
ZIP, INCREASING = 3, 0
KINDS = {np.dtype(np.float16): 1, np.dtype(np.float32): 2}
KINDS_BY_NUMBER = {1: np.dtype("<f2"), 2: np.dtype("<f4")}
BLOCK = 16  # lines
# Rec. 709 primaries and white, the ones of sRGB: x and y of red, green, blue, white.
CHROMATICITIES = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)


def encode_exr(image: np.ndarray, tags: Mapping[str, str] | None = None) -> bytes:
    """Code linear light, float [H, W, 3] RGB or [H, W, 4] RGBA with premultiplied colours."""
    planes = {
        name: image[..., channel].astype(np.float16)
        for channel, name in enumerate("RGBA"[: image.shape[2]])
    }
    return encode_planes(planes, tags)


def encode_planes(planes: Mapping[str, np.ndarray], tags: Mapping[str, str] | None = None) -> bytes:
    """Code any number of channels, each float16 or float32 [H, W]; "layer.channel" names layers."""
    names = sorted(planes)
    height, width = planes[names[0]].shape
    header = _header(width, height, {name: planes[name].dtype for name in names}, tags or {})
    # Line by line, and within each line channel by channel.
    lines = np.concatenate(
        [
            np.ascontiguousarray(planes[name], planes[name].dtype.newbyteorder("<")).view(np.uint8)
            for name in names
        ],
        axis=1,
    )
    blocks = [
        struct.pack("<ii", line, len(data)) + data
        for line in range(0, height, BLOCK)
        for data in [_compress(lines[line : line + BLOCK].tobytes())]
    ]
    starts = np.cumsum([len(header) + 8 * len(blocks), *map(len, blocks[:-1])])
    return b"".join([header, starts.astype("<u8").tobytes(), *blocks])


def decode_planes(data: bytes) -> dict[str, np.ndarray]:
    """Return the channels of a file that `encode_planes` wrote; raises Refusal where it did not."""
    try:
        return _decode(data)
    except (struct.error, ValueError, IndexError, KeyError, zlib.error) as error:
        raise Refusal(
            f"it is no OpenEXR file of half floats or floats in ZIP blocks: {error}"
        ) from (error)


def _decode(data: bytes) -> dict[str, np.ndarray]:
    attributes, at = _attributes(data)
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    kinds, listed = {}, attributes["channels"]
    while listed[0]:
        name, listed = listed.split(b"\0", 1)
        kinds[name.decode()] = KINDS_BY_NUMBER[struct.unpack_from("<i", listed)[0]]
        listed = listed[16:]
    line = sum(kind.itemsize for kind in kinds.values()) * width
    rows = []
    for first in range(0, height, BLOCK):
        (start,) = struct.unpack_from("<Q", data, at + first // BLOCK * 8)
        _, size = struct.unpack_from("<ii", data, start)
        block = data[start + 8 : start + 8 + size]
        rows.append(_uncompress(block, line * min(BLOCK, height - first)))
    lines = np.concatenate(rows).reshape(height, line)
    planes, column = {}, 0
    for name, kind in kinds.items():
        wide = kind.itemsize * width
        planes[name] = np.ascontiguousarray(lines[:, column : column + wide]).view(kind)
        column += wide
    return planes


def _attributes(data: bytes) -> tuple[dict[str, bytes], int]:
    """Return the header's attributes, and where the table of blocks begins."""
    if struct.unpack_from("<ii", data) != (MAGIC, VERSION):
        raise ValueError("another kind of file")
    at, attributes = 8, {}
    while data[at]:
        name, kind = data[at : at + 512].split(b"\0", 2)[:2]
        at += len(name) + len(kind) + 2
        (size,) = struct.unpack_from("<i", data, at)
        attributes[name.decode()] = data[at + 4 : at + 4 + size]
        at += 4 + size
    if attributes["compression"] != bytes([ZIP]):
        raise ValueError("another compression")
    return attributes, at + 1


def _uncompress(block: bytes, size: int) -> np.ndarray:
    if len(block) == size:
        return np.frombuffer(block, np.uint8)
    steps = np.frombuffer(zlib.decompress(block), np.uint8).copy()
    steps[1:] -= np.uint8(128)
    parted = np.cumsum(steps, dtype=np.uint8)  # wraps around
    whole = np.empty(size, np.uint8)
    whole[0::2], whole[1::2] = np.split(parted, [(size + 1) // 2])
    return whole


def _compress(data: bytes) -> bytes:
    """Return the block as ZIP, or as it is where that is not larger."""
    values = np.frombuffer(data, np.uint8)
    parted = np.concatenate([values[0::2], values[1::2]])
    steps = parted.copy()
    steps[1:] = parted[1:] - parted[:-1] + np.uint8(128)  # wraps around, as the format wants
    packed = zlib.compress(steps.tobytes(), 4)
    return packed if len(packed) < len(data) else data


def _header(
    width: int, height: int, channels: Mapping[str, np.dtype], tags: Mapping[str, str]
) -> bytes:
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iB3xii", KINDS[kind], 0, 1, 1)
        for name, kind in channels.items()
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
    attributes = b"".join(
        name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
        for name, kind, value in attributes
    )
    return struct.pack("<ii", MAGIC, VERSION) + attributes + b"\0"
