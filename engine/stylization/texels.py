"""An atlas read through texels while it learns: several frames for the price of one.

Frames sample the same places of the atlas. Evaluating its network once for each texel that any
frame samples, and interpolating, is several times faster than once for every pixel of every frame.
The finished atlas is read without texels.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

from .canvas import Canvas

MOST = 1024  # texels along a side, however far the object reaches over the atlas


class Texels:
    """The texels that ``canvases`` sample, ``density`` of them in half an object.

    ``centre`` and ``scale`` [2] place uv in units of half an object: (uv - centre) scale.
    """

    def __init__(
        self, centre: Tensor, scale: Tensor, canvases: Iterable[Canvas], density: float
    ) -> None:
        seen = [canvas.fields[:2].flatten(1)[:, canvas.index].T for canvas in canvases]
        places = torch.cat([(uv - centre) * scale for uv in seen])
        self.low = places.amin(0)
        reach = float((places.amax(0) - self.low).max())
        self.side = min(MOST, int(reach * density) + 2)
        self.density = (self.side - 1) / max(reach, 1e-6)
        self.index = self._touch(places)  # [M] in the flat square
        columns_rows = torch.stack([self.index % self.side, self.index // self.side], 1)
        self.places = columns_rows / self.density + self.low  # [M, 2]
        # From uv to the square's [-1, 1]^2 in one operation, worked out once in double precision.
        middle, unit, low = (each.cpu().double() for each in (centre, scale, self.low))
        factor = 2 * self.density / (self.side - 1)
        self._factor = (factor * unit).to(scale)
        self._offset = (-(middle * unit + low) * factor - 1).to(scale)

    def read(self, values: Tensor, uv: Tensor) -> Tensor:
        """Return what lies at ``uv`` [N, 2] where the texels have ``values`` [M, C], [N, C]."""
        square = values.new_zeros(self.side**2, values.shape[1]).index_copy(0, self.index, values)
        picture = square.T.reshape(1, -1, self.side, self.side)
        grid = torch.addcmul(self._offset, uv, self._factor)[None, None]
        found = functional.grid_sample(picture, grid, align_corners=True, padding_mode="border")
        return found[0, :, 0].T

    def _touch(self, places: Tensor) -> Tensor:
        """Return the texels that bilinear reading at ``places`` [P, 2] and around them needs."""
        columns, rows = ((places - self.low) * self.density).long().unbind(1)
        marks = torch.zeros(1, 1, self.side, self.side, device=places.device)
        marks[0, 0, rows.clamp(0, self.side - 1), columns.clamp(0, self.side - 1)] = 1
        return functional.max_pool2d(marks, 5, stride=1, padding=2).flatten().nonzero()[:, 0]
