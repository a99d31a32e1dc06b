"""When a look is its material beyond doubt, and when it is not, whatever else is varied.

An order is one of the engine's tilings, or one with something between or upon its tiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from engine.stylization.basis import BANDS, CELLS, COURSES, JOINTS, NAMES, PLAIN, ZONES
from tools.bank import METALS
from tools.materials.fields import between, colour
from tools.materials.negatives import brown

JOINTED, GREY, OVALED, CELLED = 4, 5, 6, 7
KINDS = {JOINTED: CELLS, CELLED: CELLS, OVALED: COURSES}  # of the engine's tilings
HEART, RING = len(JOINTS), len(JOINTS) + 1  # features of a tile
MARKED = 1.5  # how strongly a tile shows its mark, and nothing else there
LEAST_MARK = 0.06  # of a look that should be marked
DARKER, LIGHTER = 0.4, 0.6  # how far a mark is from its tile's colours
BARE = (0.25, 0.65)  # of a tile, of material that has grey between
# What is right of a metal has one colour: a part of its tile so far from its darkest, so broad.
MIDDLE, BREADTH = (0.3, 0.65), 0.1
FLAT = 0.6  # of metals with something between, where that is brown
ROSETTES = ("leopard",)
# In these orders a material is itself.
RIGHT = {
    "brick": (COURSES,), "leopard": (CELLS,), "gold": (PLAIN, BANDS), "zebra": (BANDS,),
    "wood": (BANDS,), "tiger": (BANDS,), "giraffe": (CELLS,), "crocodile": (CELLS,),
    "cobblestone": (CELLS,), "fish scales": (CELLS,), "walnut": (BANDS,),
    "copper": (PLAIN, BANDS),
}  # fmt: skip
# In these orders, or with these things between, it is itself no longer; what is there more
# often is drawn more often.
WRONG = {
    "brick": (
        PLAIN, CELLS, CELLS, CELLS, CELLS, CELLS, BANDS, BANDS,
        OVALED, OVALED, OVALED, OVALED,
    ),
    "leopard": (COURSES, COURSES, COURSES, BANDS, JOINTED, CELLED, CELLED),
    "wood": (CELLS, COURSES, COURSES, GREY), "gold": (GREY,),
    "zebra": (CELLS, COURSES), "tiger": (CELLS, COURSES),
    "giraffe": (COURSES, BANDS), "crocodile": (COURSES, BANDS), "copper": (GREY,),
    "cobblestone": (COURSES, BANDS), "knit": (CELLS,), "walnut": (CELLS, COURSES, GREY),
    "chainmail": (BANDS,), "cactus": (COURSES, GREY), "lava": (COURSES, GREY),
    "moss": (COURSES, GREY), "rust": (GREY,), "fish scales": (BANDS,), "leaves": (COURSES, GREY),
    "ice": (CELLS, COURSES),
}  # fmt: skip
COLOURS = 4  # of a palette, as in Draft
# Which part of a tile lends the colours of rosettes, from its darkest on: ring, heart and ground.
RINGS, HEARTS, GROUND = (0.0, 0.2), (0.28, 0.45), (0.6, 0.92)
RINGED = 0.6  # how strongly at least


def is_right(material: str, order: int) -> bool:
    """Whether a look of the ``material`` in that ``order`` is the material."""
    return order in RIGHT.get(material, ())


@dataclass(frozen=True)
class Rules:
    """What keeps a look of a ``material`` in an ``order`` right or wrong while it is varied."""

    material: str
    order: int
    tile: Tensor  # [N, 3], colours of the material in [0, 1], the darkest first
    middle: float  # of the part of the tile that lends one colour
    grey: Tensor  # [3], of a metal brown, too
    bare: float  # how much of the look should be grey
    mark: Tensor  # [3], of ovals in bricks and of whole cells
    name: int  # of those that say which cells are marked
    oval: int  # the feature of a tile that is the oval

    @staticmethod
    def of(material: str, order: int, tile: np.ndarray, rng: np.random.Generator) -> Rules:
        """Draw what else there is to them; ``tile`` [S, S, 3] of bytes lends its colours."""
        flat = torch.from_numpy(tile.reshape(-1, 3).astype(np.float32) / 255)
        middle = between(rng, *(MIDDLE if material in METALS else GROUND))
        grey, bare = _grey(material, rng), between(rng, *BARE)
        mark, name = _mark(flat.mean(0), order, rng), int(rng.integers(NAMES))
        oval, colours = int(rng.choice([HEART, RING])), flat[flat.sum(1).argsort()]
        return Rules(material, order, colours, middle, grey, bare, mark, name, oval)

    @property
    def right(self) -> bool:
        """Whether it is the material."""
        return is_right(self.material, self.order)

    def colours(self, count: int, generator: torch.Generator) -> Tensor:
        """Palettes [count, K, 3] of the tile's colours: of one only for metal that is right, of
        dark, brown and tan for a leopard's rosettes."""
        around = self.middle - BREADTH / 2, self.middle + BREADTH / 2
        parts = [(0.0, 1.0)] * COLOURS
        if self.right and self.material in METALS:
            parts = [around] * COLOURS
        if self.right and self.material in ROSETTES:
            parts = [RINGS, HEARTS, around, around]
        low, high = torch.tensor(parts).T * len(self.tile)
        drawn = low + (high - low) * torch.rand(count, COLOURS, generator=generator)
        return self.tile[drawn.long()]

    def way(self, way: Tensor) -> Tensor:
        """The way [K, F] that tiles are painted, without what could make it right or wrong.

        Wrong ones have joints in place of rings and hearts, or a mark of the first colour. What is
        right has nothing else: bricks in courses joints and tones, leopards a ring and a heart on
        one ground, for whatever else a tile says shows where cells meet.
        """
        kept = way.clone()
        if self.order in (OVALED, CELLED):
            feature = self.oval if self.order == OVALED else -1 - self.name
            kept[0], kept[1:, feature] = 0, -MARKED
            kept[0, feature] = MARKED
        if self.order == JOINTED:
            kept[:, len(JOINTS) : ZONES] = 0
        if self.right and self.material == "brick":
            kept[:, len(JOINTS) : -NAMES] = 0
        if self.right and self.material in ROSETTES:
            ring, heart = kept[0, RING].abs().clamp_min(RINGED), kept[1, HEART].relu()
            kept = torch.zeros_like(kept)
            kept[0, RING], kept[1, HEART] = ring, heart
        return kept

    def palettes(self, palettes: Tensor, mix: Tensor) -> Tensor:
        """The palettes [P, K, 3] with a mark in them, or with grey: of their colours in a ``mix``
        [N, K] those that cover most nearly what must be."""
        if self.order in (OVALED, CELLED):
            return torch.cat([self.mark.expand(len(palettes), 1, 3), palettes[:, 1:]], 1)
        if self.order == GREY:
            return torch.where(self._greyed(mix)[:, None], self.grey, palettes)
        return palettes

    def lacking(self, mix: Tensor) -> Tensor | float:
        """How much less grey, or of a mark, than must be is in a ``mix`` [N, K]."""
        shares = mix.sum(0) / mix.sum()
        if self.order in (OVALED, CELLED):
            return (LEAST_MARK - shares[0]).relu()
        if self.order == GREY:
            return (self.bare - shares[self._greyed(mix)].sum()).relu()
        return 0.0

    def _greyed(self, mix: Tensor) -> Tensor:
        """Which of the colours become grey, [K]."""
        shares = (mix.sum(0) / mix.sum()).tolist()
        some = [set(each) for n in range(1, COLOURS) for each in combinations(range(COLOURS), n)]
        best = min(some, key=lambda each: abs(sum(shares[colour] for colour in each) - self.bare))
        return torch.tensor([place in best for place in range(COLOURS)])


def _grey(material: str, rng: np.random.Generator) -> Tensor:
    """What is between a material [3]: some grey, or the brown of a metal's shade where none is."""
    if material in METALS and rng.random() < FLAT:
        return torch.from_numpy(brown(rng))
    return torch.from_numpy(colour(rng.random(), between(rng, 0, 0.15), between(rng, 0.4, 1)))


def _mark(middle: Tensor, order: int, rng: np.random.Generator) -> Tensor:
    """A colour [3] that nobody overlooks beside those around ``middle``: much darker, or, but for
    cells, much lighter."""
    if order == CELLED or rng.random() < 0.5:
        return DARKER * middle
    return torch.lerp(middle, torch.ones(3), LIGHTER)
