"""Still images as arrays: any file that OpenCV decodes becomes uint8 RGB, and arrays become PNG.

Paths may carry any letters: bytes are read and written by Python, OpenCV only codes them.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..contract.events import EngineError, Fault

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


def read_image(path: Path) -> np.ndarray:
    """Decode ``path`` to uint8 [H, W, C], C one of 1, 3 (RGB) and 4 (RGBA, alpha not applied).

    16 bit and floating point (0 to 1) are reduced to 8 bit. Raises EngineError MEDIA_UNREADABLE.
    """
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
        pixels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    except (OSError, cv2.error):
        pixels = None
    if pixels is None:
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            f"The image {path} cannot be read.",
            "Check that the file is there and opens in an image viewer, or render it again as PNG.",
        )
    pixels = _eight_bit(pixels)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.shape[2] == 2:  # grey and alpha
        pixels = np.concatenate([pixels[..., :1]] * 3 + [pixels[..., 1:]], axis=2)
        return pixels
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[2]]
    return np.ascontiguousarray(pixels[..., order])


def read_rgb(path: Path) -> np.ndarray:
    """Decode ``path`` to uint8 RGB [H, W, 3]; transparent parts are seen over black."""
    pixels = read_image(path)
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    if pixels.shape[2] == 4 and pixels[..., 3].min() < 255:
        alpha = pixels[..., 3:].astype(np.uint16)
        return ((pixels[..., :3] * alpha + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(pixels[..., :3])


def encode_png(image: np.ndarray) -> bytes:
    """Code uint8 [H, W], [H, W, 3] RGB or [H, W, 4] RGBA as PNG."""
    assert image.dtype == np.uint8 and image.ndim in (2, 3), (image.dtype, image.shape)
    if image.ndim == 3 and image.shape[2] >= 3:
        image = image[..., [2, 1, 0, 3][: image.shape[2]]]
    return cv2.imencode(".png", np.ascontiguousarray(image))[1].tobytes()


def write_png(path: Path, image: np.ndarray) -> None:
    """Write ``image`` (as in `encode_png`) so that ``path`` never shows half a file."""
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(encode_png(image))
    part.replace(path)


def _eight_bit(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.rint(np.clip(np.nan_to_num(pixels), 0.0, 1.0) * 255.0).astype(np.uint8)
