"""How far paint slides over the object between frames, where one smooth mapping cannot follow it.

Cloth swings over legs, an arm passes: there the mapping and the flow disagree, and no settling
helps. Crisp paint that slides is seen to slide; paint that is as soft as it slides far is not. How
soft it is goes along with the object over some frames, for softness that comes and goes flickers.
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

from .grid.folds import areas
from .grid.ties import for_sampling, read
from .layers import Layers

if TYPE_CHECKING:
    from ..video.flow import Flow

FILE_NAME = "slip.safetensors"
ALONE = 0.95  # alpha from which on a pixel shows the object and little else
MOST = 4.0  # px; what disagrees more is flow that is wrong
AROUND = 1.0  # px, deviation of the neighbourhood that is asked together
ROUNDS = 8  # in which a frame hears of its neighbours: a deviation of two frames
HEARD = 0.5  # how much each neighbour counts, where the frame itself counts 1
DOUBT = 0.02  # share of pixels with flow at which the neighbourhood counts half


@torch.no_grad()
def slip_of(layers: Layers, flow: Flow) -> Tensor:
    """Return how far paint slides from or to a neighbouring frame, [T, H, W] in half precision.

    In px of the working size, the root of the mean square around each pixel and where it was and
    will be; 0 where the flow says nothing.
    """
    frames, height, width = layers.alpha.shape
    said = torch.zeros(frames, 2, height, width)  # squares, and how often the flow knew
    for frame, missed, holds in _missed(layers, flow):
        said[frame, 0] += missed.square().clamp(max=MOST**2) * holds
        said[frame, 1] += holds
    for pictures in said:
        pictures.copy_(_blurred(pictures))
    for _ in range(ROUNDS):
        said = _heard(said, flow)
    return (said[:, 0] / (said[:, 1] + DOUBT)).sqrt().half()


def save_slip(slip: Tensor, folder: Path) -> None:
    """Write what `slip_of` returns into ``folder``."""
    save_file({"slip": slip}, folder / FILE_NAME)


def load_slip(folder: Path) -> Tensor:
    """Read what `save_slip` wrote."""
    return load_file(folder / FILE_NAME)["slip"]


def _missed(layers: Layers, flow: Flow) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Yield a frame, how far [H, W] paint there is from where the flow saw it in a neighbour, and
    where the flow knows [H, W], for each way of each pair."""
    uv, alpha = layers.uv.permute(0, 3, 1, 2), layers.alpha
    seen = torch.cat([uv, alpha[:, None]], 1)  # [T, 3, H, W]
    steps = [_usual_step(*frame) for frame in zip(uv, alpha, strict=True)]
    for own, other, ends, valid in _ways(flow):
        step = steps[own]
        if step is None:
            continue
        there = read(seen[other][None], ends)[0]
        alone = torch.minimum(there[2], alpha[own]) > ALONE
        yield own, (there[:2] - uv[own]).norm(dim=0) / step, alone & valid


def _heard(pictures: Tensor, flow: Flow) -> Tensor:
    """Return ``pictures`` [T, C, H, W], each averaged with its neighbours as the flow sees them."""
    total, weight = pictures.clone(), torch.ones_like(pictures[:, :1])
    for own, other, ends, valid in _ways(flow):
        heard = HEARD * valid
        total[own] += heard * read(pictures[other][None], ends)[0]
        weight[own] += heard
    return total.div_(weight)


def _ways(flow: Flow) -> Iterator[tuple[int, int, Tensor, Tensor]]:
    """Yield a frame, a neighbour, where its pixels are there for `read` [1, H, W, 2], and where
    [H, W] the flow says so, for each way of each pair."""
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


def _usual_step(uv: Tensor, alpha: Tensor) -> Tensor | None:
    """Return a pixel's usual length in the atlas, None where the object is not seen.

    ``uv`` [2, H, W] and ``alpha`` [H, W] are of one frame.
    """
    found = areas(uv[None])[0][alpha[:-1, :-1] > ALONE].abs()
    return found.median().sqrt().clamp_min(1e-6) if len(found) else None


def _blurred(pictures: Tensor) -> Tensor:
    """Return ``pictures`` [C, H, W] blurred by `AROUND`; what lies outside counts as 0."""
    side, outside = 2 * round(3 * AROUND) + 1, cv2.BORDER_CONSTANT
    found = [
        cv2.GaussianBlur(each, (side, side), AROUND, borderType=outside)
        for each in pictures.numpy()
    ]
    return torch.from_numpy(np.stack(found))
