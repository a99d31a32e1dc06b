"""Pictures made by hand."""

import cv2
import numpy as np

from training.materials.fields import (
    any_colour,
    between,
    colour,
    layered,
    mix,
    noise,
    plane,
    shaded,
    step,
    varied,
)
from training.materials.material import Material


def painting(rng, side: int) -> np.ndarray:
    """Thick swirling strokes of blue and yellow oil paint, after Van Gogh."""
    u, v = plane(rng, side)
    turn = np.pi * noise(rng, u * 2.5, v * 2.5)
    dark = layered(rng, u * 3, v * 3, 2)
    picture = np.tile(colour(0.61, 0.8, 0.3), (side, side, 1))
    for _ in range(700):
        x, y = rng.integers(0, side, 2)
        angle, reach = turn[y, x], side * between(rng, 0.06, 0.12)
        blue = varied(rng, between(rng, 0.53, 0.65), 0.75, between(rng, 0.3, 0.95), 0.05)
        yellow = dark[y, x] > 0.62
        tone = varied(rng, 0.13, 0.75, 0.95) if yellow else blue
        end = (int(x + reach * np.cos(angle)), int(y + reach * np.sin(angle)))
        cv2.line(picture, (int(x), int(y)), end, tone.tolist(), max(1, side // 40), cv2.LINE_AA)
    return picture


def sketch(rng, side: int) -> np.ndarray:
    """Grey pencil hatching on white paper, crossed where it is dark."""
    picture = np.full((side, side), 0.98, np.float32)
    u, v = plane(rng, side)
    dark = layered(rng, u * 2.5, v * 2.5, 3)
    for threshold, angle in ((0.12, 0.8), (0.4, -0.8), (0.62, 0.1)):
        angle += between(rng, -0.2, 0.2)
        place = (u * np.cos(angle) + v * np.sin(angle)) * between(rng, 14, 24)
        line = np.exp(-((((place + 0.3 * noise(rng, u * 4, v * 4)) % 1 - 0.5) / 0.15) ** 2))
        rough = 0.75 + 0.25 * noise(rng, u * 30, v * 30)
        picture -= 0.75 * line * step(dark, threshold, threshold + 0.1) * rough
    return np.clip(picture, 0.08, 1)[..., None] * np.ones(3)


def crayon(rng, side: int) -> np.ndarray:
    """Waxy scribbles to and fro that leave the paper's grain uncovered."""
    u, v = plane(rng, side)
    rough = noise(rng, u * side * 0.45, v * side * 0.45)
    picture = np.tile(np.array([0.97, 0.96, 0.92]), (side, side, 1))
    tones = [any_colour(rng) for _ in range(int(rng.integers(1, 4)))]
    for tone in tones:
        angle = between(rng, 0, 6.28)
        along, across = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
        where = layered(rng, u * 2, v * 2, 2) > (0 if tone is tones[0] else 0.5)
        place = across * between(rng, 9, 15) + 0.6 * noise(rng, along * 3, across * 6)
        stroke = step(-np.abs(place % 1 - 0.5), -0.48, -0.3)
        wax = stroke * step(rough, -0.75, -0.2) * where
        picture = mix(picture, tone, 0.9 * wax)
    return picture


def watercolour(rng, side: int) -> np.ndarray:
    """Pale washes that run into each other, darker where a wash dried, on white paper."""
    u, v = plane(rng, side, warp=0.12)
    picture = np.tile(np.array([0.98, 0.97, 0.95]), (side, side, 1))
    for _ in range(int(rng.integers(2, 4))):
        scale = between(rng, 1.5, 3.5)
        field = layered(rng, u * scale, v * scale, 4) - between(rng, 0.45, 0.65)
        inside = step(field, 0, 0.025)
        rim = np.exp(-((field / 0.02) ** 2))
        amount = 0.25 * inside + 0.4 * rim + 0.35 * inside * layered(rng, u * 5, v * 5, 3)
        tint = 0.3 + 0.7 * any_colour(rng)
        picture = picture * (1 - amount[..., None] * (1 - tint))
    return shaded(picture, 0.97 + 0.06 * layered(rng, u * 40, v * 40, 2))


MATERIALS = (
    Material("painting", painting, ("oil painting", "van gogh painting", "starry night painting",
                                    "brush strokes", "a painting")),
    Material("sketch", sketch, ("pencil sketch", "pencil drawing", "sketch", "hatching")),
    Material("crayon", crayon, ("crayon", "crayon drawing", "wax crayon", "crayon scribble"),
             any_colour=True),
    Material("watercolour", watercolour, ("watercolor", "watercolour", "watercolor painting",
                                          "aquarelle")),
)  # fmt: skip
