"""Pictures of a stylization on its way: one frame, composited like the result, and the atlas."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from ..contract.events import Report
from ..decomposition.layers import Layers
from .atlas import StylizedAtlas
from .canvas import FAINTEST, as_colours
from .shading import shading

SECONDS = 3.0
ATLAS_SIDE = 256


class Previews:
    """Shows the middle one of ``numbers`` and the atlas, every few seconds."""

    def __init__(self, layers: Layers, frames: Tensor, numbers: list[int], report: Report) -> None:
        self.layers = layers
        self.number = numbers[len(numbers) // 2]
        self.frame = as_colours(frames[self.number]).to(layers.alpha.device)  # [H, W, 3]
        self.report = report
        self._shown_at = 0.0

    def due(self) -> bool:
        """Is it time to show something again?"""
        return time.monotonic() - self._shown_at >= SECONDS

    def show(self, atlas: StylizedAtlas) -> None:
        """Show what ``atlas`` makes of the frame, and ``atlas`` itself."""
        self.report.preview(
            "frame", _bytes(stylized_frame(atlas, self.layers, self.frame, self.number))
        )
        self.report.preview("stylized_atlas", _bytes(atlas_picture(atlas, self.layers)))
        self._shown_at = time.monotonic()


@torch.no_grad()
def stylized_frame(atlas: StylizedAtlas, layers: Layers, frame: Tensor, number: int) -> Tensor:
    """Return ``frame`` [H, W, 3] plus what ``atlas`` changes of it, at the working size."""
    alpha = layers.alpha[number]
    mask = alpha > FAINTEST
    light = shading(frame, alpha, atlas.statistics)[mask]
    colours = atlas.lit(atlas.at_pixels(layers.uv[number], mask), light)
    before = layers.foreground[number] if atlas.holds_light else frame
    change = alpha[mask][:, None] * (colours - before[mask])
    return frame.index_put((mask,), frame[mask] + change).clamp(0, 1)


@torch.no_grad()
def atlas_picture(atlas: StylizedAtlas, layers: Layers) -> Tensor:
    """Return the stylized atlas as a picture, black where it is visible in no frame."""
    side = ATLAS_SIDE
    coverage = torch.nn.functional.interpolate(layers.coverage[None, None], (side, side))[0, 0]
    return evenly_lit(atlas, side, layers.uv.device) * (coverage > FAINTEST)[..., None]


@torch.no_grad()
def evenly_lit(atlas: StylizedAtlas, side: int, device: torch.device) -> Tensor:
    """Return the whole square of ``atlas`` under even light, [side, side, 3]."""
    steps = (torch.arange(side, device=device) + 0.5) / side
    v, u = torch.meshgrid(steps, steps, indexing="ij")
    everywhere = torch.ones_like(u, dtype=torch.bool)
    albedo = atlas.at_pixels(torch.stack([u, v], 2), everywhere)
    return atlas.lit(albedo, torch.ones_like(albedo[:, 0])).reshape(side, side, 3)


def _bytes(picture: Tensor) -> np.ndarray:
    return (picture * 255).round().byte().cpu().numpy()
