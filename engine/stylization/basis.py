"""What the mixing network of the palette atlas sees of a place: waves, and tiles with joints.

From waves alone come blots and bands; joints, courses, rosettes and fine stripes never do within a
few hundred steps. Tiles give them: where a place lies in its tile, how far its middle and the next
tile are, and a few numbers that a whole tile shares. What is made of them, the network learns.
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
ROUGH = 0.12  # how far a cell's outlines stray, in tiles
BENT = 0.7  # how far a band strays, in bands
JOINTS = (0.06, 0.12, 0.24)  # widths, in tiles
HEART = 0.18  # radius of a tile's middle, in tiles
RING, RING_VARIES, RING_WIDTH = 0.32, 0.06, 0.09  # around the heart, in tiles
BREAKS = (0.3, 0.7)  # depth of noise from which a ring thins, and from which it is broken
WAVES_AROUND = (1.0, 2.0, 3.0)  # waves around the middle of a tile, in half turns for each tile
ZONES = len(JOINTS) + 2  # features that are 1 in one zone of a tile and -1 elsewhere
TILE_FEATURES = ZONES + len(WAVES_AROUND) + 2 + NAMES
PLAIN, CELLS, COURSES, BANDS = 0, 1, 2, 3


@dataclass(frozen=True)
class Pattern:
    """What the paint looks like before anything is learnt.

    ``bandwidth`` is that of the waves, in half turns for each unit; their directions fill
    ``spread`` half turns around ``turn``: all of them make blots, a few make stripes and grain.
    ``crossed`` turns every second wave by a right angle, which makes checks. ``tiling`` adds tiles,
    ``tiles`` of them in a unit: cells as of scales, pebbles or spots, courses as of bricks, or
    bands that bend and meet, ``turn`` half turns from the horizontal.
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

    In every second way each colour follows one or two features: all joints in one colour, a ring,
    some of the tiles. In the others one or two zones of a tile have a colour of their own, and each
    further colour has some of the tiles.
    """
    shape = count, colours, TILE_FEATURES
    strength = 0.3 + 0.7 * torch.rand(shape, generator=generator)
    sign = 2.0 * (torch.rand(shape, generator=generator) < 0.5) - 1
    order = torch.rand(shape, generator=generator).argsort(2)
    followed = 1 + (torch.rand(count, colours, 1, generator=generator) < 0.5).long()
    free = strength * sign * (order < followed)
    zone = torch.rand(count, ZONES, generator=generator).argsort(1)[:, :2]  # [count, 2]
    colour = torch.rand(count, colours, generator=generator).argsort(1)[:, :2]
    few = torch.rand(count, 2, generator=generator) < torch.tensor([1.0, 0.7])
    zoned = 0.5 * free
    zoned[..., :-NAMES] = 0
    for way in range(count):
        zoned[way, colour[way]] = 0
        zoned[way, colour[way], zone[way]] = few[way].float()
    return torch.where(torch.arange(count)[:, None, None] % 2 == 0, zoned, free)


def wave_features(places: Tensor, frequencies: Tensor) -> Tensor:
    """Return sines and cosines [N, 2 F] of ``places`` [N, 2] along ``frequencies`` [2, F]."""
    angles = torch.pi * places @ frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


def tile_features(places: Tensor, names: Tensor, tiling: int, turn: float = 0.0) -> Tensor:
    """Return what tiles say of ``places`` [N, 2], in tiles, as [N, `TILE_FEATURES`].

    ``names`` is a table of `draw_names`; only bands heed ``turn``.
    """
    if tiling == BANDS:
        tile = _bands(places, names, turn)
    else:
        tile = (_cells if tiling == CELLS else _courses)(places, names)
    widths, turns = places.new_tensor(JOINTS), torch.pi * places.new_tensor(WAVES_AROUND)
    joints = _bump(tile.gap[:, None], widths)
    size = RING + RING_VARIES * tile.names[:, :1]
    away = tile.radius[:, None]
    whole = 1 - _step(-noise(2.2 * places, names[..., 0]), *BREAKS)
    zones = [joints, _bump(away, HEART), (_bump(away - size, RING_WIDTH) + 1) * whole[:, None] - 1]
    return torch.cat([*zones, (away * turns).cos(), 2 * tile.offset, tile.names], 1)


@dataclass(frozen=True)
class Tile:
    """Where places lie in their tiles; all lengths are in tiles."""

    gap: Tensor  # [N], to the joint
    radius: Tensor  # [N], from the middle, outlines as they are seen
    offset: Tensor  # [N, 2], from the middle
    names: Tensor  # [N, `NAMES`], in [-1, 1]


def noise(places: Tensor, table: Tensor) -> Tensor:
    """Return smooth noise [N] in [-1, 1] at ``places`` [N, 2], with unit cells, from ``table``."""
    corner = places.floor()
    part = places - corner
    right, down = (part.square() * (3 - 2 * part)).unbind(1)
    beside = places.new_tensor([1.0, 0.0])
    near, far = (
        torch.lerp(_of(row, table), _of(row + beside, table), right)
        for row in (corner, corner + places.new_tensor([0.0, 1.0]))
    )
    return torch.lerp(near, far, down)


def _cells(places: Tensor, names: Tensor) -> Tile:
    """Cells around scattered points, with rough outlines."""
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
    radius = distance[0] + ROUGH * noise(3 * places, names[..., 1])
    gap = (distance[1] - distance[0]) / 2
    return Tile(gap, radius, offset, torch.stack(shared).take_along_dim(own, 0)[0])


def _courses(places: Tensor, names: Tensor) -> Tile:
    """Courses of long tiles, every second one shifted by half."""
    across, down = places.unbind(1)
    row = down.floor()
    across = across / BRICK + 0.5 * (row % 2)
    tile = torch.stack([across.floor(), row], 1)
    offset = torch.stack([across, down], 1) - tile - 0.5
    inside = (0.5 - offset.abs()) * places.new_tensor([BRICK, 1.0])
    return Tile(inside.amin(1), offset.norm(dim=1), offset, _of(tile, names)[:, 2:])


def _bands(places: Tensor, names: Tensor, turn: float) -> Tile:
    """Bands that bend, swell and meet, each with its middle at half a band."""
    angle = torch.pi * places.new_tensor(turn)
    down = places @ torch.stack([angle.sin(), angle.cos()])
    bent = down + BENT * noise(0.4 * places, names[..., 0])
    band = bent.floor()
    offset = bent - band - 0.5
    grain = 0.5 * noise(places * places.new_tensor(1.5), names[..., 1])
    tile = torch.stack([torch.zeros_like(band), band], 1)
    away = offset.abs()
    return Tile(0.5 - away, away, torch.stack([grain, offset], 1), _of(tile, names)[:, 2:])


def _bump(distance: Tensor, width: float | Tensor) -> Tensor:
    """1 where ``distance`` is 0, -1 where it is many times ``width``."""
    return 2 * torch.exp(-((distance / width) ** 2)) - 1


def _step(field: Tensor, low: float, high: float) -> Tensor:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``."""
    part = ((field - low) / (high - low)).clamp(0, 1)
    return part.square() * (3 - 2 * part)


def _of(tiles: Tensor, names: Tensor) -> Tensor:
    """Return the row of ``names`` that belongs to each of ``tiles`` [N, 2]."""
    columns, rows = (tiles.long() % TABLE).unbind(1)
    return names[rows, columns]
