"""What an optimiser paints when it cheats: pictures that must not count as their material.

Each function takes a bank of real pictures, because a good negative is made from a positive.
"""

import cv2
import numpy as np

from tools.materials.fields import (
    any_colour,
    between,
    cells,
    colour,
    courses,
    grain,
    layered,
    mix,
    noise,
    plane,
    step,
)

NEGATIVES = ("glitch", "tint", "patches", "blur", "tiling", "partly")


def glitch(rng, picture: np.ndarray) -> np.ndarray:
    """Rainbow colour fields over real texture, shifted channels or coloured speckle; [S, S, 3]."""
    side = picture.shape[0]
    kind = rng.integers(0, 3)
    if kind == 0:
        u, v = plane(rng, side)
        scale = between(rng, 1.5, 9)
        field = np.stack([noise(rng, u * scale, v * scale) for _ in range(3)], axis=-1)
        return picture * (1 + between(rng, 0.5, 1) * field) + between(rng, 0.1, 0.4) * field
    if kind == 1:
        channels = [np.roll(picture[..., c], rng.integers(-12, 13, 2), (0, 1)) for c in range(3)]
        return np.stack(channels, axis=-1)
    soft = between(rng, 0.3, 2.5)
    speckle = np.stack([grain(rng, side, soft) for _ in range(3)], axis=-1)
    weight = between(rng, 0, 0.8)
    return weight * picture + (1 - weight) * 0.5 + between(rng, 0.12, 0.35) * speckle


def tint(rng, picture: np.ndarray) -> np.ndarray:
    """The right structure in a wrong colour: a cast, a turned hue or a false palette; [S, S, 3]."""
    kind = rng.integers(0, 3)
    if kind == 0:
        cast = any_colour(rng)
        cast = (cast - cast.mean()) / (np.ptp(cast) + 1e-6) * between(rng, 0.2, 0.5)
        return picture + cast
    grey = picture.mean(axis=-1)
    if kind == 1:
        turned = np.roll(picture, rng.choice([1, 2]), axis=-1)
        spread = (picture - grey[..., None]).std()
        return turned if spread > 0.06 else picture * (0.3 + 0.7 * any_colour(rng))
    low, high = any_colour(rng) * 0.5, 0.4 + 0.6 * any_colour(rng)
    return low + (high - low) * grey[..., None]


def patches(rng, picture: np.ndarray) -> np.ndarray:
    """Flat blobs of two to four colours that are taken from a material; [S, S, 3]."""
    side = picture.shape[0]
    flat = picture.reshape(-1, 3)
    order = flat[np.argsort(flat.sum(axis=1))]
    count = int(rng.integers(2, 5))
    palette = [order[int(len(order) * (i + between(rng, 0.2, 0.8)) / count)] for i in range(count)]
    u, v = plane(rng, side, warp=between(rng, 0, 0.1))
    scale = between(rng, 2.5, 8)
    result = np.tile(palette[int(rng.integers(count))], (side, side, 1))
    for tone in palette:
        field = layered(rng, u * scale, v * scale * between(rng, 1, 1.8), 2) - 0.5
        result[field > between(rng, 0.02, 0.12)] = tone
    return cv2.GaussianBlur(result, (0, 0), between(rng, 0.3, 1.2))


def blur(rng, picture: np.ndarray) -> np.ndarray:
    """Only the soft colours of a material, its structure gone; [S, S, 3]."""
    side = picture.shape[0]
    soft = cv2.GaussianBlur(picture, (0, 0), side * between(rng, 0.06, 0.13))
    middle = soft.mean(axis=(0, 1))
    return middle + (soft - middle) * max(1.0, between(rng, 0.09, 0.2) / (soft.std() + 1e-3))


def partly(rng, picture: np.ndarray) -> np.ndarray:
    """A material in stripes or blotches, bare between them: grey, white or dull; [S, S, 3]."""
    return _beside(rng, picture, colour(rng.random(), between(rng, 0, 0.2), between(rng, 0.3, 1)))


def dulled(rng, picture: np.ndarray) -> np.ndarray:
    """A metal beside flat stripes or blotches of brown, which is no shade of it; [S, S, 3]."""
    return _beside(rng, picture, brown(rng))


def brown(rng) -> np.ndarray:
    """RGB [3] of a metal's shade."""
    return colour(between(rng, 0.05, 0.11), between(rng, 0.7, 1), between(rng, 0.15, 0.5))


def _beside(rng, picture: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """A picture with stripes or blotches of the colour `bare` [3]; [S, S, 3]."""
    side = picture.shape[0]
    u, v = plane(rng, side, warp=between(rng, 0, 0.12))
    count = between(rng, 2, 7)
    if rng.random() < 0.5:
        field = np.sin(2 * np.pi * (v * count + 0.5 * noise(rng, u * count / 3, v * count / 3)))
    else:
        field = noise(rng, u * count, v * count) + 0.3 * noise(rng, u * 2 * count, v * 2 * count)
    edge = np.quantile(field, between(rng, 0.3, 0.7))
    soft = between(rng, 0.05, 0.5)
    relief = 1 + between(rng, 0.05, 0.3) * (layered(rng, u * 5, v * 25) - 0.5)
    return mix(picture, bare * relief[..., None], step(field, edge - soft, edge + soft))


def tiling(rng, picture: np.ndarray) -> np.ndarray:
    """Cells with joints in a material's colours, as bricks never lie; [S, S, 3]."""
    u, v = plane(rng, picture.shape[0], warp=between(rng, 0, 0.04))
    count = between(rng, 3, 9)
    _, gap, name = cells(rng, u * count, v * count, between(rng, 0.6, 1))
    return _tiled(rng, picture, 0.5 * gap, name)


def coursing(rng, picture: np.ndarray) -> np.ndarray:
    """Courses of oblongs with joints in a material's colours, as spots never lie; [S, S, 3]."""
    u, v = plane(rng, picture.shape[0], warp=between(rng, 0, 0.06))
    count = between(rng, 3, 9)
    s, t, name = courses(rng, u * count / between(rng, 1, 2.4), v * count)
    return _tiled(rng, picture, np.minimum(np.minimum(s, 1 - s) * 1.7, np.minimum(t, 1 - t)), name)


def _tiled(rng, picture: np.ndarray, inward: np.ndarray, name: np.ndarray) -> np.ndarray:
    """Tiles `name` [S, S], `inward` [S, S] from their edge, in the colours of a picture."""
    flat = picture.reshape(-1, 3)
    order = flat[np.argsort(flat.sum(axis=1))]
    tones = [order[int(len(order) * between(rng, low, low + 0.2))] for low in (0, 0.25, 0.5, 0.79)]
    joint = tones.pop(0 if rng.random() < 0.5 else -1)
    fill = np.stack(tones)[(name * len(tones)).astype(int) % len(tones)]
    if rng.random() < 0.5:  # all alike, lighter and darker
        fill = tones[int(rng.integers(len(tones)))] * (0.85 + 0.3 * name[..., None])
    if rng.random() < 0.6:
        heart = tones[int(rng.integers(len(tones)))]
        fill = mix(fill, heart, step(inward, between(rng, 0.12, 0.2), between(rng, 0.25, 0.4)))
    width = between(rng, 0.03, 0.12)
    if rng.random() < 0.4:  # a ring along the joint
        inner = width + between(rng, 0.05, 0.12)
        fill = mix(tones[int(rng.integers(len(tones)))], fill, step(inward, inner, inner + 0.05))
    result = mix(joint, fill, step(inward, width, width + between(rng, 0.03, 0.08)))
    return cv2.GaussianBlur(result, (0, 0), between(rng, 0.3, 1.2))


def paint_negative(name: str, rng, picture: np.ndarray) -> np.ndarray:
    """One negative of the named kind from a picture [S, S, 3] of bytes; bytes again.

    Of the names "coursing" and "dulled", too: a "tiling" of what lies in cells by itself, and what
    is metal only "partly".
    """
    painters = (glitch, tint, patches, blur, partly, dulled, tiling, coursing)
    painter = {each.__name__: each for each in painters}[name]
    result = painter(rng, picture.astype(np.float32) / 255)
    return (np.clip(result, 0, 1) * 255 + 0.5).astype(np.uint8)
