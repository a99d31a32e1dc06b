"""Frames in chunks: a GPU computes several in one operation, as far as its memory allows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...device import at_once

PIXELS = 1 << 21  # of all frames of a chunk, about 150 bytes each


def chunks(frames: int, pixels: int, device: torch.device) -> list[range]:
    """Return the numbers of ``frames`` frames of so many ``pixels`` as chunks to compute at once.

    A processor takes each frame by itself, which stays near its caches.
    """
    many = 1 if device.type == "cpu" else max(1, at_once(PIXELS) // max(1, pixels))
    return [range(first, min(first + many, frames)) for first in range(0, frames, many)]


def of_frames(pictures: Tensor | Sequence[Tensor], frames: Sequence[int], axis: int = 0) -> Tensor:
    """Return what ``pictures`` hold of ``frames``, which ``axis`` of the result counts.

    A list as an index would be copied to the device, and that waits for all that was begun there.
    """
    if isinstance(pictures, Tensor):
        if isinstance(frames, range) and frames.step == 1:
            return pictures.narrow(axis, frames.start, len(frames))
        pictures = pictures.unbind(axis)
    return torch.stack([pictures[frame] for frame in frames], axis)
