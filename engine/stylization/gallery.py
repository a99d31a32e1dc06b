"""Where first looks are compared: one canvas, a few places to look from, what they should match.

What looks share is computed once: the places, the background, and what the mixing network makes of
each pattern before it has learnt anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..contract.settings import StylizationSettings, StylizationWeights, ViewsSettings
from . import losses
from .atlas import PaletteAtlas
from .basis import BANDS, CELLS, COURSES, Pattern
from .canvas import Canvas
from .encoder import Encoder
from .exam import cosines, evenly, plainly
from .finish import MATT, Finish, bent, powers_and_sheens, under_light
from .looking import Gaze, aim
from .painting import Spread
from .targets import Targets
from .views import draw_views

GLOBAL_VIEWS, LOCAL_VIEWS = 1, 8
AFRESH = 5  # times as many views settle it between the best of each kind
AT_ONCE = 16  # palettes embedded in one call
TURNS = (0.0, 0.25, 0.5, 0.75)
KINDS = (
    tuple(Pattern(bandwidth) for bandwidth in (6.0, 9.0, 14.0)),
    tuple(Pattern(14.0, 0.2, turn) for turn in TURNS),
    (Pattern(9.0, 0.03, crossed=True),),
    tuple(Pattern(3 * tiles, tiling=CELLS, tiles=tiles) for tiles in (3.0, 4.5, 7.0)),
    tuple(Pattern(3 * tiles, tiling=COURSES, tiles=tiles) for tiles in (3.0, 4.5, 7.0)),
    tuple(
        Pattern(3 * tiles, 0.2, turn, tiling=BANDS, tiles=tiles)
        for tiles in (5.0, 8.0)
        for turn in TURNS
    ),
)
PATTERNS = tuple(pattern for kind in KINDS for pattern in kind)


@dataclass(frozen=True)
class Look:
    """A first look: one of `PATTERNS`, colours [K, 3] in [0, 1], their finish and their places."""

    pattern: int
    colours: Tensor
    tile_paint: Tensor  # [K, TILE_FEATURES]
    finish: Finish = MATT
    score: float = float("-inf")

    @torch.no_grad()
    def give(self, atlas: PaletteAtlas) -> None:
        """Let ``atlas`` look like this."""
        atlas.shape_pattern(PATTERNS[self.pattern])
        atlas.set_colours(self.colours)
        atlas.set_tile_paint(self.tile_paint)
        atlas.set_finish(self.finish)


@dataclass(frozen=True)
class Field:
    """One pattern on the canvas, before tiles choose any colour."""

    pattern: int
    outputs: Tensor  # [N, K + 1], of the mixing network
    tiles: Tensor  # [N, TILE_FEATURES]
    atlas: PaletteAtlas

    def mix(self, tile_paint: Tensor | None = None) -> Tensor:
        """Return how much [N, K] of each colour is where, tiles choosing by ``tile_paint``."""
        chosen = 0.0 if tile_paint is None else self.tiles @ tile_paint.T
        return self.atlas.mixed(self.outputs, chosen)


@dataclass(frozen=True)
class Gallery:
    """One canvas on which the looks of one atlas are compared: from which places, with what."""

    spread: Spread  # of the one canvas
    encoder: Encoder
    kinds: list[Gaze]
    background: list[Tensor]  # of each kind, [V, 3, S, S]
    wanted: list[tuple[float, Tensor]]  # of each kind: how much it counts, and what it matches
    unwanted: Tensor | None
    weights: StylizationWeights
    tell: Callable[[int], None]  # hears of each few views that were looked at
    fields: dict[int, Field] = field(default_factory=dict)  # those that were asked for

    @staticmethod
    def of(
        canvas: Canvas,
        encoder: Encoder,
        targets: Targets,
        settings: StylizationSettings,
        generator: torch.Generator,
        tell: Callable[[int], None] = lambda views: None,
    ) -> Gallery:
        """Choose the places and look at the background from them."""
        plain = plainly(settings.views, whole=GLOBAL_VIEWS, close=LOCAL_VIEWS)
        spread = Spread.of([canvas])
        kinds, background = _places(canvas, spread, encoder.size, plain, generator)
        weights = settings.weights
        shares = (weights.global_similarity, weights.local_similarity)
        return Gallery(
            spread, encoder, kinds, background,
            list(zip(shares, targets.average(), strict=True)),
            None if targets.avoid is None else targets.avoid.mean(0),
            weights,
            tell,
        )  # fmt: skip

    def afresh(self, canvas: Canvas, views: ViewsSettings, generator: torch.Generator) -> Gallery:
        """Return the same ``canvas`` seen from `AFRESH` times as many other places."""
        plain = plainly(views, whole=AFRESH * GLOBAL_VIEWS, close=AFRESH * LOCAL_VIEWS)
        kinds, background = _places(canvas, self.spread, self.encoder.size, plain, generator)
        return replace(self, kinds=kinds, background=background)

    def field(self, atlas: PaletteAtlas, pattern: int) -> Field:
        """Return what the mixing network of ``atlas`` makes of one of `PATTERNS`."""
        if pattern not in self.fields:
            atlas.shape_pattern(PATTERNS[pattern])
            features = atlas.features(atlas.places(self.spread.points[:2].T))
            outputs, tiles = atlas.mixer(features), atlas.tiles_of(features)
            self.fields[pattern] = Field(pattern, outputs, tiles, atlas)
        return self.fields[pattern]

    def score(self, look: Look, field: Field) -> float:
        """Return what ``look`` scores in the pattern of ``field``, see `scores`."""
        mix = field.mix(look.tile_paint)
        return float(self.scores(look.colours[None], mix, look.finish))

    def scores(self, palettes: Tensor, mix: Tensor, finish: Finish = MATT) -> Tensor:
        """Return how well ``palettes`` [P, K, 3], mixed like ``mix`` [N, K], match, [P].

        Less what looks like the unwanted, and what is bare or uneven. What is bright bends where
        it is looked at, in the atlas where it is painted: that is not linear in the palette.
        """
        spread = self.spread
        alpha, shading = spread.points[2:4]
        light, highlight = under_light(shading, *powers_and_sheens(*torch.tensor(finish)))
        lit = torch.cat([mix * light[:, None], highlight[:, None], torch.ones_like(mix[:, :1])], 1)
        lit = spread.composed(alpha[:, None] * lit)  # [1, K + 2, H, W]
        with_white = torch.cat([palettes, palettes.new_ones(len(palettes), 1, 3)], 1)
        total = self._matches(with_white, lit)
        coarse = losses.coarser
        if self.weights.bareness:
            share = coarse(spread.alpha)
            painted = bent(_coloured(with_white, coarse(lit[:, :-1])), share)
            bare = losses.bareness(painted, coarse(spread.shown), share)
            total -= self.weights.bareness * bare.mean(1)
        if self.weights.unevenness:
            paint = _coloured(palettes, coarse(spread.composed(alpha[:, None] * mix)))
            uneven = losses.unevenness(paint, coarse(spread.alpha))
            total -= self.weights.unevenness * uneven.mean(1)
        return total

    def _matches(self, palettes: Tensor, pictures: Tensor) -> Tensor:
        """Return how well ``palettes`` [P, C, 3] match, [P].

        ``pictures`` [1, C + 1, H, W] say where each colour is, and where any is.
        """
        total = palettes.new_zeros(len(palettes))
        for gaze, background, (share, wanted) in zip(
            self.kinds, self.background, self.wanted, strict=True
        ):
            views = gaze.read(pictures)[0].transpose(0, 1), background
            embeddings = self._embedded(palettes, views)
            total += share * evenly(cosines(embeddings, wanted))
            if self.unwanted is not None:
                like = cosines(embeddings.mean(1), self.unwanted)
                total -= self.weights.avoid / 2 * like.relu()
        return total

    def _embedded(self, palettes: Tensor, views: tuple[Tensor, Tensor]) -> Tensor:
        """Return the embeddings [P, V, E] of ``views`` in each of ``palettes`` [P, C, 3].

        ``views`` are each colour's part under the light and then that of all of them
        [C + 1, V, S, S], and the background.
        """
        parts, background = views
        share = parts[-1][:, None]
        found = []
        for some in palettes.split(AT_ONCE):
            lit = torch.einsum("pkc,kvyx->pvcyx", some, parts[:-1])
            images = bent(lit, share) + background
            embeddings = self.encoder.embed_images(images.clamp(0, 1).flatten(0, 1))
            found.append(embeddings.unflatten(0, (len(some), -1)))
            self.tell(len(embeddings))
        return torch.cat(found)


def _places(
    canvas: Canvas, spread: Spread, size: int, views: ViewsSettings, generator: torch.Generator
) -> tuple[list[Gaze], list[Tensor]]:
    """Draw where to look from, and look at the background from there."""
    drawn = draw_views(canvas.subject, views, generator)
    kinds = [
        aim([kind.scaled(canvas.scale)], spread.shapes, size, spread.fields.device)
        for kind in drawn
    ]
    nothing = torch.zeros_like(spread.behind[:, :3])
    return kinds, [gaze.seen(nothing, spread.behind)[0] for gaze in kinds]


def _coloured(palettes: Tensor, pictures: Tensor) -> Tensor:
    """Return [P, F, 3, H, W]: ``palettes`` [P, K, 3], mixed as ``pictures`` [F, K, H, W] say."""
    return torch.einsum("pkc,fkyx->pfcyx", palettes, pictures)
