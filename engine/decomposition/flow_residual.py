"""The flow residual: how far the mapping disagrees with the flow to the neighbouring frames.

Where cloth swings over legs or an arm passes, one smooth mapping cannot follow the flow, also after
the refinement: a sharp texture visibly slides over the object there, a texture blurred by as much
as it slides does not. The residual is averaged along the flow over some frames, since a blur that
changes from frame to frame flickers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from .grid.flow_constraints import for_sampling, read
from .grid.folds import areas
from .layers import Layers

if TYPE_CHECKING:
    from ..video.flow import Flow

FILE_NAME = "slip.safetensors"
ALONE = 0.95  # alpha from which on a pixel shows the object and little else
MOST = 4.0  # px; what disagrees more is flow that is wrong
AROUND = 1.0  # px, deviation of the Gaussian neighbourhood
ROUNDS = 8  # of averaging with the neighbouring frames: a deviation of two frames
NEIGHBOUR_WEIGHT = 0.5  # of each neighbour, where that of the frame itself is 1
DOUBT = 0.02  # share of pixels with flow at which the neighbourhood counts half


@torch.no_grad()
def compute_flow_residual(layers: Layers, flow: Flow) -> Tensor:
    """Return the flow residual to the neighbouring frames, [T, H, W] in half precision.

    In px of the working size, the root mean square over a Gaussian window around each pixel and
    around its positions in the frames before and after; 0 where no flow is valid.
    """
    frames, height, width = layers.alpha.shape
    sums = torch.zeros(frames, 2, height, width)  # of squares, and of valid flow vectors
    for frame, residual, holds in _residuals(layers, flow):
        sums[frame, 0] += residual.square().clamp(max=MOST**2) * holds
        sums[frame, 1] += holds
    for pictures in sums:
        pictures.copy_(_blur(pictures))
    for _ in range(ROUNDS):
        sums = _propagate(sums, flow)
    return (sums[:, 0] / (sums[:, 1] + DOUBT)).sqrt().half()


def save_flow_residual(flow_residual: Tensor, folder: Path) -> None:
    """Write what `compute_flow_residual` returns into ``folder``."""
    save_file({"slip": flow_residual}, folder / FILE_NAME)


def load_flow_residual(folder: Path) -> Tensor:
    """Read what `save_flow_residual` wrote."""
    return load_file(folder / FILE_NAME)["slip"]


def _residuals(layers: Layers, flow: Flow) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Yield a frame, its residual [H, W] to a neighbour, and where that is valid [H, W].

    Both directions of each pair of neighbouring frames.
    """
    uv, alpha = layers.uv.permute(0, 3, 1, 2), layers.alpha
    seen = torch.cat([uv, alpha[:, None]], 1)  # [T, 3, H, W]
    steps = [_median_step(*frame) for frame in zip(uv, alpha, strict=True)]
    for own, other, ends, valid in _neighbours(flow):
        step = steps[own]
        if step is None:
            continue
        there = read(seen[other][None], ends)[0]
        alone = torch.minimum(there[2], alpha[own]) > ALONE
        yield own, (there[:2] - uv[own]).norm(dim=0) / step, alone & valid


def _propagate(pictures: Tensor, flow: Flow) -> Tensor:
    """Return ``pictures`` [T, C, H, W], each averaged with its neighbours warped by the flow."""
    total, weight = pictures.clone(), torch.ones_like(pictures[:, :1])
    for own, other, ends, valid in _neighbours(flow):
        share = NEIGHBOUR_WEIGHT * valid
        total[own] += share * read(pictures[other][None], ends)[0]
        weight[own] += share
    return total.div_(weight)


def _neighbours(flow: Flow) -> Iterator[tuple[int, int, Tensor, Tensor]]:
    """Yield a frame, a neighbour, its pixels' positions there, and where these are valid [H, W].

    The positions [1, H, W, 2] are as `read` takes them. Both directions of each pair.
    """
    height, width = flow.forward.shape[1:3]
    down, across = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    pixels = torch.stack([across, down], 2)
    for first in range(len(flow.forward)):
        for own, other, vectors, valid in (
            (first, first + 1, flow.forward, flow.forward_valid),
            (first + 1, first, flow.backward, flow.backward_valid),
        ):
            ends = pixels + torch.from_numpy(vectors[first])
            yield own, other, for_sampling(ends[None]), torch.from_numpy(valid[first])


def _median_step(uv: Tensor, alpha: Tensor) -> Tensor | None:
    """Return the median length of a pixel in the atlas, None where no pixel shows the object.

    ``uv`` [2, H, W] and ``alpha`` [H, W] are of one frame.
    """
    found = areas(uv[None])[0][alpha[:-1, :-1] > ALONE].abs()
    return found.median().sqrt().clamp_min(1e-6) if len(found) else None


def _blur(pictures: Tensor) -> Tensor:
    """Return ``pictures`` [C, H, W] blurred by `AROUND`; what lies outside counts as 0."""
    side, outside = 2 * round(3 * AROUND) + 1, cv2.BORDER_CONSTANT
    found = [
        cv2.GaussianBlur(each, (side, side), AROUND, borderType=outside)
        for each in pictures.numpy()
    ]
    return torch.from_numpy(np.stack(found))
