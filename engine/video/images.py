"""Still images as arrays: any file that OpenCV decodes becomes RGB, and arrays become PNG.

Paths may carry any letters: bytes are read and written by Python, OpenCV only codes them.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..contract.events import EngineError, Fault
from ..contract.files import MOST_PIXELS, read_bytes

MOST_BYTES = 2**31
IMAGE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"))


def image_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the images in ``folder``, sorted; hidden files do not count."""
    return tuple(
        sorted(
            entry.name
            for entry in folder.iterdir()
            if entry.suffix.lower() in IMAGE_SUFFIXES and not entry.name.startswith(".")
        )
    )


def read_image(path: Path, depth: int | None = 8) -> np.ndarray:
    """Decode ``path`` to [H, W, C], C one of 1, 3 (RGB) and 4 (RGBA, alpha not applied).

    All kinds of numbers are brought to unsigned integers of ``depth`` 8 or 16 bits; floating
    point means 0 to 1. ``depth`` None leaves the file's own numbers.
    Raises EngineError MEDIA_UNREADABLE.
    """
    try:
        content = np.frombuffer(read_bytes(path.resolve(), MOST_BYTES), np.uint8)
        pixels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
        why = ""
    except (OSError, ValueError, MemoryError) as error:
        pixels, why = None, f": {error}"
    except cv2.error as error:
        large = "CV_IO_MAX_IMAGE" in str(error)
        pixels, why = None, f": it has more than {MOST_PIXELS // 10**6} million pixels" * large
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
    return np.ascontiguousarray(pixels[..., order])


def read_rgb(path: Path) -> np.ndarray:
    """Decode ``path`` to uint8 RGB [H, W, 3]; transparent parts are seen over black."""
    return over_black(_coloured(read_image(path)))


def read_whole(path: Path, depth: int) -> np.ndarray:
    """Decode ``path`` to RGB [H, W, 3], or [H, W, 4] where it has alpha, as in `read_image`."""
    return _coloured(read_image(path, depth))


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


def _coloured(pixels: np.ndarray) -> np.ndarray:
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
