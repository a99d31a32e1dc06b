"""What the search for a first look paints: liked by an encoder, and known to be right or wrong.

Bricks in courses and in bands, leopards in cells and in courses, gold with grey between: the
engine's own patterns, varied until the encoder takes them for the material. `train_encoder --again`
learns which of them are.
"""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.stylization.atlas import AtlasFrame, PaletteAtlas
from engine.stylization.basis import BANDS, PLAIN, Pattern, draw_tile_paint
from engine.stylization.breeding import varied_palettes, varied_ways
from engine.stylization.finish import FINISHES, bent, powers_and_sheens, under_light
from engine.stylization.gallery import Field
from engine.stylization.polish import polished
from engine.stylization.shading import ShadingStatistics
from engine.workspace import digest_of_file
from tools.bank import METALS, Bank
from tools.export import NAME, load
from tools.materials.fields import between
from tools.rules import COLOURS, GREY, KINDS, RIGHT, WRONG, Rules, is_right
from tools.score import embed_images, text_anchors

SIDE = 128
FIRST_WAYS, FIRST_PALETTES = 16, 4
ROUNDS, PALETTES, WAYS = 4, 8, 6
STEPS = 12  # along the gradient, of what varying found
LACKING = 2.0  # of a cosine, for all of a look that should be grey or marked and is not
UNLISTED = -1  # a pattern that is none of the search's
FIRSTS = ("brick", "brick", "leopard", "gold", "wood")
FOR_FIRSTS = 0.7
FOR_RIGHT = 0.4
LEAST = 100  # painted tiles that are kept beside them
PER_MATERIAL = 40  # tiles that lend their colours
SHADINGS = 100  # the softest shine on metals
SOFT = (0.45, 1.5)  # light that leaves neither black nor white of a metal


def wall(order: int, rng: np.random.Generator, generator: torch.Generator) -> Field:
    """A plane [SIDE, SIDE] of that order, of random size and turn, before tiles choose colours."""
    kind = (KINDS | {GREY: int(rng.choice([PLAIN, PLAIN, BANDS]))}).get(order, order)
    count, turn = between(rng, 3, 8), between(rng, 0, 1)
    spread = float(rng.choice([0.2, 1.0])) if kind == PLAIN else 0.2
    bandwidth = between(rng, 5, 14) if kind == PLAIN else 3 * count
    frame, light = AtlasFrame((0.0, 0.0), (1.0, 1.0)), ShadingStatistics(0.5, 1.0)
    atlas = PaletteAtlas(frame, light, colours=COLOURS, generator=generator)
    atlas.shape_pattern(Pattern(bandwidth, spread, turn, tiling=kind, tiles=count))
    line = (torch.arange(SIDE) + 0.5) / SIDE * between(rng, 0.8, 1.4)
    down, across = torch.meshgrid(line, line, indexing="ij")
    features = atlas.features(torch.stack([across, down], 2).flatten(0, 1))
    return Field(UNLISTED, atlas.mixer(features), atlas.tiles_of(features), atlas)


@dataclass(frozen=True)
class Light:
    """What falls on a wall: ``factor`` [N], and ``highlight`` [N] laid over its paint."""

    factor: Tensor
    highlight: Tensor

    @staticmethod
    def on_metal(shading: np.ndarray, rng: np.random.Generator, *, right: bool) -> "Light":
        """A ``shading`` [SIDE, SIDE] as one of the engine's finishes answers it; where metal is
        ``right``, one without broad white highlights."""
        finishes = [each for each in FINISHES if not right or each.sheen < 0]
        finish = torch.tensor(finishes[rng.integers(len(finishes))])
        answer = under_light(torch.from_numpy(shading.astype(np.float32).reshape(-1)),
                             *powers_and_sheens(*finish))  # fmt: skip
        return Light(*answer)

    def on(self, paint: Tensor) -> Tensor:
        """``paint`` [P, 3, N] in this light."""
        return bent(paint * self.factor + self.highlight)


@torch.no_grad()
def lookalike(
    clip: Any,
    anchor: Tensor,
    tile: np.ndarray,
    name: str,
    order: int,
    rng: np.random.Generator,
    light: Light | None = None,
) -> tuple[np.ndarray, float]:
    """One look [SIDE, SIDE, 3] of bytes that an encoder takes for the material of that name, in
    the colours of its ``tile``, and its cosine with ``anchor`` [E]."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    field = wall(order, rng, generator)
    rules = Rules.of(name, order, tile, rng)

    def pictures(palettes: Tensor, mix: Tensor) -> Tensor:
        mixed = torch.einsum("nk,pkc->pcn", mix, rules.palettes(palettes, mix))
        lit = mixed if light is None else light.on(mixed)
        return lit.clamp(0, 1).unflatten(2, (SIDE, SIDE))

    def scores(palettes: Tensor, way: Tensor) -> Tensor:
        mix = field.mix(rules.way(way))
        return matches(clip, anchor, pictures(palettes, mix)) - LACKING * rules.lacking(mix)

    def others(palette: Tensor) -> Tensor:
        if rules.right:  # its colours stay its tile's: others could be wrong
            return rules.colours(PALETTES, generator)
        return varied_palettes(palette, PALETTES, generator)

    palettes = rules.colours(FIRST_PALETTES, generator)
    ways = draw_tile_paint(FIRST_WAYS, COLOURS, generator)
    palette, way = _bred(palettes, ways, scores, others, generator)

    def shown(colours: Tensor) -> Tensor:
        return (palette if rules.right else colours)[None]

    colours, way = polished(lambda some, way: scores(shown(some), way)[0], palette, way, STEPS)
    picture = pictures(shown(colours), field.mix(rules.way(way)))
    best = float(matches(clip, anchor, picture))
    return (picture[0].permute(1, 2, 0) * 255 + 0.5).byte().numpy(), best


def _bred(
    palettes: Tensor,
    ways: Tensor,
    scores: Callable[[Tensor, Tensor], Tensor],
    others: Callable[[Tensor], Tensor],
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """The palette [K, 3] and the way [K, F] of the best score after `ROUNDS`, by turns of `others`
    of the best palette and of varied ways."""
    best, palette, way = float("-inf"), palettes[0], ways[0]
    for turn in range(1 + ROUNDS):
        for tried in ways:
            found = scores(palettes, tried)
            top = int(found.argmax())
            if float(found[top]) > best:
                best, palette, way = float(found[top]), palettes[top], tried
        if turn % 2:
            palettes, ways = palette[None], varied_ways(way, WAYS, generator)
        else:
            palettes, ways = others(palette), way[None]
    return palette, way


def matches(clip: Any, anchor: Tensor, pictures: Tensor) -> Tensor:
    """Mean cosine [P] with ``anchor`` [E] of pictures [P, 3, SIDE, SIDE], whole and in quarters."""
    half = SIDE // 2
    quarters = [pictures[..., y : y + half, x : x + half] for y in (0, half) for x in (0, half)]
    views = torch.stack([functional.avg_pool2d(pictures, 2), *quarters], 1)
    seen = embed_images(clip, views.flatten(0, 1)).unflatten(0, views.shape[:2])
    return (seen @ anchor).mean(1)


@dataclass(frozen=True)
class Lookalikes:
    """Looks [n, SIDE, SIDE, 3] of bytes, the material and order of each, its cosine [n]."""

    pictures: np.ndarray
    names: np.ndarray
    orders: np.ndarray
    scores: np.ndarray

    def among(self, bank: Bank) -> Bank:
        """The bank with these in their classes, beside as many painted tiles, or `LEAST`."""
        shown = [
            name if is_right(name, order) else "partly" if order == GREY else "tiling"
            for name, order in zip(self.names, self.orders, strict=True)
        ]
        tiles = dict(bank.tiles)
        for kind in set(shown):
            found = self.pictures[np.array(shown) == kind]
            tiles[kind] = np.concatenate([tiles[kind][: max(len(found), LEAST)], found])
        return replace(bank, tiles=tiles)


def find_lookalikes(folder: Path, bank: Bank, count: int, seed: int) -> Lookalikes:
    """What the encoder in ``folder`` takes for materials in the colours of the bank's tiles.

    Each follows from the seed and its number; all processors work on them.
    """
    share = {name: bank.tiles[name][:PER_MATERIAL] for name in WRONG}
    is_hard = (bank.shadings < SOFT[0]) | (bank.shadings > SOFT[1])
    lights = bank.shadings[is_hard.mean(axis=(1, 2)).argsort()[:SHADINGS]]
    workers = os.cpu_count() or 1
    found = _started(
        [
            (_some, folder, share, lights, range(first, count, workers), seed)
            for first in range(workers)
        ]
    )
    rows = sorted((row for rows in found for row in rows), key=lambda row: row[0])
    _, names, orders, pictures, scores = zip(*rows, strict=True)
    return Lookalikes(np.stack(pictures), np.array(names), np.array(orders), np.array(scores))


def load_lookalikes(folder: Path, bank: Bank, count: int, seed: int, kept: Path) -> Lookalikes:
    """The same from ``kept``; they are looked for and kept there if they are not yet."""
    weights = digest_of_file(folder / f"{NAME}.safetensors")[:8]
    file = kept / f"lookalikes-{seed}-{count}-{weights}.npz"
    if not file.exists():
        found = find_lookalikes(folder, bank, count, seed)
        np.savez(file, allow_pickle=False, **asdict(found))
        return found
    with np.load(file) as parts:
        return Lookalikes(**{field.name: parts[field.name] for field in fields(Lookalikes)})


def _started(jobs: list[tuple]) -> list[list[tuple]]:
    """What each of the functions returns for its arguments, one process for each."""
    context = multiprocessing.get_context("spawn")  # PyTorch's threads do not outlive a fork
    with ProcessPoolExecutor(len(jobs), mp_context=context) as pool:
        return [each.result() for each in [pool.submit(*job) for job in jobs]]


@torch.no_grad()
def _some(
    folder: Path,
    tiles: dict[str, np.ndarray],
    shadings: np.ndarray,
    numbers: range,
    seed: int,
) -> list[tuple]:
    """Those of these numbers: number, material, order, picture and cosine."""
    torch.set_num_threads(1)
    clip, tokenizer = load(folder)
    names = tuple(WRONG)
    anchors = dict(zip(names, text_anchors(clip, tokenizer, names), strict=True))
    rows = []
    for number in numbers:
        rng = np.random.default_rng((seed, number))
        chosen = FIRSTS if rng.random() < FOR_FIRSTS else names
        name = chosen[rng.integers(len(chosen))]
        right = name in RIGHT and rng.random() < FOR_RIGHT
        order = int(rng.choice((RIGHT if right else WRONG)[name]))
        tile = tiles[name][rng.integers(len(tiles[name]))]
        light = None
        if name in METALS:
            shading = shadings[rng.integers(len(shadings))]
            light = Light.on_metal(shading, rng, right=right)
        found = lookalike(clip, anchors[name], tile, name, order, rng, light)
        rows.append((number, name, order, *found))
    return rows
