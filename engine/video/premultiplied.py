"""Footage whose colours are multiplied by its alpha: computed straight, written as it came."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from .images import over_black, with_straight_alpha


class Premultiplied:
    """The frames that are being worked on, as they came; they pass through it one by one."""

    def __init__(self) -> None:
        self._waiting: deque[np.ndarray] = deque()

    def straight(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield ``frames``, [H, W, 3] or [H, W, 4] of any depth, with straight alpha."""
        for frame in frames:
            self._waiting.append(frame)
            yield with_straight_alpha(frame) if frame.shape[2] == 4 else frame

    def again(self, result: np.ndarray) -> np.ndarray:
        """Return the next finished frame with colours multiplied by its alpha.

        What nobody touched is as it came, bit for bit, light without alpha included.
        """
        source = self._waiting.popleft()
        if result.shape[2] == 3:
            return result
        written = with_weighted_colours(result)
        if source.shape == result.shape:
            untouched = (result == with_straight_alpha(source)).all(axis=2)
            written[untouched] = source[untouched]
        return written


def with_weighted_colours(frame: np.ndarray) -> np.ndarray:
    """Return RGBA with colours multiplied by alpha; RGB as it is."""
    if frame.shape[2] == 3:
        return frame
    return np.concatenate([over_black(frame), frame[..., 3:]], axis=2)
