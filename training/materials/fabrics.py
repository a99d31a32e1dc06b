"""Cloth, paper and printed patterns."""

import numpy as np

from training.materials.fields import (
    any_colour,
    between,
    cells,
    colour,
    grain,
    layered,
    lit,
    mix,
    noise,
    plane,
    ramp,
    shaded,
    step,
    varied,
)
from training.materials.material import Material


def two_colours(rng) -> tuple[np.ndarray, np.ndarray]:
    """A dark and a light colour that are easy to tell apart."""
    first = any_colour(rng) * between(rng, 0.3, 0.8)
    second = np.ones(3) * 0.95 if rng.random() < 0.5 else 0.5 + 0.5 * any_colour(rng)
    return first, second


def checker(rng, side: int) -> np.ndarray:
    """Black and white squares."""
    u, v = plane(rng, side)
    count = between(rng, 4, 10)
    odd = (np.floor(u * count) + np.floor(v * count)) % 2
    return mix(np.full(3, between(rng, 0.02, 0.12)), np.full(3, between(rng, 0.88, 1)), odd)


def dots(rng, side: int) -> np.ndarray:
    """Round dots of one colour in a regular lattice on another."""
    u, v = plane(rng, side)
    count = between(rng, 3, 7.5)
    x, y = u * count, v * count
    x = x + 0.5 * (np.floor(y) % 2) * rng.integers(0, 2)
    reach = np.hypot(x - np.floor(x) - 0.5, y - np.floor(y) - 0.5)
    radius = between(rng, 0.24, 0.36)
    ground, dot = two_colours(rng)
    if rng.random() < 0.5:
        ground, dot = dot, ground
    return mix(dot, ground, step(reach, radius - 0.03, radius + 0.03))


def stripes(rng, side: int) -> np.ndarray:
    """Straight stripes of two or three colours, all equally wide."""
    _u, v = plane(rng, side)
    first, second = two_colours(rng)
    table = np.array([first, second, first, any_colour(rng) if rng.random() < 0.3 else second])
    place = np.floor(v * between(rng, 6, 15)).astype(int)
    return table[place % 4].astype(np.float32)


def plaid(rng, side: int) -> np.ndarray:
    """Crossing bands of a kilt: dark and vivid bands, thin pale lines, all half transparent."""
    u, v = plane(rng, side)
    count = between(rng, 1.6, 3.4)
    main = any_colour(rng)
    dark = any_colour(rng) * 0.25
    line = np.ones(3) * 0.95 if rng.random() < 0.6 else 0.5 + 0.5 * any_colour(rng)
    twill = 0.15 * np.sign(np.sin((u + v) * side * 1.2))
    wide, thin = between(rng, 0.18, 0.26), between(rng, 0.025, 0.05)
    sets = []
    for axis in (u, v):
        place = (axis * count) % 1
        band = (np.abs(place - 0.5) < wide).astype(np.float32)
        gap = (np.abs(place - 0.5) < 0.04).astype(np.float32)
        pale = (np.abs(place - 0.04) < thin).astype(np.float32)
        yarn = mix(np.tile(main, (side, side, 1)), dark, band * (1 - gap))
        sets.append(mix(yarn, line, pale))
    return mix(sets[0], sets[1], 0.5 + twill)


def camouflage(rng, side: int) -> np.ndarray:
    """Flat blotches of army green, brown, black and tan."""
    u, v = plane(rng, side)
    scale = between(rng, 2.5, 5)
    hue = between(rng, 0.18, 0.28)
    layers = (varied(rng, hue, 0.45, 0.36), varied(rng, 0.09, 0.5, 0.3), np.full(3, 0.09))
    picture = np.tile(varied(rng, 0.13, 0.32, 0.62), (side, side, 1))
    for tone in layers:
        field = noise(rng, u * scale, v * scale * 1.4) + 0.25 * noise(
            rng, u * scale * 3, v * scale * 3
        )
        picture = mix(picture, tone, step(field, 0.08, 0.12))
    return picture


def knit(rng, side: int) -> np.ndarray:
    """Columns of V-shaped stitches of thick wool."""
    u, v = plane(rng, side, between(rng, -0.3, 0.3))
    count = between(rng, 4.5, 9)
    x = u * count
    s = np.abs(x - np.floor(x) - 0.5) * 2
    y = v * count * 1.3 - 0.8 * s
    t = y - np.floor(y) - 0.5
    bow = np.clip(1.25 - (2 * t) ** 2 * 1.2 - ((s - 0.5) * 1.7) ** 2, 0, 1)
    yarn = 0.12 * np.sin(2 * np.pi * (t * 3 + s * 2)) + 0.07 * grain(rng, side)
    main = any_colour(rng) if rng.random() < 0.7 else np.full(3, between(rng, 0.4, 0.9))
    other = any_colour(rng) if rng.random() < 0.3 else main
    bands = ((np.floor(y) // rng.integers(2, 6)) % 2)[..., None]
    tone = np.clip(bow + yarn * bow, 0, 1)
    wool = main * (1 - bands) + other * bands
    return (wool * (0.12 + 0.88 * tone[..., None]) + 0.15 * tone[..., None] ** 3).astype(np.float32)


def denim(rng, side: int) -> np.ndarray:
    """Blue twill, washed out in places, with a seam."""
    u, v = plane(rng, side)
    twill = np.sin(2 * np.pi * (u + v) * between(rng, 24, 34))
    fade = layered(rng, u * 2, v * 2, 3)
    base = ramp(
        fade,
        varied(rng, 0.61, 0.68, 0.28),
        varied(rng, 0.6, 0.6, 0.48),
        varied(rng, 0.59, 0.4, 0.72),
    )
    picture = shaded(base, 1 + 0.16 * twill + 0.08 * noise(rng, u * 90, v * 20))
    place = u - between(rng, -0.4, 0.4)
    dash = (np.abs(np.abs(place) - 0.025) < 0.008) & ((v * 26) % 1 < 0.6)
    picture = shaded(picture, 1 - 0.4 * np.exp(-((place / 0.02) ** 2)))
    return mix(picture, varied(rng, 0.09, 0.7, 0.8), dash.astype(np.float32))


def leather(rng, side: int) -> np.ndarray:
    """Brown hide with fine wrinkled grain and a dull shine."""
    u, v = plane(rng, side, warp=0.05)
    count = between(rng, 12, 22)
    _, gap, name = cells(rng, u * count, v * count, 1)
    crease = np.exp(-np.abs(noise(rng, u * 2, v * 3)) / 0.04)
    height = step(gap, 0, 0.3) - 0.8 * crease
    hue = between(rng, 0.04, 0.07)
    picture = ramp(layered(rng, u * 2, v * 2), colour(hue, 0.75, 0.22), colour(hue, 0.7, 0.5))
    return shaded(
        picture * (0.9 + 0.2 * name)[..., None], lit(0.025 * height, 1.3, between(rng, 0, 6.28))
    )


def quilt(rng, side: int) -> np.ndarray:
    """Padded diamonds held by stitched seams, a button where the seams cross."""
    u, v = plane(rng, side, np.pi / 4 + between(rng, -0.2, 0.2))
    count = between(rng, 3, 6)
    x, y = u * count, v * count
    dome = np.abs(np.sin(np.pi * x) * np.sin(np.pi * y)) ** 0.5
    main = any_colour(rng) if rng.random() < 0.7 else np.full(3, between(rng, 0.3, 0.9))
    picture = np.tile(main, (side, side, 1)) * (0.3 + 0.7 * dome)[..., None]
    picture = mix(picture, np.ones(3), 0.35 * step(dome, 0.8, 1))
    picture = shaded(picture, lit(0.12 * dome, 1, between(rng, 0, 6.28)))
    button = 1 - step(np.hypot(x - np.round(x), y - np.round(y)), 0.08, 0.13)
    return mix(picture, 0.3 + 0.6 * main, button * rng.integers(0, 2))


def paper(rng, side: int) -> np.ndarray:
    """White sheet crumpled into sharp, flat facets with bright and dark creases."""
    u, v = plane(rng, side)
    tone = np.full_like(u, 0.8)
    for scale, weight in ((between(rng, 2, 3.2), 0.34), (between(rng, 4.5, 7), 0.16)):
        x, y = u * scale, v * scale
        bend = 0.08 * noise(rng, x * 2, y * 2)
        _, gap, name = cells(rng, x + bend, y - bend, 1)
        angle = 40 * name
        fold = (np.cos(angle) * x + np.sin(angle) * y) * 0.6
        tone += weight * (name - 0.5) + 0.5 * weight * np.sin(fold)
        crease = np.exp(-gap / 0.05)
        tone += 0.7 * weight * crease * np.sign(noise(rng, x, y))
    white = between(rng, 0.94, 1)
    tone = np.clip(tone, 0.35, 1) * white
    return tone[..., None] * np.array([1, 1, between(rng, 0.93, 1)])


def origami(rng, side: int) -> np.ndarray:
    """Coloured paper folded into flat triangles."""
    u, v = plane(rng, side)
    count = between(rng, 2.5, 5)
    x, y = u * count, v * count
    s, t = x - np.floor(x), y - np.floor(y)
    flip = (np.floor(x) + np.floor(y)) % 2
    half = np.where(flip == 1, s > t, s + t > 1)
    table = rng.random((2, 64, 64))
    tone = table[half.astype(int), np.floor(y).astype(int) % 64, np.floor(x).astype(int) % 64]
    fold = np.where(flip == 1, np.abs(s - t), np.abs(s + t - 1))
    main = any_colour(rng)
    picture = ramp(
        np.clip(tone + 0.25 * (s - 0.5), 0, 1), main * 0.35, main * 0.8, 0.45 + 0.55 * main
    )
    edge = np.minimum(fold, np.minimum(np.minimum(s, 1 - s), np.minimum(t, 1 - t)))
    return mix(picture, 0.6 + 0.4 * main, 0.6 * (1 - step(edge, 0.0, 0.04)))


def newspaper(rng, side: int) -> np.ndarray:
    """Columns of tiny black words on grey paper."""
    u, v = plane(rng, side, between(rng, -0.4, 0.4))
    rows = between(rng, 12, 20)
    y = v * rows
    column = (u * between(rng, 1.5, 2.6)) % 1
    letters = noise(rng, u * rows * 3.2, np.floor(y) * 7.3) > -0.25
    glyphs = noise(rng, u * rows * 5, y * 3) > -0.35
    ink = letters & glyphs & ((y % 1) > 0.38) & (column > 0.07)
    head = (np.floor(y) % 11 == 0) & (column > 0.07) & (noise(rng, u * rows, y * 0 + 3) > -0.5)
    tone = mix(varied(rng, 0.12, 0.08, 0.88), np.full(3, 0.12), (ink | head).astype(np.float32))
    return shaded(tone, 0.95 + 0.1 * layered(rng, u * 3, v * 3))


MATERIALS = (
    Material("checker", checker, ("checkerboard", "chessboard", "checkered pattern", "checkers")),
    Material("dots", dots, ("polka dots", "dots", "dotted pattern", "spots"), any_colour=True),
    Material("stripes", stripes, ("stripes", "striped fabric", "striped pattern",
        "straight stripes"),
             any_colour=True),
    Material("plaid", plaid, ("plaid", "tartan", "plaid fabric", "scottish plaid"),
        any_colour=True),
    Material("camouflage", camouflage, ("camouflage", "army camouflage", "camo pattern",
                                        "military camouflage")),
    Material("knit", knit, ("knitted wool", "wool", "knit", "woolen", "knitted yarn",
        "crocheted yarn",
                            "a wool sweater"), any_colour=True),
    Material("denim", denim, ("denim", "blue jeans", "jeans", "blue denim")),
    Material("leather", leather, ("leather", "brown leather", "leather hide", "old leather")),
    Material("quilt", quilt, ("quilt", "quilted fabric", "padded quilt", "upholstery"),
             any_colour=True),
    Material("paper", paper, ("paper", "crumpled paper", "white paper", "wrinkled paper")),
    Material("origami", origami, ("origami", "folded paper", "origami paper", "low poly triangles"),
             any_colour=True),
    Material("newspaper", newspaper, ("newspaper", "newspaper print", "printed text", "newsprint")),
)  # fmt: skip
