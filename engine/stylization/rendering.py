"""Renders the canvases of one step as a batch: the atlas's colours over the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from .canvas import Canvas
from .crops import filled_up


class AtlasSampler(Protocol):
    """Gives colours during training: the atlas itself, or the atlas sampled at `texels`."""

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the colours at ``uv`` [N, 2] before the light, see `StylizedAtlas.albedo`."""
        ...

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return the colours [N, 3] of ``albedo`` under ``shading`` [N]."""
        ...


@dataclass(frozen=True)
class CanvasBatch:
    """A batch of F canvases, padded with zeros to one size H x W."""

    fields: Tensor  # [7, F, H, W], see `Canvas`
    index: Tensor  # [N], numbers of the rendered pixels among all F H W
    shapes: tuple[tuple[int, int], ...]
    hard_removal: bool

    @staticmethod
    def of(canvases: Sequence[Canvas]) -> CanvasBatch:
        """Return ``canvases`` as one batch."""
        fields = torch.stack(filled_up([canvas.fields for canvas in canvases]), 1)
        height, width = fields.shape[2:]
        shapes = tuple((canvas.fields.shape[1], canvas.fields.shape[2]) for canvas in canvases)
        indices = []
        for number, (canvas, (_, own)) in enumerate(zip(canvases, shapes, strict=True)):
            index = canvas.index
            if own < width:
                index = index + index // own * (width - own)
            indices.append(index + number * height * width)
        return CanvasBatch(fields, torch.cat(indices).long(), shapes, canvases[0].hard_removal)

    @cached_property
    def points(self) -> Tensor:
        """The fields of the rendered pixels, [7, N]."""
        return self.fields.flatten(1)[:, self.index]

    @property
    def alpha(self) -> Tensor:
        """Where the object is, [F, 1, H, W]."""
        return self.fields[2:3].transpose(0, 1)

    @cached_property
    def behind(self) -> Tensor:
        """The background's colours times one minus alpha, see `crops.CropGrid.crops`."""
        alpha = self.fields[2:3]
        parts = [(1 - alpha) * self.fields[4:7]]
        if self.hard_removal:
            parts.append((alpha > 0.5).to(alpha))
        return torch.cat(parts).transpose(0, 1)

    def compose(self, values: Tensor) -> Tensor:
        """Return ``values`` [N, C] at the rendered pixels and 0 elsewhere, [F, C, H, W]."""
        shape = self.fields.shape[1:]
        empty = values.new_zeros(shape.numel(), values.shape[1])
        return empty.index_copy(0, self.index, values).reshape(*shape, -1).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Rendered:
    """The rendered object pixels of a batch; the terms are computed from it."""

    front: Tensor  # [F, 3, H, W], see `crops.CropGrid.crops`
    alpha: Tensor  # [N]
    albedo: Tensor  # [N, 3]
    colours: Tensor  # [N, 3]


def render(batch: CanvasBatch, sampler: AtlasSampler) -> Rendered:
    """Render the canvases of ``batch`` in one call of ``sampler``."""
    points = batch.points
    uv, alpha, light = points[:2].T, points[2], points[3]
    albedo = sampler.albedo(uv)
    colours = sampler.lit(albedo, light)
    front = batch.compose(alpha[:, None] * colours)
    return Rendered(front, alpha, albedo, colours)
