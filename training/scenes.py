"""Training pictures: crops of photographs, and materials as surfaces of things in some light."""

from dataclasses import dataclass

import cv2
import numpy as np

from training import colours
from training.photographs import Photographs
from training.surfaces import ANY_COLOUR, NAMES, Surfaces

NOTHING = -1
SIDE = 128  # of the pictures that the student sees
TEACHER_SIDE = 192  # of those photographs whose classes the teacher tells
FULL, PART = 0.45, 0.2  # how often a material fills the view, or lies on a part of a thing
RECOLOURED = 0.4  # how often a material that may have any colour gets one
TONED = 0.15  # how often a surface is a photograph in the shades of one colour
CUT_OUT = 0.15  # how often a photograph is seen through an outline, on black or plain colour


@dataclass(frozen=True)
class Batch:
    """Photographs first. ``pictures`` [B, 3, S, S] and ``sharp`` [P, 3, R, R] floats in [0, 1].

    ``sharp`` are the photographs again, larger. ``materials`` and ``colours`` [B] are labels,
    NOTHING where there is none.
    """

    pictures: np.ndarray
    sharp: np.ndarray
    materials: np.ndarray
    colours: np.ndarray


def draw_batch(
    rng: np.random.Generator, photographs: Photographs, surfaces: Surfaces, counts: tuple[int, int]
) -> Batch:
    """Draw as many photographs and scenes of materials as ``counts`` say."""
    sharp = [photograph(rng, photographs, surfaces, TEACHER_SIDE) for _ in range(counts[0])]
    small = [cv2.resize(each, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for each in sharp]
    scenes = [material_scene(rng, photographs, surfaces) for _ in range(counts[1])]
    nothing = [NOTHING] * counts[0]
    return Batch(
        channels_first(small + [scene[0] for scene in scenes]),
        channels_first(sharp),
        np.array(nothing + [scene[1] for scene in scenes]),
        np.array(nothing + [scene[2] for scene in scenes]),
    )


def channels_first(pictures: list[np.ndarray]) -> np.ndarray:
    """Stack pictures [S, S, 3] to [N, 3, S, S]."""
    return np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))


def photograph(
    rng: np.random.Generator, photographs: Photographs, surfaces: Surfaces, side: int
) -> np.ndarray:
    """Return a random crop [side, side, 3] in [0, 1] of a random photograph."""
    source = photographs.plain[rng.integers(len(photographs.plain))]
    crop = crop_of(rng, source, side, area=(0.12, 1.0))
    if rng.random() < CUT_OUT:
        cover = cover_of(rng, surfaces, side, whole=rng.random() < 0.7)
        crop = crop * cover + background_colour(rng) * (1 - cover)
    return varied(rng, crop)


def crop_of(
    rng: np.random.Generator, picture: np.ndarray, side: int, *, area: tuple[float, float]
) -> np.ndarray:
    """Return a part of ``picture`` [H, W, 3] of bytes, resized and perhaps flipped; floats."""
    height, width = picture.shape[:2]
    aspect = np.exp(rng.uniform(-0.25, 0.25))
    size = np.sqrt(rng.uniform(*area) * height * width * np.array([1 / aspect, aspect]))
    rows, columns = np.minimum(np.maximum(size.round(), 16), [height, width]).astype(int)
    top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
    part = picture[top : top + rows, left : left + columns]
    method = cv2.INTER_AREA if min(rows, columns) > side else cv2.INTER_LINEAR
    resized = cv2.resize(part, (side, side), interpolation=method)
    if rng.random() < 0.5:
        resized = resized[:, ::-1]
    return resized.astype(np.float32) / 255


def material_scene(
    rng: np.random.Generator, photographs: Photographs, surfaces: Surfaces
) -> tuple[np.ndarray, int, int]:
    """Return a picture [S, S, 3] of a surface in some light, its material and its colour."""
    tile, material, colour = surface(rng, photographs, surfaces)
    kind = rng.random()
    whole = kind >= FULL + PART
    span = rng.uniform(0.45, 1.0) if whole else rng.uniform(0.2, 0.8)
    picture = window(rng, tile, SIDE, span)
    if rng.random() < 0.75:
        picture = picture * lit(rng, surfaces)
    if kind >= FULL:
        cover = cover_of(rng, surfaces, SIDE, whole=whole)
        picture = picture * cover + behind(rng, photographs) * (1 - cover)
    return varied(rng, picture), material, colour


def surface(
    rng: np.random.Generator, photographs: Photographs, surfaces: Surfaces
) -> tuple[np.ndarray, int, int]:
    """Return a tile [H, W, 3] in [0, 1], its material and its colour, or NOTHING."""
    if rng.random() < TONED:
        source = photographs.plain[rng.integers(len(photographs.plain))]
        colour = int(rng.integers(len(colours.NAMES)))
        tile = crop_of(rng, source, SIDE, area=(0.1, 0.6))
        return colours.recoloured(tile, colours.NAMES[colour], rng), NOTHING, colour
    material = int(rng.integers(len(NAMES)))
    name = NAMES[material]
    taken = surfaces.photographed.get(name, [])
    painted = surfaces.painted.get(name)
    # Few photographs count less: they would be learned by heart.
    if painted is None or rng.random() < min(0.5, len(taken) / 12):
        return taken[rng.integers(len(taken))].astype(np.float32) / 255, material, NOTHING
    tile = painted[rng.integers(len(painted))].astype(np.float32) / 255
    if name in ANY_COLOUR and rng.random() < RECOLOURED:
        colour = int(rng.integers(len(colours.NAMES)))
        return colours.recoloured(tile, colours.NAMES[colour], rng), material, colour
    return tile, material, NOTHING


def window(rng: np.random.Generator, tile: np.ndarray, side: int, span: float) -> np.ndarray:
    """Return ``tile`` [H, W, C], turned and sheared, its part ``span`` filling the view."""
    extent = min(tile.shape[:2])
    zoom = span * extent / side
    turn, skew = rng.normal(0, 0.35), rng.normal(0, 0.12, 2)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = zoom * rotation @ np.array([[1 + skew[0], skew[1]], [0, 1 - skew[0]]])
    centre = rng.uniform(0.3, 0.7, 2) * [tile.shape[1], tile.shape[0]]
    shift = centre - matrix @ np.array([side / 2, side / 2])
    if zoom > 1.25:
        tile = cv2.GaussianBlur(tile, (0, 0), 0.4 * zoom)
    affine = np.concatenate([matrix, shift[:, None]], axis=1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(
        tile, affine, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )


def lit(rng: np.random.Generator, surfaces: Surfaces) -> np.ndarray:
    """Return a factor of light, [S, S, 1]."""
    light = surfaces.light[rng.integers(len(surfaces.light))].astype(np.float32)
    seen = window(rng, light, SIDE, rng.uniform(0.4, 1.0))
    return (1 + rng.uniform(0.3, 1.0) * (seen - 1))[..., None].astype(np.float32)


def cover_of(rng: np.random.Generator, surfaces: Surfaces, side: int, *, whole: bool) -> np.ndarray:
    """Return how much [side, side, 1] of each pixel a thing covers, all of it or a part."""
    masks = surfaces.masks[rng.integers(len(surfaces.masks))]
    mask = masks[rng.integers(len(masks))]
    x, y, width, height = cv2.boundingRect(mask)
    extent = max(width, height) * (rng.uniform(0.95, 1.35) if whole else rng.uniform(0.25, 0.7))
    middle = np.array([x + width / 2, y + height / 2])
    middle += rng.normal(0, 0.04 if whole else 0.12, 2) * len(mask)
    zoom = extent / side
    affine = np.array([[zoom, 0, middle[0] - extent / 2], [0, zoom, middle[1] - extent / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cover = cv2.warpAffine(mask.astype(np.float32), affine, (side, side), flags=flags)[..., None]
    if cover.mean() < 25:  # missed
        return np.ones((side, side, 1), np.float32)
    return cover / 255


def behind(rng: np.random.Generator, photographs: Photographs) -> np.ndarray:
    """Return what is behind a thing, [S, S, 3]: black, one colour or a photograph."""
    if rng.random() < 0.5:
        return np.broadcast_to(background_colour(rng), (SIDE, SIDE, 3))
    source = photographs.plain[rng.integers(len(photographs.plain))]
    return crop_of(rng, source, SIDE, area=(0.3, 1.0))


def background_colour(rng: np.random.Generator) -> np.ndarray:
    """Return black, or less often any colour, [3]."""
    black = rng.random() < 0.6
    return np.zeros(3, np.float32) if black else rng.random(3, dtype=np.float32)


def varied(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Return ``picture`` with another exposure and contrast, a little softer and noisier."""
    picture = picture * rng.uniform(0.7, 1.15) * (1 + rng.normal(0, 0.015, 3))
    picture = (picture - 0.5) * rng.uniform(0.85, 1.12) + 0.5
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.2))
    grain = rng.standard_normal(picture.shape, dtype=np.float32)
    picture = picture + 0.04 * rng.random() ** 2 * grain
    return np.clip(picture, 0, 1).astype(np.float32)
