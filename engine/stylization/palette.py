"""The first look of the palette atlas: random palettes and patterns, compared by the encoder.

From a flat start the gradient of a small encoder is almost nothing; one look at many palettes
puts the optimiser into the right valley. Nothing is learnt here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import zip_longest

import torch
from torch import Tensor

from ..contract.settings import StylizationSettings
from .atlas import PaletteAtlas
from .basis import draw_tile_paint
from .breeding import bred, palettes_bred
from .canvas import Canvas
from .encoder import Encoder
from .gallery import AFRESH, GLOBAL_VIEWS, KINDS, LOCAL_VIEWS, PATTERNS, Field, Gallery, Look
from .polish import polished, pruned
from .shading import luminance
from .targets import Targets

FINALISTS = 6  # palettes that are tried with every pattern
PALETTE_KINDS = 4  # see `random_palettes`; what is best in blotches need not be so in tiles
PALETTES_FOR_WAY = 24  # for so many palettes one way to paint tiles is tried in every tiling
PALETTES_FOR_STEP = 5  # and one step along the gradient is made with the best look of each kind


@torch.no_grad()
def first_looks(
    atlas: PaletteAtlas,
    canvas: Canvas,
    encoder: Encoder,
    targets: Targets,
    settings: StylizationSettings,
    generator: torch.Generator,
    tell: Callable[[int], None] = lambda views: None,
) -> list[Look]:
    """Return the looks that ``encoder`` likes on ``canvas``, those that it likes best first.

    All palettes are compared in blotches. The best few of them are tried in every pattern without
    tiles, some of each kind of palette in every pattern with tiles (`best_of_kinds`). The best look
    of each kind of pattern is bred, also in other finishes, polished, and rid of colours that it
    can do without; these best are compared again from many other places. Looks that are not bred
    follow, matt, the kinds by turns.
    ``tell`` hears how many views were looked at since it was called last.
    """
    gallery = Gallery.of(canvas, encoder, targets, settings, generator, tell)
    palettes = random_palettes(settings.palette_candidates, len(atlas.palette), generator).to(
        atlas.palette.device
    )
    scores = gallery.scores(palettes, gallery.field(atlas, 0).mix())
    finalists = palettes[scores.topk(min(FINALISTS, len(palettes))).indices]
    for_tiles = palettes[best_of_kinds(palettes, scores)]
    found = []
    for number, pattern in enumerate(PATTERNS):
        some, ways = (for_tiles, _ways(settings)) if pattern.tiling else (finalists, 1)
        field = gallery.field(atlas, number)
        found.append(_best_of_pattern(field, gallery, some, ways, generator))
    by_turns = _alternating(sorted(found, key=lambda each: -each.score))
    looks = bred(by_turns, atlas, gallery, settings.palette_candidates, generator)
    firsts, others = best_apart(looks)
    firsts = [_polished(each, atlas, gallery, _steps(settings)) for each in firsts]
    firsts = [_pruned(each, atlas, gallery) for each in firsts]
    return compared(firsts, atlas, gallery.afresh(canvas, settings.views, generator)) + others


def best_of_kinds(palettes: Tensor, scores: Tensor) -> list[int]:
    """Return which of ``palettes`` [P, K, 3] have the best of ``scores`` [P], one of each kind.

    And which are most contrasted: how blotches of black and white score says nothing of stripes.
    """
    return [
        kind + PALETTE_KINDS * int(each[kind::PALETTE_KINDS].argmax())
        for kind in range(min(PALETTE_KINDS, len(palettes)))
        for each in (scores, luminance(palettes).var(1))
    ]


def views_looked_at(settings: StylizationSettings) -> int:
    """Return about how many views `first_looks` shows to the encoder."""
    count = settings.palette_candidates
    tiled = sum(bool(pattern.tiling) for pattern in PATTERNS)
    tried = 2 * min(PALETTE_KINDS, count) * _ways(settings) * tiled
    plain = min(FINALISTS, count) * (len(PATTERNS) - tiled)
    compared = count + tried + plain + palettes_bred(count)
    compared += (AFRESH + _steps(settings) + settings.palette_colours**2) * len(KINDS)
    return compared * (GLOBAL_VIEWS + LOCAL_VIEWS)


def _ways(settings: StylizationSettings) -> int:
    """Return how many ways to paint tiles are tried in a pattern that has any."""
    return max(1, settings.palette_candidates // PALETTES_FOR_WAY)


def _steps(settings: StylizationSettings) -> int:
    """Return how many steps each of the best looks makes along the gradient."""
    return max(1, settings.palette_candidates // PALETTES_FOR_STEP)


def _best_of_pattern(
    field: Field, gallery: Gallery, palettes: Tensor, tried: int, generator: torch.Generator
) -> Look:
    """Return the best look in one pattern, with ``tried`` ways to paint its tiles if it has any."""
    tiled = bool(PATTERNS[field.pattern].tiling)
    ways = draw_tile_paint(tried, palettes.shape[1], generator).to(palettes) * tiled
    scores = torch.stack([gallery.scores(palettes, field.mix(way)) for way in ways])  # [ways, P]
    way, palette = divmod(int(scores.argmax()), len(palettes))
    return Look(field.pattern, palettes[palette], ways[way], score=float(scores.max()))


def _alternating(looks: list[Look]) -> list[Look]:
    """Take the kinds of patterns by turns, the best first: none may crowd out the others."""
    kinds = [[look for look in looks if PATTERNS[look.pattern] in kind] for kind in KINDS]
    kinds.sort(key=lambda kind: -kind[0].score)
    rounds = zip_longest(*kinds)
    return [look for each in rounds for look in each if look is not None]


def best_apart(looks: list[Look]) -> tuple[list[Look], list[Look]]:
    """Return the first look of each of `KINDS`, and all others."""
    others = list(looks)
    firsts = []
    for kind in KINDS:
        at = next(at for at, look in enumerate(others) if PATTERNS[look.pattern] in kind)
        firsts.append(others.pop(at))
    return firsts, others


def _polished(look: Look, atlas: PaletteAtlas, gallery: Gallery, steps: int) -> Look:
    """Return ``look`` in the colours and tile paint to which the gradient leads."""
    field = gallery.field(atlas, look.pattern)

    def score(colours: Tensor, tile_paint: Tensor) -> Tensor:
        return gallery.scores(colours[None], field.mix(tile_paint), look.finish)[0]

    colours, tile_paint = polished(score, look.colours, look.tile_paint, steps)
    return replace(look, colours=colours, tile_paint=tile_paint)


def _pruned(look: Look, atlas: PaletteAtlas, gallery: Gallery) -> Look:
    """Return ``look`` with others in place of the colours that it can do without."""
    mix = gallery.field(atlas, look.pattern).mix(look.tile_paint)
    colours = pruned(lambda some: gallery.scores(some, mix, look.finish), look.colours)
    return replace(look, colours=colours)


def compared(looks: list[Look], atlas: PaletteAtlas, gallery: Gallery) -> list[Look]:
    """Return ``looks`` as ``gallery`` likes them, the best first.

    One of other places: each look suits those that it was bred for a little too well.
    """
    scored = [
        replace(look, score=gallery.score(look, gallery.field(atlas, look.pattern)))
        for look in looks
    ]
    return sorted(scored, key=lambda each: -each.score)


def random_palettes(count: int, colours: int, generator: torch.Generator) -> Tensor:
    """Return ``count`` palettes [count, K, 3] in [0, 1], a quarter of each kind.

    The kinds: from dark over a hue to light, shades of one hue, greys, and anything.
    """
    value = torch.rand(count, colours, generator=generator)
    hue = torch.rand(count, 1, generator=generator).expand(count, colours)
    drift = 0.08 * torch.randn(count, colours, generator=generator)
    full = 0.4 + 0.6 * torch.rand(count, 1, generator=generator)
    ramp = torch.linspace(0.08, 0.95, colours).expand(count, colours)
    peak = (1 - (2 * ramp - 1).square()) * full
    kinds = torch.stack(
        [
            _colour(hue + drift, peak, ramp),
            _colour(hue + drift, full.expand_as(value), 0.1 + 0.85 * value),
            _colour(hue, torch.zeros_like(value), value),
            torch.rand(count, colours, 3, generator=generator),
        ]
    )  # [4, count, K, 3]
    rows = torch.arange(count)
    return kinds[rows % PALETTE_KINDS, rows]


def _colour(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Turn hue, saturation and value [...] in [0, 1] into colours [..., 3]."""
    sectors = (hue[..., None] * 6 + hue.new_tensor([5.0, 3.0, 1.0])) % 6
    chroma = torch.minimum(sectors, 4 - sectors).clamp(0, 1)
    return value[..., None] * (1 - saturation[..., None] * chroma)
