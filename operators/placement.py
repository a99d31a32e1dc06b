"""Where the pixels of a strip's picture are seen in the preview, and back.

The preview's own coordinates count the scene's pixels from its centre, upwards.
"""

import math
from dataclasses import dataclass
from typing import Any

from . import strips


@dataclass(frozen=True)
class Placement:
    """How a picture of ``size`` lies in the preview; pixels count from its upper left corner."""

    size: tuple[int, int]
    scale: tuple[float, float] = (1.0, 1.0)
    rotation: float = 0.0
    offset: tuple[float, float] = (0.0, 0.0)
    origin: tuple[float, float] = (0.5, 0.5)
    flipped: tuple[bool, bool] = (False, False)
    aspect: float = 1.0

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """Return where a pixel of the picture is seen."""
        width, height = self.size
        x, y = self._flip(x, height - y)
        pivot = width * self.origin[0], height * self.origin[1]
        right, up = (x - pivot[0]) * self.scale[0], (y - pivot[1]) * self.scale[1]
        cosine, sine = math.cos(self.rotation), math.sin(self.rotation)
        across = cosine * right - sine * up + pivot[0] - width / 2 + self.offset[0]
        along = sine * right + cosine * up + pivot[1] - height / 2 + self.offset[1]
        return across * self.aspect, along

    def to_picture(self, across: float, along: float) -> tuple[float, float]:
        """Return which pixel of the picture is seen at a place."""
        width, height = self.size
        pivot = width * self.origin[0], height * self.origin[1]
        right = across / self.aspect - self.offset[0] - pivot[0] + width / 2
        up = along - self.offset[1] - pivot[1] + height / 2
        cosine, sine = math.cos(self.rotation), math.sin(self.rotation)
        x = (cosine * right + sine * up) / self.scale[0] + pivot[0]
        y = (cosine * up - sine * right) / self.scale[1] + pivot[1]
        x, y = self._flip(x, y)
        return x, height - y

    def _flip(self, x: float, y: float) -> tuple[float, float]:
        width, height = self.size
        return width - x if self.flipped[0] else x, height - y if self.flipped[1] else y


def of(strip: Any) -> Placement:
    """Return how the picture that the engine gets lies in the preview."""
    render = strip.id_data.render
    aspect = render.pixel_aspect_x / render.pixel_aspect_y
    size = strips.picture_size(strip)
    if strips.is_displayed(strip):
        return Placement(size, aspect=aspect)
    placed = strip.transform
    return Placement(
        size,
        (placed.scale_x or 1e-6, placed.scale_y or 1e-6),
        placed.rotation,
        (placed.offset_x, placed.offset_y),
        tuple(placed.origin),
        (strip.use_flip_x, strip.use_flip_y),
        aspect,
    )


def box_of(first: tuple[float, float], last: tuple[float, float], size: tuple[int, int]) -> tuple:
    """Return x, y, width, height of the whole pixels between two corners, inside the picture."""
    spans = []
    for one, other, most in zip(first, last, size, strict=True):
        low, high = sorted((min(max(one, 0.0), most), min(max(other, 0.0), most)))
        spans.append((math.floor(low), math.ceil(high)))
    (left, right), (top, bottom) = spans
    return left, top, right - left, bottom - top
