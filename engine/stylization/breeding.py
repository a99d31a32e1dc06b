"""First looks by variation and choice: what the encoder likes best of many variants goes on.

Of random palettes and random ways to paint tiles nearly none belong together: rosettes need a dark
ring, a brown heart and a tan ground at once. Found piece by piece they are found soon.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from .atlas import PaletteAtlas
from .basis import ZONES, draw_tile_paint
from .finish import FINISHES
from .gallery import KINDS, PATTERNS, Field, Gallery, Look

ROUNDS = (6, 5, 4, 3)  # how many looks are bred in each round
FOR_PALETTE = 6  # for so many palettes of the first search one variant of a palette is tried
FOR_WAY = 10  # and one variant of a way to paint tiles
ORDERS = 2  # of a palette, with each way
STRAY = 0.7  # deviation of a varied colour's logit
ZONED, FREE = 0.6, 0.2  # chances of a colour's new paint


def palettes_bred(effort: int) -> int:
    """Return about how many palettes `bred` compares: as many as where all looks have tiles."""
    sizes = len(PATTERNS) // len(KINDS)
    ways = ORDERS * max(1, effort // FOR_WAY)
    palettes = max(2, effort // FOR_PALETTE)
    return sum(ROUNDS) * (sizes + palettes + len(FINISHES) + ways)


@torch.no_grad()
def bred(
    looks: list[Look],
    atlas: PaletteAtlas,
    gallery: Gallery,
    effort: int,
    generator: torch.Generator,
) -> list[Look]:
    """Return ``looks``, the first of them varied and improved, those that became best first.

    ``effort`` is how many palettes the first search compared.
    """
    for count in ROUNDS:
        better = [_improved(each, atlas, gallery, effort, generator) for each in looks[:count]]
        looks = sorted(better, key=lambda each: -each.score) + looks[count:]
    return looks


def _improved(
    look: Look, atlas: PaletteAtlas, gallery: Gallery, effort: int, generator: torch.Generator
) -> Look:
    """Return ``look`` or a better one: another size, other colours, finish or paint."""
    look, field = _resized(look, atlas, gallery)
    palettes = varied_palettes(look.colours, max(2, effort // FOR_PALETTE), generator)
    look = _better(look, field, look.tile_paint, palettes, gallery)
    look = refinished(look, field, gallery)
    if not PATTERNS[look.pattern].tiling:
        return look
    for way in varied_ways(look.tile_paint, max(1, effort // FOR_WAY), generator):
        orders = torch.rand(ORDERS - 1, len(look.colours), generator=generator).argsort(1)
        palettes = torch.cat([look.colours[None], look.colours[orders.to(way.device)]])
        look = _better(look, field, way, palettes, gallery)
    return look


def _resized(look: Look, atlas: PaletteAtlas, gallery: Gallery) -> tuple[Look, Field]:
    """Return ``look`` in the pattern of its kind that suits it best, and that pattern."""
    kind = next(kind for kind in KINDS if PATTERNS[look.pattern] in kind)
    found = []
    for pattern in kind:
        field = gallery.field(atlas, PATTERNS.index(pattern))
        found.append((gallery.score(look, field), field))
    score, field = max(found, key=lambda each: each[0])
    return replace(look, pattern=field.pattern, score=score), field


def refinished(look: Look, field: Field, gallery: Gallery) -> Look:
    """Return ``look`` in the finish that suits it best."""
    mix = field.mix(look.tile_paint)
    scores = [float(gallery.scores(look.colours[None], mix, finish)) for finish in FINISHES]
    top = max(range(len(FINISHES)), key=scores.__getitem__)
    if scores[top] <= look.score:
        return look
    return replace(look, finish=FINISHES[top], score=scores[top])


def _better(look: Look, field: Field, way: Tensor, palettes: Tensor, gallery: Gallery) -> Look:
    """Return the best of ``look`` and of ``way`` in each of ``palettes`` [P, K, 3]."""
    scores = gallery.scores(palettes, field.mix(way), look.finish)
    top = int(scores.argmax())
    if float(scores[top]) <= look.score:
        return look
    return replace(look, colours=palettes[top], tile_paint=way, score=float(scores[top]))


def varied_palettes(colours: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return ``count`` palettes [count, K, 3] near ``colours`` [K, 3] in [0, 1].

    A third each: all colours a little different, one colour any other, and in another order.
    """
    several = colours.cpu().expand(count, -1, -1)
    logits = several.clamp(0.02, 0.98).logit()
    strayed = (logits + STRAY * torch.randn(several.shape, generator=generator)).sigmoid()
    one = torch.rand(several.shape[:2], generator=generator).argsort(1)[..., None] == 0
    other = torch.where(one, torch.rand(several.shape, generator=generator), several)
    order = torch.rand(several.shape[:2], generator=generator).argsort(1)
    turned = several.gather(1, order[..., None].expand_as(several))
    kinds = torch.stack([strayed, other, turned])
    rows = torch.arange(count)
    return kinds[rows % 3, rows].to(colours)


def varied_ways(way: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return ``count`` ways [count, K, F] like ``way`` [K, F] but for one colour's.

    That colour gets a zone of the tile, or what a free draw gives, or nothing of its own.
    """
    drawn = draw_tile_paint(2 * count, len(way), generator)[1::2]  # the free ones
    zone = torch.randint(ZONES, (count, len(way)), generator=generator)
    strength = 0.5 + 0.5 * torch.rand(count, len(way), 1, generator=generator)
    zoned = strength * functional.one_hot(zone, way.shape[1])
    kind = torch.rand(count, 1, 1, generator=generator)
    drawn = torch.where(kind < ZONED, zoned, drawn) * (kind < ZONED + FREE)
    anew = torch.rand(count, len(way), generator=generator).argsort(1)[..., None] == 0
    return torch.where(anew, drawn, way.cpu()).to(way)
