"""Toys, technology and paint."""

import cv2
import numpy as np

from training.materials.fields import (
    any_colour,
    between,
    colour,
    layered,
    lit,
    mix,
    plane,
    ramp,
    shaded,
    step,
    varied,
)
from training.materials.material import Material


def circuit(rng, side: int) -> np.ndarray:
    """Green board with parallel traces, round pads and black chips."""
    hue = between(rng, 0.36, 0.42) if rng.random() < 0.8 else between(rng, 0.55, 0.6)
    scale = 2
    full = side * scale
    picture = np.tile(colour(hue, 0.85, between(rng, 0.2, 0.36)), (full, full, 1))
    pitch = full / between(rng, 13, 20)
    trace = varied(rng, 0.13, 0.55, 0.8) if rng.random() < 0.5 else colour(hue - 0.04, 0.6, 0.62)
    for _ in range(int(between(rng, 24, 40))):
        point = np.round(rng.uniform(0, full, 2) / pitch) * pitch
        line = [point]
        for _ in range(int(rng.integers(2, 5))):
            turn = rng.integers(0, 8) * np.pi / 4
            reach = pitch * rng.integers(2, 6)
            line.append(line[-1] + reach * np.round([np.cos(turn), np.sin(turn)], 3))
        corners = np.array(line, np.int32)
        cv2.polylines(
            picture, [corners], False, trace.tolist(), max(2, int(pitch * 0.22)), cv2.LINE_AA
        )
        for end in (corners[0], corners[-1]):
            cv2.circle(
                picture, tuple(map(int, end)), int(pitch * 0.38), (0.85, 0.75, 0.4), -1, cv2.LINE_AA
            )
            cv2.circle(
                picture, tuple(map(int, end)), int(pitch * 0.16), (0.05, 0.1, 0.05), -1, cv2.LINE_AA
            )
    for _ in range(int(rng.integers(2, 5))):
        corner = np.round(rng.uniform(0, full * 0.8, 2) / pitch) * pitch
        size = pitch * rng.integers(2, 6, 2)
        for place in np.arange(corner[0] + pitch / 2, corner[0] + size[0], pitch):
            start, end = (
                (int(place), int(corner[1] - pitch * 0.5)),
                (int(place), int(corner[1] + size[1] + pitch * 0.5)),
            )
            cv2.line(picture, start, end, (0.8, 0.8, 0.8), max(2, int(pitch * 0.3)))
        first, last = tuple(map(int, corner)), tuple(map(int, corner + size))
        cv2.rectangle(picture, first, last, (0.07, 0.07, 0.08), -1)
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


def lego(rng, side: int) -> np.ndarray:
    """Plastic bricks with round, shiny studs in a lattice."""
    u, v = plane(rng, side, between(rng, -0.5, 0.5))
    count = between(rng, 3.5, 7)
    x, y = u * count, v * count
    length = rng.integers(1, 4)
    names = rng.random((64, 64))
    row = np.floor(y / 2)
    piece = np.floor((x + row) / (2 * length))
    name = names[row.astype(int) % 64, piece.astype(int) % 64]
    bright = [colour(turn, 0.9, 0.88) for turn in (0.0, 0.14, 0.36, 0.6, 0.07)] + [np.full(3, 0.92)]
    single = rng.random() < 0.35
    table = np.array([bright[rng.integers(6)]] * 6 if single else bright)
    base = table[(name * 6).astype(int)]
    s, t = x - np.floor(x) - 0.5, y - np.floor(y) - 0.5
    stud = 1 - step(np.hypot(s, t), 0.3, 0.35)
    place, up = ((x + row) / (2 * length)) % 1, (y / 2) % 1
    seam = np.minimum(np.minimum(place, 1 - place) * 2 * length, np.minimum(up, 1 - up) * 2)
    base = base * (0.3 + 0.7 * step(seam, 0.02, 0.1))[..., None]
    shadow = 1 - step(np.hypot(s - 0.1, t - 0.1), 0.28, 0.44)
    picture = base * (1 - 0.6 * (shadow * (1 - stud)))[..., None]
    picture = shaded(picture, 1 + 0.12 * stud)
    shine = np.exp(-((np.hypot(s + 0.14, t + 0.14) / 0.09) ** 2))
    return mix(shaded(picture, lit(0.03 * stud, 1.3, 3.9)), np.ones(3), 0.6 * shine)


def plastic(rng, side: int) -> np.ndarray:
    """One smooth colour with soft shade and at least one clear, white sheen."""
    u, v = plane(rng, side, warp=0.1)
    main = any_colour(rng) if rng.random() < 0.8 else np.full(3, between(rng, 0.05, 1))
    tone = 0.35 + 0.35 * layered(rng, u * 1.3, v * 1.3, 2)
    picture = ramp(tone, main * 0.3, main, 0.3 + 0.7 * main)
    for _ in range(int(rng.integers(1, 4))):
        place, width = between(rng, -0.4, 0.4), between(rng, 0.02, 0.07)
        sheen = step(-np.abs(v - place), -width, -0.3 * width)
        picture = mix(picture, np.ones(3), between(rng, 0.35, 0.8) * sheen)
    return picture


MATERIALS = (
    Material("circuit board", circuit, ("circuit board", "electronic circuit", "computer chips",
                                        "circuits")),
    Material("lego", lego, ("lego", "lego bricks", "toy blocks", "lego blocks"), any_colour=True),
    Material("plastic", plastic, ("plastic", "paint", "glossy paint", "shiny plastic", "enamel"),
             any_colour=True),
)  # fmt: skip
