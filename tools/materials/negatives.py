"""What an optimiser paints when it cheats: pictures that must not count as their material.

Each function takes a bank of real pictures, because a good negative is made from a positive.
"""

import cv2
import numpy as np

from tools.materials.fields import any_colour, between, grain, layered, noise, plane

NEGATIVES = ("glitch", "tint", "patches", "blur")


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


def paint_negative(name: str, rng, picture: np.ndarray) -> np.ndarray:
    """One negative of the named kind from a picture [S, S, 3] of bytes; bytes again."""
    painter = {"glitch": glitch, "tint": tint, "patches": patches, "blur": blur}[name]
    result = painter(rng, picture.astype(np.float32) / 255)
    return (np.clip(result, 0, 1) * 255 + 0.5).astype(np.uint8)
