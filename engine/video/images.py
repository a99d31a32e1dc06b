"""Still images as arrays: any file that OpenCV decodes becomes RGB, and arrays become PNG.

Paths may carry any letters: bytes are read and written by Python, OpenCV only codes them.
"""

from __future__ import annotations

import re
import struct
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np

from ..contract.events import EngineError, Fault
from ..contract.files import MOST_PIXELS, read_bytes
from ..contract.image_headers import ImageHeader, read_header
from ..contract.sequences import by_number

MOST_BYTES = 2**31
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # neither a stuffed byte nor a restart
IMAGE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"))


def image_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the images in ``folder`` by number; hidden files do not count."""
    return tuple(
        by_number(
            entry.name
            for entry in folder.iterdir()
            if entry.suffix.lower() in IMAGE_SUFFIXES and not entry.name.startswith(".")
        )
    )


def read_image(path: Path, depth: int | None = 8) -> np.ndarray:
    """Decode ``path`` to [H, W, C], C one of 1, 3 (RGB) and 4 (RGBA, alpha not applied).

    All kinds of numbers are brought to unsigned integers of ``depth`` 8 or 16 bits; floating
    point means 0 to 1, and alpha is straight. ``depth`` None leaves the file's own numbers.
    Raises EngineError MEDIA_UNREADABLE, also for a JPEG that breaks off and, unless numbers are
    what is asked for, for what is peculiar (`contract.image_headers`).
    """
    header, peculiar = ImageHeader(), ""
    try:
        content = read_bytes(path.resolve(), MOST_BYTES)
        header = read_header(BytesIO(content))
        peculiar = header.peculiar if depth is not None else ""
        pixels, why = None if peculiar else _decode(content, header), ""
    except MemoryError as error:
        raise EngineError(
            Fault.OUT_OF_MEMORY,
            f"The memory was not enough to read the image {path}.",
            "Close other programs or take smaller images; then run the job again.",
        ) from error
    except (OSError, ValueError) as error:
        pixels, why = None, f": {error}"
    except cv2.error as error:
        large = "CV_IO_MAX_IMAGE" in str(error)
        pixels, why = None, f": it has more than {MOST_PIXELS // 10**6} million pixels" * large
    if peculiar:
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            f"The image {path} is {peculiar}, which programs show in different ways.",
            "Save it again as PNG.",
        )
    if pixels is None:
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            f"The image {path} cannot be read{why}.",
            "Check that the file is there and opens in an image viewer, or render it again as PNG.",
        )
    pixels = pixels if depth is None else _with_depth(pixels, depth)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.shape[2] == 2:  # grey and alpha
        pixels = np.concatenate([pixels[..., :1]] * 3 + [pixels[..., 1:]], axis=2)
        return pixels
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[2]]
    pixels = np.ascontiguousarray(pixels[..., order])
    premultiplied = depth is not None and header.alpha == "premultiplied"
    return with_straight_alpha(pixels) if premultiplied else pixels


def _decode(content: bytes, header: ImageHeader) -> np.ndarray | None:
    """Decode the bytes of an image file as OpenCV does, BGR; None where they are damaged."""
    if not content or _breaks_off(content):
        return None
    data = np.frombuffer(content, np.uint8)
    if header.straight_at:  # OpenCV would multiply the colours of 8 bits by alpha
        data = data.copy()
        data[header.straight_at : header.straight_at + 2] = 0
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def _breaks_off(content: bytes) -> bool:
    """Is this a JPEG without an end? Its decoder makes up what lacks."""
    if not content.startswith(b"\xff\xd8"):
        return False
    at = 2
    while at + 4 <= len(content):
        marker = content[at + 1]
        if marker == END_OF_IMAGE:
            return False
        at += 2 + struct.unpack_from(">H", content, at + 2)[0]
        if marker == START_OF_SCAN:
            following = MARKER.search(content, at)
            if following is None:
                return True
            at = following.start()
    return content[at + 1 : at + 2] != bytes([END_OF_IMAGE])


def with_straight_alpha(pixels: np.ndarray) -> np.ndarray:
    """Divide the colours of RGBA of any depth by alpha; what is clear becomes black."""
    most = np.iinfo(pixels.dtype).max
    alpha = np.maximum(pixels[..., 3:], 1).astype(np.uint32)
    colours = np.minimum((pixels[..., :3] * np.uint32(most) + alpha // 2) // alpha, most)
    colours[pixels[..., 3] == 0] = 0
    return np.concatenate([colours.astype(pixels.dtype), pixels[..., 3:]], axis=2)


def read_rgb(path: Path) -> np.ndarray:
    """Decode ``path`` to uint8 RGB [H, W, 3]; transparent parts are seen over black."""
    return over_black(_in_colour(read_image(path)))


def read_whole(path: Path, depth: int) -> np.ndarray:
    """Decode ``path`` to RGB [H, W, 3], or [H, W, 4] where it has alpha, as in `read_image`."""
    return _in_colour(read_image(path, depth))


def over_black(pixels: np.ndarray) -> np.ndarray:
    """Return RGB of any depth; what was transparent is seen over black."""
    if pixels.shape[2] == 3:
        return pixels
    most = np.iinfo(pixels.dtype).max
    if pixels[..., 3].min() == most:
        return np.ascontiguousarray(pixels[..., :3])
    alpha = pixels[..., 3:].astype(np.uint32)
    return ((pixels[..., :3] * alpha + most // 2) // most).astype(pixels.dtype)


def eight_bit(pixels: np.ndarray) -> np.ndarray:
    """Bring unsigned integers of any depth, or floating point from 0 to 1, to uint8."""
    return _with_depth(pixels, 8)


def encode_png(image: np.ndarray) -> bytes:
    """Code uint8 or uint16 [H, W], [H, W, 3] RGB or [H, W, 4] RGBA as PNG."""
    assert image.dtype in (np.uint8, np.uint16) and image.ndim in (2, 3), image.shape
    if image.ndim == 3 and image.shape[2] >= 3:
        image = image[..., [2, 1, 0, 3][: image.shape[2]]]
    return cv2.imencode(".png", np.ascontiguousarray(image))[1].tobytes()


def write_png(path: Path, image: np.ndarray) -> None:
    """Write ``image`` (as in `encode_png`) so that ``path`` never shows half a file."""
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(encode_png(image))
    part.replace(path)


def _in_colour(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _with_depth(pixels: np.ndarray, depth: int) -> np.ndarray:
    target = {8: np.uint8, 16: np.uint16}[depth]
    if pixels.dtype == target:
        return pixels
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint16) * 257
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    most = np.iinfo(target).max
    return np.rint(np.clip(np.nan_to_num(pixels), 0.0, 1.0) * most).astype(target)
