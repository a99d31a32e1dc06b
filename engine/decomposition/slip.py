"""How far paint slides over the object between frames, where one smooth mapping cannot follow it.

Cloth swings over legs, an arm passes: there the mapping and the flow disagree, and no settling
helps. Crisp paint that slides is seen to slide; paint that is as soft as it slides far is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .layers import Layers

if TYPE_CHECKING:
    from ..video.flow import Flow

ALONE = 0.95  # alpha from which on a pixel shows the object and little else
MOST = 4.0  # px; what disagrees more is flow that is wrong
AROUND = 1.0  # px, deviation of the neighbourhood that is asked together
BEFORE = 0.5  # as much as a frame itself its neighbours count
DOUBT = 0.02  # share of pixels with flow at which the neighbourhood counts half


@torch.no_grad()
def slip_of(layers: Layers, flow: Flow) -> Tensor:
    """Return how far paint slides from or to a neighbouring frame, [T, H, W] in half precision.

    In px of the working size, the root of the mean square around each pixel; 0 where the flow
    says nothing.
    """
    squares, known = torch.zeros(2, *layers.alpha.shape)
    for frame, missed, holds in _missed(layers, flow):
        squares[frame] += missed.square().clamp(max=MOST**2) * holds
        known[frame] += holds
    around = [_in_time(_blurred(each)) for each in (squares, known)]
    return (around[0] / (around[1] + DOUBT)).sqrt().half()


def _missed(layers: Layers, flow: Flow) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Yield a frame, how far [H, W] paint there is from where the flow saw it in a neighbour, and
    where the flow knows [H, W], for each way of each pair."""
    height, width = layers.alpha.shape[1:]
    down, across = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    pixels = torch.stack([across, down], 2)
    size = torch.tensor([width, height])
    for first in range(len(layers.alpha) - 1):
        for own, other, vectors, valid in (
            (first, first + 1, flow.forward, flow.forward_valid),
            (first + 1, first, flow.backward, flow.backward_valid),
        ):
            step = _usual_step(layers.uv[own], layers.alpha[own])
            if step is None:
                continue
            ends = pixels + torch.from_numpy(np.asarray(vectors[first], np.float32))
            there = torch.cat([layers.uv[other], layers.alpha[other][..., None]], 2)
            read = functional.grid_sample(
                there.permute(2, 0, 1)[None], ((2 * ends + 1) / size - 1)[None],
                padding_mode="border", align_corners=False,
            )[0]  # fmt: skip
            alone = torch.minimum(read[2], layers.alpha[own]) > ALONE
            missed = (read[:2] - layers.uv[own].permute(2, 0, 1)).norm(dim=0) / step
            yield own, missed, alone & torch.from_numpy(np.asarray(valid[first]))


def _usual_step(uv: Tensor, alpha: Tensor) -> Tensor | None:
    """Return a pixel's usual length in the atlas, None where the object is not seen."""
    right, below = (uv.diff(dim=1)[:-1], uv.diff(dim=0)[:, :-1])
    areas = (right[..., 0] * below[..., 1] - right[..., 1] * below[..., 0]).abs()
    areas = areas[alpha[:-1, :-1] > ALONE]
    return areas.median().sqrt().clamp_min(1e-6) if len(areas) else None


def _blurred(pictures: Tensor) -> Tensor:
    """Return ``pictures`` [T, H, W] blurred by `AROUND`."""
    radius = round(3 * AROUND)
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / AROUND).square())
    kernel = kernel / kernel.sum()
    across = functional.conv2d(pictures[:, None], kernel.view(1, 1, 1, -1), padding=(0, radius))
    return functional.conv2d(across, kernel.view(1, 1, -1, 1), padding=(radius, 0))[:, 0]


def _in_time(pictures: Tensor) -> Tensor:
    """Return ``pictures`` [T, H, W] with those of their neighbours in time added."""
    total = pictures.clone()
    total[1:] += BEFORE * pictures[:-1]
    total[:-1] += BEFORE * pictures[1:]
    return total
