"""Wood and what grows: grain, bark, ribs, blades and leaves."""

import cv2
import numpy as np

from training.materials.fields import (
    between,
    cells,
    colour,
    layered,
    lit,
    mix,
    noise,
    normalised,
    plane,
    ramp,
    shaded,
    step,
    varied,
)
from training.materials.material import Material


def timber(rng, side: int, *colours: np.ndarray) -> np.ndarray:
    """Planks with long, wavy grain and an occasional knot, in the given colours."""
    u, v = plane(rng, side, warp=0.015)
    knot = np.exp(
        -((u - between(rng, -0.4, 0.4)) ** 2 * 30 + (v - between(rng, -0.4, 0.4)) ** 2 * 160)
    )
    bend = 0.12 * noise(rng, u * 1.5, v * 3) + 0.3 * knot
    rings = np.sin(2 * np.pi * (v + bend) * between(rng, 7, 16))
    fine = noise(rng, u * 4, (v + bend) * 70) + 0.7 * noise(rng, u * 8, v * 110)
    tone = 0.5 + 0.22 * rings + 0.17 * fine
    planks = v * between(rng, 2, 5) + 0.5
    tone += 0.3 * (np.random.default_rng(int(rng.integers(1 << 30))).random(64)
                   [np.floor(planks).astype(int) % 64] - 0.5)  # fmt: skip
    seam = np.abs(planks - np.round(planks))
    picture = ramp(np.clip(tone, 0, 1), *colours)
    return shaded(picture, 0.3 + 0.7 * step(seam, 0.0, 0.05))


def wood(rng, side: int) -> np.ndarray:
    """Light and middle brown planks."""
    hue = between(rng, 0.065, 0.095)
    value = between(rng, 0.5, 0.85)
    return timber(rng, side, colour(hue - 0.01, 0.72, value * 0.5), colour(hue, 0.62, value * 0.85),
                  colour(hue + 0.01, 0.52, value * 1.12))  # fmt: skip


def walnut(rng, side: int) -> np.ndarray:
    """Dark, chocolate-brown planks."""
    hue = between(rng, 0.04, 0.07)
    return timber(
        rng, side, colour(hue, 0.65, 0.09), colour(hue, 0.6, 0.24), colour(hue, 0.55, 0.42)
    )


def bark(rng, side: int) -> np.ndarray:
    """Rough brown-grey ridges and dark furrows along the trunk."""
    u, v = plane(rng, side, between(rng, -0.3, 0.3) + np.pi / 2 * rng.integers(0, 2), warp=0.05)
    ridges = 1 - np.abs(noise(rng, u * 9, v * 2.2)) - 0.5 * np.abs(noise(rng, u * 20, v * 6))
    height = normalised(ridges + 0.25 * noise(rng, u * 40, v * 20))
    hue, saturation = between(rng, 0.05, 0.09), between(rng, 0.2, 0.5)
    picture = ramp(height, colour(hue, saturation, 0.06), colour(hue, saturation, 0.3),
                   colour(hue, saturation * 0.7, 0.6))  # fmt: skip
    return shaded(picture, lit(0.06 * height, 1.3, between(rng, 0, 6.28)))


def bamboo(rng, side: int) -> np.ndarray:
    """Round yellow-green canes side by side, each with rings."""
    u, v = plane(rng, side, between(rng, -0.2, 0.2) + np.pi / 2 * rng.integers(0, 2))
    x = u * between(rng, 4, 8)
    cane, s = np.floor(x).astype(int), x - np.floor(x)
    table = rng.random(64)
    t = (v * between(rng, 1.5, 3) + table[cane % 64]) % 1
    picture = ramp(
        table[(cane + 7) % 64], varied(rng, 0.16, 0.6, 0.62), varied(rng, 0.22, 0.6, 0.62)
    )
    ring = np.exp(-(((t - 0.5) / 0.03) ** 2)) - 0.8 * np.exp(-(((t - 0.56) / 0.03) ** 2))
    light = np.sin(np.pi * s) ** 0.7 * 1.25 + 0.25 * np.exp(-(((s - 0.3) / 0.1) ** 2))
    return shaded(picture, light * (1 + 0.4 * ring + 0.05 * noise(rng, u * 70, v * 5)))


def wicker(rng, side: int) -> np.ndarray:
    """Willow rods woven over and under each other."""
    u, v = plane(rng, side, between(rng, -0.3, 0.3))
    count = between(rng, 5, 10)
    x, y = u * count, v * count * 2
    over = (np.floor(x) + np.floor(y)) % 2
    s, t = x - np.floor(x), y - np.floor(y)
    bow = np.where(over == 1, np.sin(np.pi * s) ** 0.5, 0.55 - 0.4 * np.sin(np.pi * s))
    tone = bow * np.sin(np.pi * t) ** 0.5 + 0.08 * noise(rng, u * 20, v * 90)
    hue = between(rng, 0.075, 0.1)
    return ramp(np.clip(tone, 0, 1), colour(hue, 0.8, 0.12), colour(hue, 0.65, 0.55),
                colour(hue, 0.45, 0.9))  # fmt: skip


def strokes(rng, side: int, count: int, length: float, colours, *, angle: float, spread: float,
            thick: int = 2) -> np.ndarray:  # fmt: skip
    """Many short lines over each other, later ones brighter; colours is a ramp of RGB."""
    picture = np.tile(np.float32(colours[0]), (side, side, 1))
    for index in range(count):
        x, y = rng.uniform(-0.1, 1.1, 2) * side
        turn = angle + spread * rng.standard_normal()
        reach = length * side * between(rng, 0.6, 1.3)
        end = (int(x + reach * np.cos(turn)), int(y + reach * np.sin(turn)))
        tone = ramp(
            np.array([np.clip(index / count + 0.2 * rng.standard_normal(), 0, 1)]), *colours
        )
        cv2.line(picture, (int(x), int(y)), end, tone[0].tolist(), int(rng.integers(1, thick + 1)),
                 cv2.LINE_AA)  # fmt: skip
    return picture


def straw(rng, side: int) -> np.ndarray:
    """Dry yellow stalks, roughly in one direction."""
    hue = between(rng, 0.11, 0.14)
    colours = (colour(hue, 0.7, 0.3), colour(hue, 0.6, 0.65), colour(hue, 0.5, 0.85),
               colour(hue, 0.35, 0.98))  # fmt: skip
    return strokes(rng, side, 420, 0.3, colours, angle=between(rng, 0, 6.28), spread=0.3)


def grass(rng, side: int) -> np.ndarray:
    """Upright green blades."""
    hue = between(rng, 0.23, 0.31)
    colours = (colour(hue, 0.85, 0.1), colour(hue, 0.8, 0.35), colour(hue, 0.75, 0.58),
               colour(hue - 0.04, 0.6, 0.82))  # fmt: skip
    return strokes(rng, side, 480, between(rng, 0.12, 0.24), colours,
                   angle=-np.pi / 2, spread=0.35)  # fmt: skip


def cactus(rng, side: int) -> np.ndarray:
    """Green ribs with dark furrows and bundles of pale spines on the crests."""
    angle = between(rng, -0.25, 0.25) + (np.pi / 2 if rng.random() < 0.3 else 0)
    u, v = plane(rng, side, angle, warp=0.02)
    count = between(rng, 3.5, 7)
    x = u * count
    s = x - np.floor(x) - 0.5
    hue = between(rng, 0.29, 0.4)
    bow = np.clip(np.cos(np.pi * s), 0, 1) ** 0.8 + 0.1 * noise(rng, u * 20, v * 20)
    picture = ramp(np.clip(bow, 0, 1), colour(hue, 0.75, 0.1), colour(hue, 0.68, 0.36),
                   colour(hue - 0.03, 0.55, 0.62)) * between(rng, 0.8, 1.15)  # fmt: skip
    y = v * count * between(rng, 1.1, 1.6) + 0.5 * (np.floor(x) % 2)
    t = y - np.floor(y) - 0.5
    reach = np.hypot(s, t)
    rays = np.abs(np.sin(np.arctan2(t, s) * 4 + 0.6))
    spines = step(0.34 - reach, 0, 0.05) * step(rays, 0.8, 0.93) + step(0.07 - reach, 0, 0.03)
    return mix(picture, varied(rng, 0.13, 0.2, 0.95), np.clip(spines, 0, 1))


def moss(rng, side: int) -> np.ndarray:
    """Soft yellow-green cushions with fine fuzz."""
    u, v = plane(rng, side)
    count = between(rng, 4, 8)
    nearest, _, name = cells(rng, u * count, v * count)
    height = 1 - nearest + 0.25 * layered(rng, u * 18, v * 18, 4, 0.8)
    fuzz = layered(rng, u * 30, v * 30, 3, 0.9)
    hue = between(rng, 0.19, 0.25)
    tone = np.clip(0.75 * normalised(height) + 0.5 * (fuzz - 0.5) + 0.1 * name, 0, 1)
    return ramp(
        tone, colour(hue + 0.03, 0.9, 0.07), colour(hue, 0.88, 0.38), colour(hue - 0.02, 0.8, 0.68)
    )


def petal(length: float, width: float, x: float, y: float, turn: float) -> np.ndarray:
    """Corners [n, 2] of a pointed leaf from (x, y) in the direction `turn`."""
    along = np.linspace(0, 1, 9)
    half = width * np.sin(np.pi * along**0.8)
    line = np.concatenate(
        [np.stack([along * length, half], 1), np.stack([along * length, -half], 1)[::-1]]
    )
    turned = line @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return (turned + np.array([x, y])).astype(np.int32)


def leaves(rng, side: int) -> np.ndarray:
    """Pointed green leaves over each other, each with a midrib."""
    hue = between(rng, 0.24, 0.36)
    picture = np.tile(colour(hue, 0.8, 0.08), (side, side, 1))
    length = side * between(rng, 0.16, 0.32)
    for index in range(130):
        x, y = rng.uniform(-0.15, 1.1, 2) * side
        turn = rng.uniform(0, 6.28)
        tone = 0.22 + 0.5 * index / 130 + 0.1 * rng.standard_normal()
        green = varied(rng, hue, 0.75, tone, 0.06)
        cv2.fillPoly(
            picture, [petal(length, length * 0.26, x, y, turn)], green.tolist(), cv2.LINE_AA
        )
        tip = (int(x + 0.9 * length * np.cos(turn)), int(y + 0.9 * length * np.sin(turn)))
        cv2.line(
            picture, (int(x), int(y)), tip, np.clip(green * 1.5, 0, 1).tolist(), 1, cv2.LINE_AA
        )
    return picture


def flowers(rng, side: int) -> np.ndarray:
    """Round blossoms with five to nine petals before dark green."""
    picture = leaves(rng, side) * 0.55
    hues = [rng.choice([0.0, 0.9, 0.82, 0.14, 0.75, 0.95]) for _ in range(2)]
    for _ in range(int(between(rng, 14, 26))):
        x, y = rng.uniform(0, 1, 2) * side
        length = side * between(rng, 0.09, 0.17)
        base = varied(rng, rng.choice(hues), between(rng, 0.15, 0.85), 0.93, 0.06)
        count, first = int(rng.integers(5, 10)), rng.random() * 6
        for index in range(count):
            turn = first + 6.283 * index / count
            corners = petal(length, length * 0.3, x, y, turn)
            cv2.fillPoly(picture, [corners], (base * between(rng, 0.8, 1)).tolist(), cv2.LINE_AA)
        cv2.circle(
            picture, (int(x), int(y)), int(length * 0.26), (0.95, 0.75, 0.1), -1, cv2.LINE_AA
        )
    return picture


MATERIALS = (
    Material("wood", wood, ("wood", "wooden", "wood planks", "light wood", "oak wood",
        "carved wood",
                            "timber")),
    Material("walnut", walnut, ("walnut", "dark walnut wood", "walnut wood", "dark wood",
                                "mahogany wood")),
    Material("bark", bark, ("bark", "tree bark", "rough bark", "tree trunk")),
    Material("bamboo", bamboo, ("bamboo", "bamboo canes", "bamboo sticks")),
    Material("wicker", wicker, ("wicker", "basket weave", "woven wicker", "rattan", "basket")),
    Material("straw", straw, ("straw", "hay", "dry straw", "thatch")),
    Material("cactus", cactus, ("cactus", "cactus skin", "cactus spines", "green cactus",
                                "spiky cactus")),
    Material("grass", grass, ("grass", "green grass", "lawn", "grass blades")),
    Material("moss", moss, ("moss", "green moss", "mossy", "lichen")),
    Material("leaves", leaves, ("leaves", "green leaves", "ivy", "foliage", "plants")),
    Material("flowers", flowers, ("flowers", "blossoms", "colorful flowers", "daisies")),
)  # fmt: skip
