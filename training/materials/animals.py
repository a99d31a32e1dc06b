"""Skins of animals: stripes, spots, scales, fur and feathers."""

import cv2
import numpy as np

from training.materials.fields import (
    any_colour,
    between,
    cells,
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


def hairs(rng, side: int, u, v, amount: float) -> np.ndarray:
    """A brightness factor [side, side] of fine hairs along u."""
    return 1 + amount * noise(rng, u * 8, v * side / 3)


def zebra(rng, side: int) -> np.ndarray:
    """Black and white stripes of changing width that fork."""
    u, v = plane(rng, side, warp=between(rng, 0.05, 0.16))
    count = between(rng, 3, 8)
    phase = v * count + 0.7 * noise(rng, u * count * 0.4, v * count * 0.4)
    wave = np.sin(2 * np.pi * phase) + 0.25 * noise(rng, u * 2 * count, v * 2 * count)
    white = step(wave, between(rng, -0.3, 0), between(rng, 0.1, 0.3))
    dark, light = between(rng, 0.02, 0.14), between(rng, 0.86, 1)
    picture = mix(np.full(3, dark), np.array([light, light, light * between(rng, 0.95, 1)]), white)
    return shaded(picture, hairs(rng, side, v, u, 0.06))


def tiger(rng, side: int) -> np.ndarray:
    """Orange fur with broken, tapering black stripes."""
    u, v = plane(rng, side, warp=between(rng, 0.04, 0.12))
    count = between(rng, 4, 8)
    wave = np.sin(2 * np.pi * (v * count + 0.45 * noise(rng, u * 4, v * 4)))
    broken = wave - 0.35 - 0.8 * noise(rng, u * 3, v * count)
    base = ramp(
        layered(rng, u * 3, v * 3, 3),
        varied(rng, 0.06, 0.95, 0.7),
        varied(rng, 0.085, 0.9, 0.93),
        varied(rng, 0.095, 0.6, 0.97),
    )
    picture = mix(base, varied(rng, 0.05, 0.4, 0.06, 0.04), step(broken, -0.1, 0.15))
    return shaded(picture, hairs(rng, side, u, v, 0.15))


def leopard(rng, side: int) -> np.ndarray:
    """Tan fur with dark, broken rosettes around darker hearts."""
    u, v = plane(rng, side, warp=0.04)
    count = between(rng, 4, 9)
    x, y = u * count, v * count
    rough = 0.12 * noise(rng, x * 3, y * 3)
    nearest, _, name = cells(rng, x, y, 0.75)
    radius = 0.26 + 0.12 * name
    ring = 1 - step(np.abs(nearest + rough - radius), 0.07, 0.13)
    ring = ring * step(noise(rng, x * 2.2, y * 2.2), -0.75, -0.35)
    base = ramp(layered(rng, u * 3, v * 3, 3), varied(rng, 0.095, 0.6, 0.72),
                varied(rng, 0.11, 0.5, 0.93))  # fmt: skip
    heart = varied(rng, 0.075, 0.75, 0.55)
    picture = mix(base, heart, 0.8 * (1 - step(nearest + rough, radius - 0.1, radius)))
    picture = mix(picture, varied(rng, 0.06, 0.5, 0.1), ring)
    return shaded(picture, hairs(rng, side, u, v, 0.12))


def giraffe(rng, side: int) -> np.ndarray:
    """Brown patches with many corners, cream lines between them."""
    u, v = plane(rng, side, warp=0.04)
    count = between(rng, 2.5, 6)
    _, gap, name = cells(rng, u * count, v * count, 0.8)
    patch = ramp(np.clip(0.6 * name + 0.4 * layered(rng, u * 9, v * 9), 0, 1),
                 varied(rng, 0.06, 0.75, 0.4), varied(rng, 0.075, 0.7, 0.62))  # fmt: skip
    width = between(rng, 0.06, 0.16)
    gap = gap + 0.06 * noise(rng, u * 20, v * 20)
    picture = mix(varied(rng, 0.11, 0.3, 0.92), patch, step(gap, width, width + 0.08))
    return shaded(picture, hairs(rng, side, u, v, 0.08))


def cow(rng, side: int) -> np.ndarray:
    """White hide with a few large black patches."""
    u, v = plane(rng, side, warp=0.05)
    scale = between(rng, 2, 4)
    field = noise(rng, u * scale, v * scale) + 0.15 * noise(rng, u * scale * 4, v * scale * 4)
    dark = step(field, between(rng, -0.05, 0.1), between(rng, 0.12, 0.18))
    picture = mix(np.full(3, between(rng, 0.86, 1)), np.full(3, between(rng, 0.03, 0.14)), dark)
    return shaded(picture, hairs(rng, side, u, v, 0.07))


def crocodile(rng, side: int) -> np.ndarray:
    """Rows of dark olive, horny plates of uneven size, each with a ridge."""
    angle = between(rng, -0.4, 0.4) + (np.pi / 2) * rng.integers(0, 2)
    u, v = plane(rng, side, angle, warp=0.05)
    count = between(rng, 4, 8)
    _, gap, name = cells(rng, u * count, v * count * between(rng, 1.1, 1.5), 0.45)
    gap = gap + 0.05 * noise(rng, u * 30, v * 30)
    dome = step(gap, 0.03, 0.4)
    hue = between(rng, 0.17, 0.27)
    tone = np.clip(0.25 * name + 0.2 * layered(rng, u * 14, v * 14) + 0.6 * dome**2, 0, 1)
    plate = ramp(tone, varied(rng, hue, 0.6, 0.1), varied(rng, hue, 0.5, 0.3),
                 varied(rng, hue - 0.02, 0.42, 0.6))  # fmt: skip
    picture = mix(varied(rng, hue, 0.5, 0.05, 0.03), plate, step(gap, 0.04, 0.12))
    return shaded(picture, lit(0.05 * dome, 0.8, between(rng, 0, 6.28)))


def snake(rng, side: int) -> np.ndarray:
    """Small diamond scales that carry a pattern of large dark diamonds."""
    u, v = plane(rng, side)
    count = between(rng, 11, 17)
    a, b = (u + v) * count, (u - v) * count
    s, t = a - np.floor(a), b - np.floor(b)
    edge = np.minimum(np.minimum(s, 1 - s), np.minimum(t, 1 - t))
    large = between(rng, 2, 3.5)
    diamonds = np.abs((np.floor(a) / count * large) % 1 - 0.5) + np.abs(
        (np.floor(b) / count * large) % 1 - 0.5
    )
    hue = between(rng, 0.07, 0.2)
    picture = mix(
        varied(rng, hue, 0.45, 0.75), varied(rng, hue, 0.6, 0.2), step(diamonds, 0.5, 0.55)
    )
    picture = mix(
        picture, varied(rng, hue, 0.2, 0.95), step(-np.abs(diamonds - 0.42), -0.07, -0.03)
    )
    picture = picture * (0.25 + 0.75 * step(edge, 0.02, 0.16))[..., None]
    return shaded(picture, lit(0.04 * step(edge, 0, 0.4), 1.2, between(rng, 0, 6.28)))


def overlapping(rng, u, v, count: float, length: float):
    """Rows of round scales, each over the one below it: (depth behind the round tip, place across
    -1..1, random number per scale), each [H, W]. `length` is how long a scale is for its width."""
    x, y = u * count, v * count / length
    first = np.floor(y / 0.45).astype(int)
    depth, across, name = np.full_like(u, -1), np.zeros_like(u), np.zeros_like(u)
    names = rng.random((64, 64), dtype=np.float32)
    for row in (first - 1, first, first + 1):
        place = x + 0.5 * (row % 2)
        s, t = place - np.floor(place) - 0.5, y - row * 0.45
        inside = 1 - np.hypot(s, t) / 0.62
        here = (depth < 0) & (inside > 0)
        depth, across = np.where(here, inside, depth), np.where(here, 2 * s, across)
        name = np.where(here, names[row % 64, np.floor(place).astype(int) % 64], name)
    return np.maximum(depth, 0), across, name


def fish_scales(rng, side: int) -> np.ndarray:
    """Rows of glossy, round, overlapping scales."""
    u, v = plane(rng, side, warp=0.02)
    depth, across, name = overlapping(rng, u, v, between(rng, 4, 8), 1)
    main = any_colour(rng) if rng.random() < 0.6 else varied(rng, 0.53, 0.5, 0.6)
    bright = np.clip(0.1 + 1.0 * step(depth, 0.02, 0.35) - 0.6 * step(depth, 0.4, 0.9), 0, 1)
    picture = ramp(bright, main * 0.1, main * 0.75, 0.5 + 0.5 * main)
    gloss = np.exp(-((np.hypot(across + 0.3, 3 * (depth - 0.35)) / 0.35) ** 2))
    picture = mix(picture, np.ones(3), between(rng, 0.2, 0.7) * gloss)
    return shaded(picture, 0.85 + 0.3 * name + 0.25 * across)


def fur(rng, side: int) -> np.ndarray:
    """Long, soft hair in tufts, each hair drawn."""
    u, v = plane(rng, side)
    flow = between(rng, 0, 6.28) + 1.1 * noise(rng, u * 2.5, v * 2.5)
    main = varied(rng, 0.08, 0.5, 0.6, 0.2) if rng.random() < 0.6 else any_colour(rng)
    if rng.random() < 0.25:
        main = np.full(3, between(rng, 0.3, 0.85))
    fine = 2 * side  # drawn at twice the size, because float lines have hard edges
    picture = np.tile(np.float32(main * 0.25), (fine, fine, 1))
    tones = ramp(rng.random(1000), main * 0.15, main * 0.75, main, 0.4 + 0.6 * main)
    thick = side * between(rng, 0.012, 0.028)
    for tone in tones:
        x, y = rng.integers(0, fine, 2)
        reach, turn = fine * between(rng, 0.08, 0.2), flow[y // 2, x // 2]
        end = (int(x + reach * np.cos(turn)), int(y + reach * np.sin(turn)))
        width = max(1, round(thick * between(rng, 0.5, 1.5)))
        cv2.line(picture, (int(x), int(y)), end, tone.tolist(), width)
    picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    tufts = layered(rng, u * 6 * np.cos(flow) + v, v * 6 * np.sin(flow) + u, 2)
    return shaded(picture, 0.75 + 0.5 * tufts)


def feathers(rng, side: int) -> np.ndarray:
    """Rows of long overlapping feathers with a pale shaft, slanting barbs and dark tips."""
    u, v = plane(rng, side, warp=0.03)
    depth, across, name = overlapping(rng, u, v, between(rng, 3, 5.5), between(rng, 1.8, 2.6))
    barbs = np.sin(2 * np.pi * (v * between(rng, 18, 26) - np.abs(across) * 2.2))
    split = step(np.abs(noise(rng, u * 12, v * 5)), 0.02, 0.08)
    shaft = np.exp(-((across / 0.07) ** 2))
    main = any_colour(rng) if rng.random() < 0.5 else np.full(3, between(rng, 0.5, 0.95))
    bright = 0.15 + 0.65 * step(depth, 0, 0.22) - 0.25 * step(depth, 0.35, 1) + 0.16 * barbs
    picture = ramp(np.clip(bright, 0, 1) * (0.7 + 0.3 * split), main * 0.1, main * 0.7,
                   0.25 + 0.75 * main)  # fmt: skip
    picture = mix(picture, 0.6 + 0.4 * main, 0.85 * shaft)
    return shaded(picture, (0.8 + 0.4 * name) * (1 - 0.3 * np.abs(across)))


def dalmatian(rng, side: int) -> np.ndarray:
    """White coat with scattered black spots of uneven size."""
    u, v = plane(rng, side, warp=0.03)
    count = between(rng, 4, 8)
    nearest, _, name = cells(rng, u * count, v * count, 0.9)
    nearest = nearest + 0.08 * noise(rng, u * count * 3, v * count * 3)
    dark = 1 - step(nearest - 0.4 * name, -0.03, 0.04)
    picture = mix(np.full(3, between(rng, 0.88, 1)), np.full(3, between(rng, 0.03, 0.12)), dark)
    return shaded(picture, hairs(rng, side, u, v, 0.05) * (1 + 0.02 * grain(rng, side)))


MATERIALS = (
    Material("zebra", zebra, ("zebra", "zebra fur", "zebra skin", "zebra stripes", "zebra pattern",
                              "black and white zebra stripes")),
    Material("tiger", tiger, ("tiger", "tiger fur", "tiger skin", "tiger stripes",
        "tiger pattern")),
    Material("leopard", leopard, ("leopard", "leopard fur", "leopard skin", "leopard spots",
                                  "leopard print", "cheetah fur", "jaguar fur")),
    Material("giraffe", giraffe, ("giraffe", "giraffe fur", "giraffe skin", "giraffe pattern",
                                  "giraffe patches")),
    Material("cow", cow, ("cow", "cow skin", "cow fur", "cow hide", "cow patches")),
    Material("crocodile", crocodile, ("crocodile", "crocodile skin", "alligator skin",
                                      "crocodile scales", "crocodile leather", "reptile skin")),
    Material("snake", snake, ("snake", "snake skin", "snake scales", "python skin")),
    Material("fish scales", fish_scales, ("fish scales", "fish skin", "mermaid scales",
        "dragon scales"),
             any_colour=True),
    Material("fur", fur, ("fur", "fluffy fur", "hair", "shaggy fur", "long hair"), any_colour=True),
    Material("feathers", feathers, ("feathers", "bird feathers", "plumage", "feather"),
             any_colour=True),
    Material("dalmatian", dalmatian, ("dalmatian", "dalmatian fur", "dalmatian spots")),
)  # fmt: skip
