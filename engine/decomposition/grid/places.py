"""The registrations as plain places: what another engine can begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy import ndarray as Array
from torch import Tensor

from ...contract.events import Report
from ...contract.settings import GridSettings
from .completion import complete
from .foreground import reference_frame
from .mapping import box_positions
from .saved import unpacked
from .train import elsewhere, greys_of, registered

if TYPE_CHECKING:
    from ...video.flow import Flow
    from ...video.masks import Masks


def registered_places(
    frames: Array,
    flow: Flow,
    masks: Masks,
    settings: GridSettings,
    *,
    others: Array | None,
    greys: Array | None,
    device: torch.device,
    seed: int,
    report: Report,
) -> tuple[Tensor, Tensor]:
    """Return where each pixel lies in a reference frame, as object and as background.

    Both are [T, H, W, 2] in pixels (column, row). Raises as `train.decompose_grid`.
    """
    known = complete(masks, flow)
    hidden = elsewhere(others, known)
    greys = greys_of(frames) if greys is None else greys
    state = registered(frames, greys, known, hidden, flow, settings, device, seed, report)
    foreground, background = unpacked(state["mappings"])
    count, height, width = known.shape
    crop = foreground.crop
    middle = reference_frame(known, crop.scale) if known.any() else count // 2
    centre = torch.from_numpy(np.asarray(crop.centre[middle] - crop.scale[middle] * crop.middle))
    front = torch.empty(count, height, width, 2)
    behind = torch.empty_like(front)
    for frame in range(count):
        rows, columns = box_positions(crop, [frame], {frame: (0, 0)}, (height, width))
        front[frame] = foreground.place([frame], rows, columns)[0]
        behind[frame] = background.place([frame], height, width)[0]
    front = front * float(crop.scale[middle]) + centre.float()
    return front, (behind + 0.5) / background.shrunk - 0.5
