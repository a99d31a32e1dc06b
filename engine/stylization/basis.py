"""What the mixing network of the palette atlas sees of a place: waves, and tiles with joints.

From waves alone come blots and bands; joints, courses and scales never do within a few hundred
steps. Tiles give them: where a place lies in its tile, how far the next one is, and a few numbers
that a whole tile shares. What is made of them, the network learns.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

WAVES = 128
TABLE = 32  # tiles until their numbers come again
NAMES = 8  # numbers that a whole tile shares
JITTER = 0.8  # how far a cell's point may lie from the middle of its square, in squares
BRICK = 2.0  # how often as long as high a course's tile is
JOINTS = (0.06, 0.12, 0.24)  # widths, in tiles
RINGS = (1.0, 2.0, 3.0)  # waves around the middle of a tile, in half turns for each tile
TILE_FEATURES = len(JOINTS) + len(RINGS) + 2 + NAMES
PLAIN, CELLS, COURSES = 0, 1, 2


@dataclass(frozen=True)
class Pattern:
    """What the paint looks like before anything is learnt.

    ``bandwidth`` is that of the waves, in half turns for each unit; their directions fill
    ``spread`` half turns around ``turn``: all of them make blots, a few make stripes and grain.
    ``crossed`` turns every second wave by a right angle, which makes checks. ``tiling`` adds tiles,
    ``tiles`` of them in a unit: cells as of scales, pebbles or spots, or courses as of bricks.
    """

    bandwidth: float
    spread: float = 1.0
    turn: float = 0.0
    crossed: bool = False
    tiling: int = PLAIN
    tiles: float = 1.0

    def waves(self, radii: Tensor, angles: Tensor) -> Tensor:
        """Return the frequencies [2, F] for ``radii`` and ``angles`` [F], as drawn."""
        across = 0.5 * (torch.arange(len(angles), device=angles.device) // 2 % 2) * self.crossed
        turned = torch.pi * (self.turn + self.spread * (angles - 0.5) + across)
        return self.bandwidth * radii * torch.stack([turned.cos(), turned.sin()])


def draw_radii(generator: torch.Generator) -> Tensor:
    """Draw how much faster or slower than the pattern each wave is, [F].

    Most are near 1, for a band of frequencies makes a texture of one size; a quarter are slow, so
    that the texture can differ between parts of the object.
    """
    near = 1 + 0.3 * torch.randn(WAVES, generator=generator)
    slow = torch.arange(WAVES) % 4 == 0
    return torch.where(slow, torch.rand(WAVES, generator=generator), near)


def draw_names(generator: torch.Generator) -> Tensor:
    """Draw the numbers of all tiles in [-1, 1]: where a cell's point lies, and its names."""
    return 2 * torch.rand(TABLE, TABLE, 2 + NAMES, generator=generator) - 1


def draw_tile_paint(count: int, colours: int, generator: torch.Generator) -> Tensor:
    """Draw ``count`` ways [count, colours, `TILE_FEATURES`] in which tiles choose their colours.

    Each colour follows one or two features: all joints in one colour, a ring, some of the tiles.
    """
    strength = 0.3 + 0.7 * torch.rand(count, colours, TILE_FEATURES, generator=generator)
    sign = 2.0 * (torch.rand(count, colours, TILE_FEATURES, generator=generator) < 0.5) - 1
    order = torch.rand(count, colours, TILE_FEATURES, generator=generator).argsort(2)
    followed = 1 + (torch.rand(count, colours, 1, generator=generator) < 0.5).long()
    return strength * sign * (order < followed)


def wave_features(places: Tensor, frequencies: Tensor) -> Tensor:
    """Return sines and cosines [N, 2 F] of ``places`` [N, 2] along ``frequencies`` [2, F]."""
    angles = torch.pi * places @ frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


def tile_features(places: Tensor, names: Tensor, tiling: int) -> Tensor:
    """Return what tiles say of ``places`` [N, 2], in tiles, as [N, `TILE_FEATURES`].

    ``names`` is a table of `draw_names`.
    """
    gap, offset, shared = (_cells if tiling == CELLS else _courses)(places, names)
    widths, turns = places.new_tensor(JOINTS), torch.pi * places.new_tensor(RINGS)
    joints = 2 * torch.exp(-((gap[:, None] / widths) ** 2)) - 1
    rings = (offset.norm(dim=1, keepdim=True) * turns).cos()
    return torch.cat([joints, rings, 2 * offset, shared], 1)


def _cells(places: Tensor, names: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cells around scattered points: distance from the joint, offset from the point, names."""
    square = places.floor()
    around = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    offsets, shared = [], []
    for shift in around:
        each = square + places.new_tensor(shift)
        numbers = _of(each, names)
        offsets.append(places - each - 0.5 - 0.5 * JITTER * numbers[:, :2])
        shared.append(numbers[:, 2:])
    stacked = torch.stack(offsets)  # [9, N, 2]
    distance, order = stacked.norm(dim=2).topk(2, dim=0, largest=False)
    own = order[0][None, :, None]
    offset = stacked.take_along_dim(own, 0)[0]
    return (distance[1] - distance[0]) / 2, offset, torch.stack(shared).take_along_dim(own, 0)[0]


def _courses(places: Tensor, names: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Courses of long tiles, every second one shifted by half: as `_cells`."""
    across, down = places.unbind(1)
    row = down.floor()
    across = across / BRICK + 0.5 * (row % 2)
    tile = torch.stack([across.floor(), row], 1)
    offset = torch.stack([across, down], 1) - tile - 0.5
    inside = (0.5 - offset.abs()) * places.new_tensor([BRICK, 1.0])
    return inside.amin(1), offset, _of(tile, names)[:, 2:]


def _of(tiles: Tensor, names: Tensor) -> Tensor:
    """Return the row of ``names`` that belongs to each of ``tiles`` [N, 2]."""
    columns, rows = (tiles.long() % TABLE).unbind(1)
    return names[rows, columns]
