"""Reads the picture that an object should look like. Knows neither torch nor the encoder."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..contract.events import EngineError, Fault
from ..contract.files import read_bytes

SMALLEST = 16  # pixels
MOST_BYTES = 2**29


def read_picture(path: str) -> np.ndarray:
    """Return the picture in ``path``, uint8 [H, W, 3].

    Raises EngineError (MEDIA_UNREADABLE) where it cannot be read or is too small.
    """
    hint = "Choose another picture (PNG, JPEG, TIFF), or go without one."
    try:
        content = np.frombuffer(read_bytes(Path(path).resolve(), MOST_BYTES), np.uint8)
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    except (OSError, ValueError, cv2.error) as error:
        reason = getattr(error, "strerror", None) or "it is too large, or damaged"
        message = f"The picture {path} cannot be read: {reason}."
        raise EngineError(Fault.MEDIA_UNREADABLE, message, hint) from error
    if picture is None:
        message = f"The picture {path} cannot be read: it is no picture that the engine knows."
        raise EngineError(Fault.MEDIA_UNREADABLE, message, hint)
    if min(picture.shape[:2]) < SMALLEST:
        size = f"{picture.shape[1]} x {picture.shape[0]}"
        message = f"The picture {path} has {size} pixels: too few to show a look."
        raise EngineError(Fault.MEDIA_UNREADABLE, message, hint)
    return np.ascontiguousarray(picture[..., ::-1])
