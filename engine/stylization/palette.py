"""The first look of the palette atlas: random palettes and patterns, compared by the encoder.

From a flat start the gradient of a small encoder is almost nothing; one look at many palettes
puts the optimiser into the right valley. Nothing is learnt here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest

import torch
from torch import Tensor
from torch.nn import functional

from ..contract.settings import StylizationSettings
from .atlas import PaletteAtlas
from .basis import CELLS, COURSES, Pattern, draw_tile_paint
from .canvas import Canvas, compose, painted_mask
from .encoder import Encoder
from .targets import Targets
from .views import Views, draw_views, look

GLOBAL_VIEWS, LOCAL_VIEWS = 2, 6
AT_ONCE = 16  # palettes embedded in one call
FINALISTS = 6  # palettes that are tried with every pattern
FEW = 3  # of them, where there are as many ways to paint tiles
PALETTES_FOR_WAY = 9  # for so many palettes one way to paint tiles is tried in every tiling
TURNS = (0.0, 0.25, 0.5, 0.75)
KINDS = (
    tuple(Pattern(bandwidth) for bandwidth in (6.0, 9.0, 14.0)),
    tuple(Pattern(bandwidth, 0.2, turn) for bandwidth in (9.0, 14.0) for turn in TURNS),
    tuple(Pattern(bandwidth, 0.03, crossed=True) for bandwidth in (9.0, 14.0)),
    tuple(Pattern(3 * tiles, tiling=CELLS, tiles=tiles) for tiles in (3.0, 4.5, 7.0)),
    tuple(Pattern(3 * tiles, tiling=COURSES, tiles=tiles) for tiles in (3.0, 4.5, 7.0)),
)
PATTERNS = tuple(pattern for kind in KINDS for pattern in kind)


@dataclass(frozen=True)
class Look:
    """A first look: one of `PATTERNS`, colours [K, 3] in [0, 1] and how tiles choose them."""

    pattern: int
    colours: Tensor
    tile_paint: Tensor  # [K, TILE_FEATURES]

    @torch.no_grad()
    def give(self, atlas: PaletteAtlas) -> None:
        """Let ``atlas`` look like this."""
        atlas.shape_pattern(PATTERNS[self.pattern])
        atlas.set_colours(self.colours)
        atlas.set_tile_paint(self.tile_paint)


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
    """Return the looks that ``encoder`` likes best on ``canvas``, each in a pattern of its own.

    ``tell`` hears how many views were looked at since it was called last.

    All palettes are compared in blotches, then the best few of them in every pattern. Blotches,
    stripes, lattices, cells and courses take turns, the best of each first.
    """
    palettes = random_palettes(settings.palette_candidates, len(atlas.palette), generator).to(
        atlas.palette.device
    )
    looks = replace(settings.views, global_views=GLOBAL_VIEWS, local_views=LOCAL_VIEWS)
    views = draw_views(canvas.subject, looks, generator)
    kinds = [kind.scaled(canvas.scale) for kind in views]
    weights = settings.weights
    shares = (weights.global_similarity, weights.local_similarity)
    unwanted = None if targets.avoid is None else targets.avoid.mean(0)

    def scores(some: Tensor) -> Tensor:
        total = some.new_zeros(len(some))
        for kind, share, wanted in zip(kinds, shares, targets.average(), strict=True):
            seen = _embedded(some, _separated(atlas, canvas, kind, encoder.size), encoder, tell)
            total += share * functional.cosine_similarity(seen, wanted[None])
            if unwanted is not None:
                like = functional.cosine_similarity(seen, unwanted[None])
                total -= weights.avoid / 2 * like.relu()
        return total

    finalists = palettes[scores(palettes).topk(min(FINALISTS, len(palettes))).indices]
    found: list[tuple[float, Look]] = []
    for number, pattern in enumerate(PATTERNS):
        atlas.shape_pattern(pattern)
        ways = draw_tile_paint(_ways(pattern, settings), len(atlas.palette), generator)
        best: tuple[float, Look] | None = None
        for way in ways.to(palettes) * bool(pattern.tiling):
            atlas.set_tile_paint(way)
            each = scores(finalists[: _tried(pattern)])
            top = int(each.argmax())
            if best is None or float(each[top]) > best[0]:
                best = float(each[top]), Look(number, finalists[top], way)
        assert best is not None
        found.append(best)
    order = sorted(range(len(found)), key=lambda at: -found[at][0])
    return [found[at][1] for at in _alternating(order)]


def views_looked_at(settings: StylizationSettings) -> int:
    """Return how many views `first_looks` shows to the encoder."""
    finalists = min(FINALISTS, settings.palette_candidates)
    again = sum(_ways(each, settings) * min(_tried(each), finalists) for each in PATTERNS)
    return (settings.palette_candidates + again) * (GLOBAL_VIEWS + LOCAL_VIEWS)


def _ways(pattern: Pattern, settings: StylizationSettings) -> int:
    """Return how many ways to paint its tiles are tried in a pattern."""
    return max(1, settings.palette_candidates // PALETTES_FOR_WAY) if pattern.tiling else 1


def _tried(pattern: Pattern) -> int:
    """Return how many of the finalists are tried in a pattern, for each way."""
    return FEW if pattern.tiling else FINALISTS


def _alternating(order: list[int]) -> list[int]:
    """Take the kinds of patterns by turns, the best first: none may crowd out the others."""
    kinds = [[at for at in order if PATTERNS[at] in kind] for kind in KINDS]
    rounds = zip_longest(*kinds)
    return [pattern for each in rounds for pattern in each if pattern is not None]


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
    return kinds[rows % 4, rows]


def _colour(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Turn hue, saturation and value [...] in [0, 1] into colours [..., 3]."""
    sectors = (hue[..., None] * 6 + hue.new_tensor([5.0, 3.0, 1.0])) % 6
    chroma = torch.minimum(sectors, 4 - sectors).clamp(0, 1)
    return value[..., None] * (1 - saturation[..., None] * chroma)


def _embedded(
    palettes: Tensor,
    views: tuple[Tensor, Tensor],
    encoder: Encoder,
    tell: Callable[[int], None],
) -> Tensor:
    """Return the mean embeddings [P, E] of ``views`` in each of ``palettes`` [P, K, 3]."""
    parts, background = views
    means = []
    for some in palettes.split(AT_ONCE):
        images = torch.einsum("pkc,kvyx->pvcyx", some, parts) + background
        embeddings = encoder.embed_images(images.clamp(0, 1).flatten(0, 1))
        means.append(embeddings.unflatten(0, (len(some), -1)).mean(1))
        tell(len(embeddings))
    return torch.cat(means)


def _separated(
    atlas: PaletteAtlas, canvas: Canvas, views: Views, size: int
) -> tuple[Tensor, Tensor]:
    """Views of each colour's part under the light [K, V, S, S], and of the background."""
    mask = painted_mask(canvas)
    fields = canvas.fields[:, mask]
    parts = atlas.mix(fields[:2].T).T * (fields[2] * fields[3])  # [K, N]
    nothing = canvas.fields.new_zeros(len(fields[0]), 3)
    background = look(compose(canvas, mask, nothing), views, size)
    seen = [
        look(compose(canvas, mask, part[:, None].expand(-1, 3)), views, size) - background
        for part in parts
    ]
    return torch.stack(seen)[:, :, 0], background
