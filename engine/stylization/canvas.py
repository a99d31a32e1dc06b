"""What stylization never changes, cut out around the object: uv, alpha, background, shading.

The decomposition is frozen while the atlas learns, so all of this is computed once. Only pixels
in which the object is visible are rendered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from ..contract.events import EngineError, Fault
from ..contract.settings import StylizationSettings, ViewsSettings
from ..decomposition.layers import Layers
from .boxes import object_boxes
from .crops import halve
from .shading import ShadingStatistics, measure_shading, shading
from .views import Subject

FAINTEST = 0.01  # alpha below which a pixel is not rendered
LARGEST = 512  # longest side of an enlarged canvas
MOST_KEPT = 100  # enlarged canvases, of at most 10 MB each


@dataclass(frozen=True)
class AtlasFrame:
    """A place to stand on the atlas: ``centre``, and units per uv along both axes.

    One unit is half the longer side of the object's box on every axis, however the decomposition
    stretched the object into the atlas.
    """

    centre: tuple[float, float]
    scale: tuple[float, float]

    def texel(self, density: float) -> tuple[float, float]:
        """Return how far texels lie apart in uv, ``density`` of them in one unit."""
        across, down = self.scale
        return 1 / (density * across), 1 / (density * down)


@dataclass(frozen=True)
class Canvas:
    """The square around the object in one frame, as far as the frame reaches."""

    frame: int
    fields: Tensor  # [7, h, w]: u, v, alpha, shading, colours of the background
    subject: Subject  # always at the working size
    faintest: float  # alpha up to which a pixel is not rendered
    hard_removal: bool  # see `ViewsSettings`
    scale: float = 1.0  # against the working size
    known: Tensor | None = None  # `index`, where it has been found before

    @cached_property
    def index(self) -> Tensor:
        """Numbers of the pixels that are rendered, row by row, int32 [N]."""
        if self.known is not None:
            return self.known
        return (self.fields[2] > self.faintest).flatten().nonzero()[:, 0].int()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.fields.shape[1], self.fields.shape[2]

    def level(self, number: int) -> Tensor:
        """Return the fields halved ``number`` times, [7, h, w], the background without the object.

        That is its colours times one minus alpha.
        """
        if number not in self._levels:
            if number == 0:
                alpha = self.fields[2:3]
                found = torch.cat([self.fields[:4], (1 - alpha) * self.fields[4:]])
            else:
                found = functional.adaptive_avg_pool2d(self.level(0), halve(self.shape, number))
            self._levels[number] = found
        return self._levels[number]

    @cached_property
    def _levels(self) -> dict[int, Tensor]:
        return {}

    def at_side(self, side: int, known: Tensor | None = None) -> Canvas:
        """Return the canvas with its longer side at ``side`` pixels, whatever it was.

        ``known`` is its `index`, where that has been found before.
        """
        shape = self.fields.shape[1:]
        factor = side / max(shape)
        wanted = [max(1, round(length * factor)) for length in shape]
        fields = functional.interpolate(
            self.fields[None], wanted, mode="bilinear", antialias=factor < 1
        )[0]
        return replace(self, fields=fields, scale=self.scale * factor, known=known)


@dataclass(frozen=True)
class Canvases:
    """All frames in which the object is visible, and what they share."""

    canvases: tuple[Canvas, ...]
    statistics: ShadingStatistics
    atlas_frame: AtlasFrame
    _large: dict[tuple[int, int], Canvas] = field(default_factory=dict, repr=False)
    _indices: dict[tuple[int, int], Tensor] = field(default_factory=dict, repr=False)

    def at(self, number: int, side: int | None) -> Canvas:
        """Return a canvas enlarged to ``side`` pixels, as it is without; some are kept.

        Which pixels are rendered is kept of all: a GPU must be waited for to find it.
        """
        if side is None:
            return self.canvases[number]
        key = number, side
        if key not in self._large:
            if len(self._large) >= MOST_KEPT:
                self._large.pop(next(iter(self._large)))
            enlarged = self.canvases[number].at_side(side, self._indices.get(key))
            self._large[key] = enlarged
            self._indices[key] = enlarged.index
        return self._large[key]


def cut_canvases(
    layers: Layers, frames: Tensor, views: ViewsSettings, *, everywhere: bool = False
) -> Canvases:
    """Cut every frame with the object out of ``layers`` and ``frames`` [T, H, W, 3].

    ``everywhere`` renders pixels without the object, too. Raises EngineError
    (OBJECT_NOT_FOUND) where alpha shows no object in any frame.
    """
    margin = views.margin
    boxes, seen = object_boxes(layers.alpha)
    numbers = seen.nonzero()[:, 0].tolist()
    if not numbers:
        hint = "Look at the masks preview, and give the object's mask by files or by a box."
        message = f"The decomposition shows no object in any of the {len(seen)} frames."
        raise EngineError(Fault.OBJECT_NOT_FOUND, message, hint)
    spans = (boxes[seen, 2:] - boxes[seen, :2]).amax(1)
    side = float(spans.median()) * (1 + 2 * margin)
    pairs = ((as_colours(frames[t]), layers.alpha[t]) for t in numbers)
    statistics = measure_shading(pairs, side=side / max(layers.alpha.shape[1:]))
    faintest = -1.0 if everywhere else FAINTEST
    canvases = [
        replace(
            _cut(layers, frames, t, boxes[t], margin=margin, statistics=statistics),
            faintest=faintest,
            hard_removal=views.hard_removal,
        )
        for t in numbers
    ]
    return Canvases(tuple(canvases), statistics, atlas_frame(layers, side=side))


def resize(canvases: Canvases, number: int, size: int, settings: StylizationSettings) -> Canvas:
    """Return one of ``canvases`` as large as it is rendered for views of ``size`` pixels."""
    return canvases.at(number, None if settings.views.native_size else canvas_side(size, settings))


def canvas_side(size: int, settings: StylizationSettings) -> int:
    """Return how large a canvas is rendered: the smallest close view has one pixel for each."""
    return min(LARGEST, math.ceil(size / settings.views.local_scale_low**0.5))


def density(size: int, settings: StylizationSettings) -> float:
    """Return how many texels lie along half the object's longer side, for views of ``size``."""
    return canvas_side(size, settings) / 2


def as_colours(frame: Tensor) -> Tensor:
    """Return a picture with channels in [0, 1], whether it comes as bytes or as floats."""
    return frame.float() / 255 if frame.dtype == torch.uint8 else frame.float()


def atlas_frame(layers: Layers, *, side: float) -> AtlasFrame:
    """Measure where the object lies in the atlas; ``side`` is its box's longer side in pixels.

    How many pixels one uv is long is taken from differences of uv between neighbouring pixels.
    """
    solid = layers.alpha > 0.5  # [T, H, W]
    both = solid[:, 1:, 1:] & solid[:, :-1, 1:] & solid[:, 1:, :-1]
    across = (layers.uv[:, 1:, 1:] - layers.uv[:, 1:, :-1])[both]  # [N, 2]
    down = (layers.uv[:, 1:, 1:] - layers.uv[:, :-1, 1:])[both]
    steps = (across.square() + down.square()).sqrt()  # uv per pixel along u and along v
    step = steps.median(0).values.clamp_min(1e-6) if len(steps) else steps.new_full((2,), 2 / side)
    used = layers.uv[solid]
    centre = (used.amin(0) + used.amax(0)) / 2
    u, v = centre.tolist()
    across_scale, down_scale = (2 / (step * side)).tolist()
    return AtlasFrame((u, v), (across_scale, down_scale))


def _cut(
    layers: Layers,
    frames: Tensor,
    number: int,
    box: Tensor,
    *,
    margin: float,
    statistics: ShadingStatistics,
) -> Canvas:
    height, width = layers.alpha.shape[1:]
    span = box[2:] - box[:2]
    reach = span.max() * (0.5 + margin)
    centre = (box[:2] + box[2:]) / 2
    left, top = (centre - reach).floor().clamp_min(0).int().tolist()
    right, bottom = (centre + reach).ceil().int().tolist()
    rows, columns = slice(top, min(bottom, height)), slice(left, min(right, width))
    alpha = layers.alpha[number]
    light = shading(as_colours(frames[number]), alpha, statistics)
    facts = [layers.uv[number], alpha[..., None], light[..., None], layers.background[number]]
    whole = torch.cat(facts, 2)  # [H, W, 7]
    offset = box.new_tensor([left, top, left, top])
    subject = Subject.of(
        alpha[rows, columns] > 0.5, box - offset, margin=float(margin * span.max())
    )
    fields = whole[rows, columns].permute(2, 0, 1).contiguous()
    return Canvas(number, fields, subject, FAINTEST, hard_removal=False)
