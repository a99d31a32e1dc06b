"""Canvases of a step in one piece: painted by the atlas, over what the frames have behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from .canvas import Canvas
from .looking import filled_up


class Painter(Protocol):
    """What gives colours while the atlas learns: the atlas, or it read through `texels`."""

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the colours at ``uv`` [N, 2] before the light, see `StylizedAtlas.albedo`."""
        ...

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return what ``albedo`` looks like under ``shading`` [N], as colours [N, 3]."""
        ...


@dataclass(frozen=True)
class Spread:
    """F canvases side by side, filled up to one size H x W with nothing."""

    fields: Tensor  # [7, F, H, W], see `Canvas`
    index: Tensor  # [N], numbers of the painted pixels among all F H W
    shapes: tuple[tuple[int, int], ...]
    hard_removal: bool

    @staticmethod
    def of(canvases: Sequence[Canvas]) -> Spread:
        """Lay ``canvases`` side by side."""
        fields = torch.stack(filled_up([canvas.fields for canvas in canvases]), 1)
        height, width = fields.shape[2:]
        shapes = tuple((canvas.fields.shape[1], canvas.fields.shape[2]) for canvas in canvases)
        indices = []
        for number, (canvas, (_, own)) in enumerate(zip(canvases, shapes, strict=True)):
            index = canvas.index
            if own < width:
                index = index + index // own * (width - own)
            indices.append(index + number * height * width)
        return Spread(fields, torch.cat(indices).long(), shapes, canvases[0].hard_removal)

    @cached_property
    def points(self) -> Tensor:
        """The fields of the painted pixels, [7, N]."""
        return self.fields.flatten(1)[:, self.index]

    @property
    def alpha(self) -> Tensor:
        """Where the object is, [F, 1, H, W]."""
        return self.fields[2:3].transpose(0, 1)

    @cached_property
    def behind(self) -> Tensor:
        """The background's colours times one minus alpha, see `looking.Gaze.seen`."""
        alpha = self.fields[2:3]
        parts = [(1 - alpha) * self.fields[4:7]]
        if self.hard_removal:
            parts.append((alpha > 0.5).to(alpha))
        return torch.cat(parts).transpose(0, 1)

    def composed(self, values: Tensor) -> Tensor:
        """Put ``values`` [N, C] where the painted pixels are, and 0 elsewhere: [F, C, H, W]."""
        shape = self.fields.shape[1:]
        empty = values.new_zeros(shape.numel(), values.shape[1])
        return empty.index_copy(0, self.index, values).reshape(*shape, -1).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Painted:
    """The object's pixels of some canvases, painted; the terms are computed from it."""

    front: Tensor  # [F, 3, H, W], see `looking.Gaze.seen`
    alpha: Tensor  # [N]
    albedo: Tensor  # [N, 3]
    colours: Tensor  # [N, 3]


def paint(spread: Spread, painter: Painter) -> Painted:
    """Paint the canvases of ``spread``, in one call for all of them."""
    points = spread.points
    uv, alpha, light = points[:2].T, points[2], points[3]
    albedo = painter.albedo(uv)
    colours = painter.lit(albedo, light)
    front = spread.composed(alpha[:, None] * colours)
    return Painted(front, alpha, albedo, colours)
