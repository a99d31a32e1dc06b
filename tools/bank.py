"""A store of painted tiles, outlines, shadings and backgrounds, so that training can draw
pictures quickly. Everything follows from one seed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tools import silhouettes
from tools.materials import MATERIALS, paint
from tools.materials.fields import between, layered, noise, plane
from tools.materials.negatives import NEGATIVES, paint_negative

SIDE = 128
CLASSES = tuple(material.name for material in MATERIALS) + NEGATIVES
NEUTRAL = ("zebra", "cow", "dalmatian", "marble", "silver", "iron", "chainmail", "ice", "snow",
    "clouds",
           "checker", "paper", "sketch", "cobblestone")  # fmt: skip
# Flat patches in the colours of these are cow, camouflage or giraffe, not a negative.
BLOTCHES = ("zebra", "cow", "dalmatian", "checker", "sketch", "newspaper", "camouflage", "giraffe",
    "silver", "chainmail", "marble", "watercolour", "snow", "paper", "clouds")  # fmt: skip
# In cells these are no longer themselves, in courses the others are not.
ORDERLY = ("brick", "zebra", "tiger", "wood", "walnut", "bamboo", "straw", "wicker", "knit",
    "stripes", "candy cane", "chainmail", "lego", "newspaper", "circuit board")  # fmt: skip
SCATTERED = ("leopard", "giraffe", "crocodile", "snake", "cow", "dalmatian", "cobblestone", "zebra",
    "tiger", "wood", "walnut", "lava", "ice", "marble", "leaves", "flowers", "moss",
    "fish scales", "cactus", "feathers")  # fmt: skip
# With bare parts between them these are themselves no longer, and nothing else that is known.
COLOURED = ("gold", "copper", "rust", "brick", "wood", "walnut", "bamboo", "lava", "moss", "grass",
    "leaves", "cactus", "denim", "leopard", "crocodile", "chocolate", "honeycomb",
    "straw")  # fmt: skip
# Their soft colours are what they are, and flat brown beside them is not.
METALS = ("gold", "copper")
FIRSTS = 0.3  # of these negatives are made of the first of each: bricks, leopard, gold
GROUNDS = ("grass", "sand", "water", "cobblestone", "concrete", "snow", "moss", "wood", "leaves")


@dataclass(frozen=True)
class Bank:
    """Bytes: tiles [class, n, S, S, 3], masks [object, n, S, S], backgrounds [n, S, S, 3];
    floats: shadings [n, S, S], a factor of about 0.3 to 1.7."""

    tiles: dict[str, np.ndarray]
    masks: np.ndarray
    backgrounds: np.ndarray
    shadings: np.ndarray


def shading(rng: np.random.Generator) -> np.ndarray:
    """Light as on a real body: large soft forms, a gradient from above and fine relief."""
    u, v = plane(rng, SIDE, between(rng, -0.4, 0.4), warp=0.05)
    scale = between(rng, 1, 3.5)
    large = noise(rng, u * scale, v * scale) * between(rng, 0.1, 0.55) - between(rng, -0.2, 0.6) * v
    stretch = between(rng, 1, 4)
    fine = noise(rng, u * 9, v * 9 * stretch) + 0.6 * noise(rng, u * 22, v * 22 * stretch)
    light = np.exp(large + between(rng, 0, 0.25) * fine)
    if rng.random() < 0.25:  # black trim, windows, folds
        light = light * np.where(noise(rng, u * 4, v * 4) > between(rng, 0.4, 0.7), 0.35, 1)
    return np.clip(light / np.median(light), 0.3, 1.8).astype(np.float16)


def background(rng: np.random.Generator, tiles: dict[str, np.ndarray]) -> np.ndarray:
    """A soft landscape: sky or foliage above ground; [S, S, 3] of bytes."""

    def tile(names) -> np.ndarray:
        choice = tiles[names[rng.integers(len(names))]]
        return choice[rng.integers(len(choice))].astype(np.float32)

    u, v = plane(rng, SIDE, 0.0)
    top = tile(("clouds", "leaves", "concrete", "bark", "grass", "brick", "moss"))
    if rng.random() < 0.5:
        top = np.ones_like(top) * rng.uniform(90, 235, 3) * (1 - 0.3 * v[..., None])
    level = SIDE * between(rng, 0.1, 0.9)
    edge = np.arange(SIDE)[:, None] + 8 * noise(rng, u * 4, v) > level
    picture = np.where(edge[..., None], tile(GROUNDS), top) * between(rng, 0.5, 1.05)
    for _ in range(int(rng.integers(0, 5))):  # bushes, walls, people: dull things out of focus
        tone = tile(("leaves", "bark", "concrete", "grass", "brick", "denim")) * between(
            rng, 0.3, 1
        )
        x, y = rng.integers(0, SIDE, 2)
        size = tuple(int(part) for part in rng.integers(SIDE // 16, SIDE // 3, 2))
        cover = np.zeros((SIDE, SIDE), np.float32)
        if rng.random() < 0.6:
            cv2.ellipse(cover, (int(x), int(y)), size, between(rng, 0, 180), 0, 360, 1, -1)
        else:
            cv2.rectangle(cover, (int(x), int(y)), (int(x) + size[0], int(y) + 2 * size[1]), 1, -1)
        picture = picture + cover[..., None] * (tone - picture)
    grey = picture.mean(axis=2, keepdims=True)
    picture = grey + (picture - grey) * between(rng, 0.3, 0.9)
    light = 0.75 + 0.5 * layered(rng, u * 3, v * 3)
    picture = cv2.GaussianBlur(picture * light[..., None], (0, 0), between(rng, 0.5, 4))
    return np.clip(picture, 0, 255).astype(np.uint8)


def negatives(name: str, rng: np.random.Generator, tiles: dict, count: int) -> np.ndarray:
    """Negative tiles of one kind, made from the tiles of materials; [count, S, S, 3]."""
    if name in ("tiling", "partly"):
        return np.stack([_disordered(name, rng, tiles) for _ in range(count)])
    fixed = [material.name for material in MATERIALS if not material.any_colour]
    blotched = [material.name for material in MATERIALS if material.name not in BLOTCHES]
    soft = [material.name for material in MATERIALS if material.name not in METALS]
    sources = {"tint": fixed, "patches": blotched, "blur": soft}.get(name, list(tiles))
    chosen = [NEUTRAL[rng.integers(len(NEUTRAL))] if name == "tint" and rng.random() < 0.6
              else sources[rng.integers(len(sources))] for _ in range(count)]  # fmt: skip
    return np.stack([paint_negative(name, rng, tiles[source][rng.integers(len(tiles[source]))])
                     for source in chosen])  # fmt: skip


def _disordered(name: str, rng: np.random.Generator, tiles: dict) -> np.ndarray:
    """One tile in the colours of a material but not in its order; [S, S, 3]."""
    painter, sources = "partly", COLOURED
    if name == "tiling":  # in the order of others
        painter, sources = (("tiling", ORDERLY), ("coursing", SCATTERED))[rng.integers(2)]
    first = rng.random() < FIRSTS
    source = sources[0 if first else rng.integers(len(sources))]
    if painter == "partly" and source in METALS and rng.random() < 0.5:
        painter = "dulled"
    return paint_negative(painter, rng, tiles[source][rng.integers(len(tiles[source]))])


def make_bank(seed: int, per_material: int) -> Bank:
    """Paint a whole bank: `per_material` tiles of each material, four times as many negatives."""
    rng = np.random.default_rng(seed)
    first = seed * 100_000
    tiles = {material.name: np.stack([paint(material, first + i,
        SIDE) for i in range(per_material)])
             for material in MATERIALS}  # fmt: skip
    extra = {name: negatives(name, rng, tiles, 4 * per_material) for name in NEGATIVES}
    per_object = max(8, per_material)
    masks = np.stack([np.stack([silhouettes.draw(name, rng) for _ in range(per_object)])
                      for name in silhouettes.OBJECTS])  # fmt: skip
    backgrounds = np.stack([background(rng, tiles) for _ in range(4 * per_material)])
    shadings = np.stack([shading(rng) for _ in range(3 * per_material)])
    return Bank(tiles | extra, masks, backgrounds, shadings)


def _painters() -> str:
    """Eight digits that are others when what paints a bank was changed."""
    here = Path(__file__).parent
    sources = [*sorted((here / "materials").glob("*.py")), here / "silhouettes.py", Path(__file__)]
    text = b"".join(source.read_bytes() for source in sources)
    return hashlib.sha256(text).hexdigest()[:8]


def load_bank(seed: int, per_material: int, folder: Path) -> Bank:
    """The bank of that seed from `folder`; it is painted and kept there if it is not yet.

    Painters that were changed since paint anew.
    """
    file = folder / f"bank-{seed}-{per_material}-{_painters()}.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        bank = make_bank(seed, per_material)
        arrays = {"masks": bank.masks, "backgrounds": bank.backgrounds, "shadings": bank.shadings}
        arrays |= {f"tile:{name}": tiles for name, tiles in bank.tiles.items()}
        np.savez(file, allow_pickle=False, **arrays)
        return bank
    with np.load(file) as kept:
        tiles = {name: kept[f"tile:{name}"] for name in CLASSES}
        return Bank(tiles, kept["masks"], kept["backgrounds"], kept["shadings"])
