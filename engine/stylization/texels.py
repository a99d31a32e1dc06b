"""A palette atlas read through texels while it learns: several frames for the price of one.

Frames see the same places of the atlas. Evaluating the mixing network once for each texel that
any frame sees, with features that are computed once, and interpolating is several times faster
than evaluating it for every pixel of every frame. The finished atlas is read without texels.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

from .atlas import PaletteAtlas
from .canvas import Canvas

MOST = 1024  # texels along a side, however far the object reaches over the atlas


class Texels:
    """The texels of ``atlas`` that ``canvases`` see, ``density`` of them in half an object."""

    def __init__(self, atlas: PaletteAtlas, canvases: Iterable[Canvas], *, density: float) -> None:
        self.atlas = atlas
        places = torch.cat([_seen_places(atlas, canvas) for canvas in canvases])
        self.low = places.amin(0)
        reach = float((places.amax(0) - self.low).max())
        self.side = min(MOST, int(reach * density) + 2)
        self.density = (self.side - 1) / max(reach, 1e-6)
        self.index = self._touched(places)  # [M] in the flat square
        columns_rows = torch.stack([self.index % self.side, self.index // self.side], 1)
        self._places = columns_rows / self.density + self.low  # [M, 2]
        self.follow_pattern()

    def follow_pattern(self) -> None:
        """Take over the pattern that the atlas has now."""
        self.features = self.atlas.features(self._places)  # [M, F]

    def albedo(self, uv: Tensor) -> Tensor:
        """Return colours, power and sheen [N, 5] at ``uv`` [N, 2] before the light."""
        mix = self.atlas.mix_of(self.features)  # [M, K]
        square = mix.new_zeros(self.side**2, mix.shape[1]).index_copy(0, self.index, mix)
        picture = square.T.reshape(1, -1, self.side, self.side)
        texels = (self.atlas.places(uv) - self.low) * self.density
        grid = texels[None, None] / (self.side - 1) * 2 - 1
        read = functional.grid_sample(picture, grid, align_corners=True, padding_mode="border")
        return self.atlas.finished(read[0, :, 0].T)

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return what ``albedo`` [N, 5] looks like under ``shading`` [N]."""
        return self.atlas.lit(albedo, shading)

    def _touched(self, places: Tensor) -> Tensor:
        """Return the texels that bilinear reading at ``places`` [P, 2] and around them needs."""
        columns, rows = ((places - self.low) * self.density).long().unbind(1)
        marks = torch.zeros(1, 1, self.side, self.side, device=places.device)
        marks[0, 0, rows.clamp(0, self.side - 1), columns.clamp(0, self.side - 1)] = 1
        return functional.max_pool2d(marks, 5, stride=1, padding=2).flatten().nonzero()[:, 0]


def _seen_places(atlas: PaletteAtlas, canvas: Canvas) -> Tensor:
    """Where the painted pixels of ``canvas`` lie on the atlas, [P, 2]."""
    return atlas.places(canvas.fields[:2, *canvas.painted].T)
