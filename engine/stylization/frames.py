"""Which frames a step looks at."""

from __future__ import annotations

import torch

WINDOW_CHANCE = 0.5
WINDOW_SIGMAS = 3.0  # how far a window reaches, in widths of the temporal weight


def draw_frames(
    frames: list[int], count: int, *, window: float | None, generator: torch.Generator
) -> list[int]:
    """Return ``count`` distinct places in the sorted list ``frames``, in ascending order.

    With a ``window`` every second draw stays within so many frames, so that the temporal term has
    a say; without one all frames are equally likely (TDS, sec. 3.3). All places where there are
    not more than ``count``.
    """
    places = list(range(len(frames)))
    if window is not None and _chance(WINDOW_CHANCE, generator):
        start = int(torch.randint(len(frames), (), generator=generator))
        low = min(frames[start], max(frames[0], int(frames[-1] - window)))
        near = [place for place in places if low <= frames[place] <= low + window]
        places = near if len(near) >= count else places
    order = torch.randperm(len(places), generator=generator)[:count]
    return sorted(places[i] for i in order.tolist())


def _chance(probability: float, generator: torch.Generator) -> bool:
    return bool(torch.rand((), generator=generator) < probability)
