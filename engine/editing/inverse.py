"""The way back: where in a frame a texel is seen."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

CELLS = 256  # along each side of the first guess
ROUNDS = 12
LONGEST = 8.0  # px that a round moves a place at most
CLOSE = 0.1  # px from which on a place is found
LEAST_AREA = 1e-12  # in uv that a pixel reads; of less there is no way back


@dataclass(frozen=True)
class TexelGrid:
    """The texels of a part of the atlas: ``width`` times ``height`` over ``extent`` in uv."""

    corner: tuple[float, float]
    extent: tuple[float, float]
    width: int
    height: int

    def uv(self) -> Tensor:
        """Return the centres of the texels, [height, width, 2]."""
        across = (torch.arange(self.width) + 0.5) / self.width * self.extent[0] + self.corner[0]
        down = (torch.arange(self.height) + 0.5) / self.height * self.extent[1] + self.corner[1]
        v, u = torch.meshgrid(down, across, indexing="ij")
        return torch.stack([u, v], 2)


@torch.no_grad()
def places_of_texels(uv: Tensor, alpha: Tensor, texels: TexelGrid) -> tuple[Tensor, Tensor]:
    """Return where texels lie in a frame, px [h, w, 2], and which of them were found, bool [h, w].

    ``uv`` [H, W, 2] is where the frame's pixels read the atlas, ``alpha`` [H, W] the layer's.
    Places are x and y of the frame's pixels, their centres at whole numbers. Of several pixels that
    read the same texel one is taken that shows the layer. Newton's method from the nearest cell
    of a coarse grid.
    """
    wanted = texels.uv().to(uv)
    place = _first_places(uv, alpha, texels, wanted)
    steps = _derivatives(uv)  # [H, W, 4]
    moved = torch.full_like(place, LONGEST)
    for _ in range(ROUNDS):
        lacking = wanted - sample(uv, place)
        a, b, c, d = sample(steps, place).unbind(2)  # of u along x, y; of v along x, y
        area = a * d - b * c
        inverse = torch.where(area.abs() > LEAST_AREA, 1 / area, 0.0)
        u, v = lacking.unbind(2)
        moved = torch.stack([(d * u - b * v) * inverse, (a * v - c * u) * inverse], 2)
        place = place + moved.clamp(-LONGEST, LONGEST)
    height, width = alpha.shape
    x, y = place.unbind(2)
    is_inside = (x > -1) & (x < width) & (y > -1) & (y < height)
    texel = uv.new_tensor([texels.extent[0] / texels.width, texels.extent[1] / texels.height])
    is_read = ((wanted - sample(uv, place)).abs() < texel).all(2)
    return place, is_inside & is_read & (moved.abs().amax(2) < CLOSE)


def sample(picture: Tensor, places: Tensor) -> Tensor:
    """Read ``picture`` [H, W, C] bilinearly at ``places`` [..., 2] px; its rim goes on outside."""
    height, width, channels = picture.shape
    grid = (places + 0.5) / places.new_tensor([width, height]) * 2 - 1
    found = functional.grid_sample(
        picture.permute(2, 0, 1)[None], grid.reshape(1, 1, -1, 2),
        padding_mode="border", align_corners=False,
    )  # fmt: skip
    return found[0, :, 0].T.reshape(*places.shape[:-1], channels)


def _first_places(uv: Tensor, alpha: Tensor, texels: TexelGrid, wanted: Tensor) -> Tensor:
    """Return for each texel the pixel whose uv lies in the nearest cell of a coarse grid."""
    height, width = alpha.shape
    corner, extent = uv.new_tensor(texels.corner), uv.new_tensor(texels.extent)
    cells = ((uv - corner) / extent * CELLS).floor().long().reshape(-1, 2)
    inside = ((cells >= 0) & (cells < CELLS)).all(1)
    numbers = torch.arange(height * width, device=uv.device)
    # Pixels that show the layer come first; of equal ones always the same is taken.
    rank = numbers + (alpha.reshape(-1) > 0.5) * height * width
    grid = torch.full((CELLS * CELLS,), -1, device=uv.device, dtype=torch.long)
    flat = cells[:, 1] * CELLS + cells[:, 0]
    grid.scatter_reduce_(0, flat[inside], rank[inside], "amax")
    grid = _fill(grid.reshape(CELLS, CELLS))
    nearest = ((wanted - corner) / extent * CELLS).long().clamp(0, CELLS - 1)
    number = grid[nearest[..., 1], nearest[..., 0]].clamp_min(0) % (height * width)
    return torch.stack([number % width, number // width], 2).to(uv)


def _fill(grid: Tensor) -> Tensor:
    """Let the cells that no pixel reads have the number of a neighbour, again and again."""
    grid = grid.double()
    for _ in range(CELLS):
        if bool((grid >= 0).all()) or bool((grid < 0).all()):
            break
        grown = functional.max_pool2d(grid[None, None], 3, 1, 1)[0, 0]
        grid = torch.where(grid < 0, grown, grid)
    return grid.long()


def _derivatives(uv: Tensor) -> Tensor:
    """Return du/dx, du/dy, dv/dx, dv/dy of ``uv`` [H, W, 2] for each px, [H, W, 4]."""
    down, across = torch.gradient(uv, dim=(0, 1))
    return torch.stack([across[..., 0], down[..., 0], across[..., 1], down[..., 1]], 2)
