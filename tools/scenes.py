"""Training pictures: a material that fills the view, part of an object or a whole object, with
light and shade like those in a video. Knows no text."""

from dataclasses import dataclass

import cv2
import numpy as np

from tools import colours
from tools.bank import CLASSES, NEGATIVES, SIDE, Bank
from tools.materials import MATERIALS
from tools.silhouettes import OBJECTS

NOTHING = -1
TOO_DARK = 0.65
ANY_COLOUR = {material.name for material in MATERIALS if material.any_colour}
# What colour does not give away is harder to learn, and so is what differs by its shades of white.
HARD = ("zebra", "cow", "dalmatian", "marble", "concrete", "snow", "silver", "paper", "sketch",
    "newspaper", "checker", "circuit board")  # fmt: skip
CHANCES = np.array([1.7 if material.name in ANY_COLOUR or material.name in HARD else 1.0
                    for material in MATERIALS])  # fmt: skip
CHANCES /= CHANCES.sum()


@dataclass(frozen=True)
class Recipe:
    """How often which kind of view is drawn and how hard it is made.

    `even` draws all materials equally often, as a measurement should; else hard ones more often.
    """

    full: float = 0.42
    part: float = 0.2
    negative: float = 0.12
    recolour: float = 0.4
    noise: float = 0.05
    dark: float = 0.35
    even: bool = False


@dataclass(frozen=True)
class Scene:
    """One picture [S, S, 3] of floats in [0,
    1] and what it shows; NOTHING where it says nothing."""

    picture: np.ndarray
    material: int
    colour: int
    thing: int


def window(rng, side: int, source: float, turn: float, centre=(0.5, 0.5)) -> np.ndarray:
    """Affine matrix [2, 3] that takes output pixels to tile pixels; `source` is the part of the
    tile that the view spans."""
    zoom = source * SIDE / side
    skew = rng.normal(0, 0.12, 2)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = zoom * rotation @ np.array([[1 + skew[0], skew[1]], [0, 1 - skew[0]]])
    shift = np.array(centre) * SIDE - matrix @ np.array([side / 2, side / 2])
    return np.concatenate([matrix, shift[:, None]], axis=1)


def warp(picture: np.ndarray, matrix: np.ndarray, side: int, border=cv2.BORDER_REFLECT_101):
    """The picture seen through the window; [side, side, ...] of floats."""
    source = picture.astype(np.float32)
    zoom = abs(np.linalg.det(matrix[:, :2])) ** 0.5
    if zoom > 1.25:
        source = cv2.GaussianBlur(source, (0, 0), 0.45 * zoom)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(source, matrix, (side, side), flags=flags, borderMode=border)


def surface(rng, bank: Bank, recipe: Recipe) -> tuple[np.ndarray, int, int]:
    """A tile [S, S, 3] of bytes, its class and its colour."""
    if rng.random() < recipe.negative:
        name = NEGATIVES[rng.integers(len(NEGATIVES))]
    else:
        chances = None if recipe.even else CHANCES
        name = MATERIALS[rng.choice(len(MATERIALS), p=chances)].name
    tiles = bank.tiles[name]
    tile = tiles[rng.integers(len(tiles))]
    if name in NEGATIVES:
        return tile, CLASSES.index(name), colours.UNNAMED
    if name in ANY_COLOUR and rng.random() < recipe.recolour:
        colour = int(rng.integers(len(colours.NAMES)))
        return colours.recoloured(tile, colours.NAMES[colour], rng), CLASSES.index(name), colour
    return tile, CLASSES.index(name), colours.name_colour(tile)


def shade(rng, bank: Bank, side: int) -> np.ndarray:
    """A light factor [side, side, 1] as natural relief and lamps give it."""
    shading = bank.shadings[rng.integers(len(bank.shadings))]
    place = window(rng, side, rng.uniform(0.4, 1), rng.normal(0, 0.4), rng.uniform(0.3, 0.7, 2))
    light = warp(shading, place, side)
    return (1 + rng.uniform(0.3, 1) * (light - 1))[..., None]


def lighting(rng, picture: np.ndarray, recipe: Recipe, exposure: float) -> np.ndarray:
    """Exposure, contrast, a very small colour cast, blur and noise; [S, S, 3] in [0, 1]."""
    picture = picture * exposure * (1 + rng.normal(0, 0.015, 3))
    picture = (picture - 0.5) * rng.uniform(0.85, 1.12) + 0.5
    if rng.random() < 0.35:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.3))
    amount = recipe.noise * rng.random()
    picture = picture + amount * rng.standard_normal(picture.shape, dtype=np.float32)
    return np.clip(picture, 0, 1).astype(np.float32)


def object_window(rng, mask: np.ndarray, side: int, *, whole: bool) -> np.ndarray:
    """A window on the object's mask: its box with a margin, as a job crops it, or part of it."""
    x, y, width, height = cv2.boundingRect(mask)
    middle = np.array([x + width / 2, y + height / 2]) / SIDE
    source = max(width, height) / SIDE * rng.uniform(0.95, 1.35)
    if not whole:
        source *= rng.uniform(0.25, 0.65)
    centre = middle + rng.normal(0, 0.04 if whole else 0.14, 2)
    return window(rng, side, source, rng.normal(0, 0.12), centre)


def cut_out(rng, bank: Bank, side: int, *, whole: bool) -> tuple[np.ndarray, int]:
    """Cover [side, side, 1] in [0, 1] of a random object in the view, and which object it is."""
    thing = int(rng.integers(len(OBJECTS)))
    masks = bank.masks[thing]
    mask = masks[rng.integers(len(masks))]
    for _ in range(4):
        place = object_window(rng, mask, side, whole=whole)
        cover = warp(mask, place, side, cv2.BORDER_CONSTANT)[..., None] / 255
        if cover.mean() > (0.1 if whole else 0.33):
            break
    return cover, thing


def behind(rng, bank: Bank, side: int) -> np.ndarray:
    """What is behind the object: black, one colour or a landscape; [side, side, 3]."""
    kind = rng.random()
    if kind < 0.3:
        return np.zeros((side, side, 3), np.float32)
    if kind < 0.45:
        return np.ones((side, side, 3), np.float32) * rng.random(3, dtype=np.float32)
    picture = bank.backgrounds[rng.integers(len(bank.backgrounds))]
    return (
        warp(picture, window(rng, side, rng.uniform(0.5, 1), 0.0, rng.uniform(0.4, 0.6, 2)), side)
        / 255
    )


def look(rng, tile: np.ndarray, side: int, *, whole: bool) -> np.ndarray:
    """A view [side, side, 3] of a tile of bytes that is not by chance in one spot or gap of it."""
    picture, spread = tile, 0.5 * float(tile.std())
    for _ in range(4):
        span = rng.uniform(0.35, 0.95) if whole else rng.uniform(0.27, 0.9)
        place = window(rng, side, span, rng.normal(0, 0.35), rng.uniform(0.25, 0.75, 2))
        picture = warp(tile, place, side)
        if picture.std() > spread:
            break
    return picture / 255


def draw_scene(rng: np.random.Generator, bank: Bank, recipe: Recipe, side: int) -> Scene:
    """One random scene."""
    tile, material, colour = surface(rng, bank, recipe)
    kind = rng.random()
    full, whole = kind < recipe.full, kind >= recipe.full + recipe.part
    picture = look(rng, tile, side, whole=whole)
    if rng.random() < 0.75:
        picture = picture * shade(rng, bank, side)
    thing = NOTHING
    if not full:
        cover, found = cut_out(rng, bank, side, whole=whole)
        picture = picture * cover + behind(rng, bank, side) * (1 - cover)
        thing = found if whole else NOTHING
    exposure = rng.uniform(0.45, 0.85) if rng.random() < recipe.dark else rng.uniform(0.8, 1.15)
    if exposure < TOO_DARK:  # brown or orange, white or grey: nobody could tell
        colour = colours.UNNAMED
    return Scene(lighting(rng, picture, recipe, exposure), material, colour, thing)


def draw_batch(rng, bank: Bank, recipe: Recipe, count: int, side: int):
    """`count` scenes: pictures [count, 3, side, side] and labels [count, 3] (material, colour,
    thing)."""
    scenes = [draw_scene(rng, bank, recipe, side) for _ in range(count)]
    pictures = np.stack([scene.picture for scene in scenes]).transpose(0, 3, 1, 2)
    labels = np.array([(scene.material, scene.colour, scene.thing) for scene in scenes])
    return np.ascontiguousarray(pictures), labels
