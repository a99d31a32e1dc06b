"""Food, toys, technology and pictures made by hand."""

import cv2
import numpy as np

from tools.materials.animals import overlapping
from tools.materials.fields import (
    any_colour,
    between,
    cells,
    colour,
    courses,
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
from tools.materials.material import Material


def chocolate(rng, side: int) -> np.ndarray:
    """Bevelled brown pieces of a bar."""
    u, v = plane(rng, side, between(rng, -0.6, 0.6))
    count = between(rng, 3, 6)
    s, t, _ = courses(rng, u * count, v * count * between(rng, 1, 1.6), 0)
    edge = np.minimum(np.minimum(s, 1 - s), np.minimum(t, 1 - t))
    height = step(edge, 0.03, 0.09) + step(edge, 0.14, 0.28)
    hue = between(rng, 0.04, 0.065)
    picture = ramp(
        np.clip(height / 2, 0, 1),
        colour(hue, 0.8, 0.1),
        colour(hue, 0.72, between(rng, 0.25, 0.42)),
    )
    picture = shaded(picture, 0.85 + 0.3 * layered(rng, u * 3, v * 3))
    return shaded(picture, lit(0.035 * height, 1.6, between(rng, 0, 6.28)))


def strawberry(rng, side: int) -> np.ndarray:
    """Glossy red with yellow seeds in dimples."""
    u, v = plane(rng, side, between(rng, -0.4, 0.4), warp=0.03)
    count = between(rng, 4, 8)
    s, t, _ = courses(rng, u * count, v * count * 1.1)
    x, y = s - 0.5, t - 0.5
    reach = np.hypot(x * 1.6, y)
    dimple = np.exp(-((reach / 0.3) ** 2))
    picture = ramp(
        layered(rng, u * 3, v * 3), varied(rng, 0.98, 0.92, 0.62), varied(rng, 0.995, 0.85, 0.9)
    )
    picture = shaded(picture, lit(-0.06 * dimple, 1.5, between(rng, 0, 6.28)))
    return mix(picture, varied(rng, 0.13, 0.6, 0.9), 1 - step(reach, 0.13, 0.18))


def candy(rng, side: int) -> np.ndarray:
    """Round glossy sweets of many bright colours, close together."""
    u, v = plane(rng, side)
    count = between(rng, 4, 7)
    nearest, _, name = cells(rng, u * count, v * count, 0.3)
    table = np.array([colour(turn, 0.9, 0.95) for turn in (0, 0.07, 0.15, 0.33, 0.58, 0.85)])
    sweets = table[(name * 6).astype(int)] * (1.15 - 0.9 * nearest)[..., None]
    picture = mix(sweets * 0.15, sweets, 1 - step(nearest, 0.44, 0.52))
    return mix(picture, np.ones(3), 0.75 * np.exp(-(((nearest - 0.05) / 0.1) ** 2)))


def candy_cane(rng, side: int) -> np.ndarray:
    """Slanting red and white stripes with a sugary shine."""
    u, v = plane(rng, side)
    count = between(rng, 3, 6)
    wave = np.sin(2 * np.pi * v * count + 0.3 * noise(rng, u * 2, v * 2))
    picture = mix(np.full(3, 0.97), varied(rng, 0.985, 0.92, 0.82), step(wave, -0.12, 0.12))
    gloss = np.exp(-(((u - between(rng, -0.3, 0.3)) / 0.08) ** 2))
    return mix(picture, np.ones(3), 0.45 * gloss)


def watermelon(rng, side: int) -> np.ndarray:
    """Light green rind with dark, jagged bands."""
    u, v = plane(rng, side, warp=0.05)
    count = between(rng, 3, 6)
    jag = 0.3 * noise(rng, u * 14, v * 5) + 0.25 * noise(rng, u * 30, v * 12)
    wave = np.sin(2 * np.pi * v * count) + jag * 2
    pale = ramp(
        layered(rng, u * 20, v * 8), varied(rng, 0.27, 0.5, 0.62), varied(rng, 0.24, 0.42, 0.82)
    )
    return mix(pale, varied(rng, 0.34, 0.75, 0.2), step(wave, -0.1, 0.25))


def pineapple(rng, side: int) -> np.ndarray:
    """A lattice of golden-brown diamonds, each with an eye."""
    u, v = plane(rng, side, between(rng, -0.3, 0.3))
    count = between(rng, 3.5, 6.5)
    a, b = (u + 0.7 * v) * count, (u - 0.7 * v) * count
    s, t = a - np.floor(a), b - np.floor(b)
    edge = np.minimum(np.minimum(s, 1 - s), np.minimum(t, 1 - t))
    dome = step(edge, 0, 0.35)
    picture = ramp(
        dome,
        varied(rng, 0.25, 0.7, 0.2),
        varied(rng, 0.11, 0.85, 0.6),
        varied(rng, 0.12, 0.7, 0.85),
    )
    picture = shaded(picture, lit(0.035 * dome, 1.2, between(rng, 0, 6.28)))
    eye = 1 - step(np.hypot(s - 0.5, t - 0.5), 0.08, 0.16)
    return mix(picture, varied(rng, 0.06, 0.7, 0.2), 0.85 * eye)


def corn(rng, side: int) -> np.ndarray:
    """Rows of plump yellow kernels."""
    u, v = plane(rng, side, between(rng, -0.4, 0.4) + np.pi / 2 * rng.integers(0, 2))
    count = between(rng, 6, 10)
    s, t, name = courses(rng, u * count, v * count, 0.3)
    edge = np.minimum(np.minimum(s, 1 - s), np.minimum(t, 1 - t))
    dome = step(edge, 0.0, 0.35)
    picture = ramp(0.35 * name + 0.65 * dome, varied(rng, 0.11, 0.95, 0.45), varied(rng, 0.135,
        0.9, 0.9),
                   varied(rng, 0.145, 0.6, 1))  # fmt: skip
    shine = np.exp(-((np.hypot(s - 0.35, t - 0.35) / 0.1) ** 2))
    return mix(shaded(picture, lit(0.025 * dome, 1, 3.9)), np.ones(3), 0.5 * shine)


def honeycomb(rng, side: int) -> np.ndarray:
    """Six-sided wax cells filled with amber honey."""
    u, v = plane(rng, side)
    count = between(rng, 5, 9)
    nearest, second, name = hexagons(u * count, v * count, rng)
    wax, honey = varied(rng, 0.125, 0.6, 0.95), varied(rng, 0.1, 0.95, 0.62)
    inner = ramp(
        np.clip(0.7 * name + 0.6 * nearest, 0, 1), honey * 0.6, honey, varied(rng, 0.115, 0.9, 0.9)
    )
    return mix(wax, inner, step(second, 0.03, 0.1))


def hexagons(x: np.ndarray, y: np.ndarray, rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Six-sided cells: distance to the centre, distance from the edge, random number per cell."""
    height = np.sqrt(3.0)
    found = []
    for shift in (0.0, 0.5):
        column, row = np.round(x - shift), np.round(y / height - shift)
        found.append((np.hypot(x - shift - column, y - (row + shift) * height), column, row, shift))
    first = found[0][0] < found[1][0]
    pick = [np.where(first, a, b) for a, b in zip(found[0], found[1], strict=True)]
    dx, dy = np.abs(x - pick[3] - pick[1]), np.abs(y - (pick[2] + pick[3]) * height)
    edge = 0.5 - np.maximum(dx, 0.5 * dx + dy * height / 2)
    names = rng.random((64, 64))
    lookup = names[(pick[2] * 2 + 2 * pick[3]).astype(int) % 64, pick[1].astype(int) % 64]
    return pick[0], edge, lookup


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
    """Plastic bricks with round studs in a lattice."""
    u, v = plane(rng, side, between(rng, -0.5, 0.5))
    count = between(rng, 5, 9)
    x, y = u * count, v * count
    length = rng.integers(1, 4)
    names = rng.random((64, 64))
    row = np.floor(y / 2)
    piece = np.floor((x + row) / (2 * length))
    name = names[row.astype(int) % 64, piece.astype(int) % 64]
    bright = [colour(turn, 0.88, 0.85) for turn in (0.0, 0.13, 0.33, 0.6, 0.08)] + [
        np.full(3, 0.92)
    ]
    single = rng.random() < 0.4
    table = np.array([bright[rng.integers(6)]] * 6 if single else bright)
    base = table[(name * 6).astype(int)]
    s, t = x - np.floor(x) - 0.5, y - np.floor(y) - 0.5
    stud = 1 - step(np.hypot(s, t), 0.28, 0.34)
    place, up = ((x + row) / (2 * length)) % 1, (y / 2) % 1
    seam = np.minimum(np.minimum(place, 1 - place) * 2 * length, np.minimum(up, 1 - up) * 2)
    base = base * (0.35 + 0.65 * step(seam, 0.02, 0.1))[..., None]
    shadow = 1 - step(np.hypot(s - 0.09, t - 0.09), 0.28, 0.42)
    picture = base * (1 - 0.5 * (shadow * (1 - stud)))[..., None]
    return shaded(picture, lit(0.03 * stud, 1.3, 3.9))


def plastic(rng, side: int) -> np.ndarray:
    """One smooth colour with a soft sheen: paint, plastic, enamel."""
    u, v = plane(rng, side, warp=0.1)
    main = any_colour(rng) if rng.random() < 0.8 else np.full(3, between(rng, 0.05, 1))
    tone = 0.35 + 0.35 * layered(rng, u * 1.3, v * 1.3, 2)
    picture = ramp(tone, main * 0.3, main, 0.3 + 0.7 * main)
    sheen = np.exp(-(((v - between(rng, -0.4, 0.4)) / between(rng, 0.05, 0.12)) ** 2))
    return mix(picture, np.ones(3), between(rng, 0, 0.6) * sheen)


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
    """Grey pencil hatching on white paper."""
    picture = np.full((side, side), 0.97, np.float32)
    u, v = plane(rng, side)
    dark = layered(rng, u * 2.5, v * 2.5, 3)
    for threshold, angle in ((0.3, 0.8), (0.5, -0.8), (0.68, 0.1)):
        angle += between(rng, -0.2, 0.2)
        place = (u * np.cos(angle) + v * np.sin(angle)) * between(rng, 22, 30)
        line = np.exp(-((((place + 0.3 * noise(rng, u * 4, v * 4)) % 1 - 0.5) / 0.16) ** 2))
        picture -= (
            0.6
            * line
            * step(dark, threshold, threshold + 0.1)
            * (0.6 + 0.4 * noise(rng, u * 30, v * 30))
        )
    return np.clip(picture, 0.08, 1)[..., None] * np.ones(3)


def sequins(rng, side: int) -> np.ndarray:
    """Small round mirrors in rows, a few of them flashing."""
    u, v = plane(rng, side)
    depth, across, name = overlapping(rng, u, v, between(rng, 10, 16), 1)
    main = any_colour(rng)
    tone = np.clip(
        0.15 + 0.5 * step(depth, 0, 0.2) + 0.6 * (name > 0.82) + 0.25 * across * (name - 0.5), 0, 1
    )
    return ramp(tone, main * 0.1, main * 0.75, np.ones(3))


def neon(rng, side: int) -> np.ndarray:
    """Glowing tubes of light in the dark."""
    u, v = plane(rng, side, warp=0.1)
    picture = np.tile(np.array([0.02, 0.01, 0.05]), (side, side, 1))
    for hue in rng.choice([0.5, 0.83, 0.92, 0.33, 0.6], 3, replace=False):
        scale = between(rng, 2, 3.5)
        line = np.abs(noise(rng, u * scale, v * scale)) / scale
        picture = picture + colour(hue, 0.95, 0.9) * np.exp(-line / 0.03)[..., None]
        picture = picture + 0.8 * np.exp(-((line / 0.012) ** 2))[..., None]
    return picture + 0.005 * grain(rng, side)[..., None]


MATERIALS = (
    Material("chocolate", chocolate, ("chocolate", "chocolate bar", "dark chocolate",
        "milk chocolate")),
    Material("strawberry", strawberry, ("strawberry", "strawberry skin", "red strawberry",
                                        "strawberries")),
    Material("candy", candy, ("candy", "colorful candy", "sweets", "candies", "gumballs")),
    Material("candy cane", candy_cane, ("candy cane", "red and white stripes", "peppermint candy")),
    Material("watermelon", watermelon, ("watermelon", "watermelon rind", "melon",
        "watermelon skin")),
    Material("pineapple", pineapple, ("pineapple", "pineapple skin", "pineapple fruit")),
    Material("corn", corn, ("corn", "corn kernels", "corn cob", "yellow corn")),
    Material("honeycomb", honeycomb, ("honeycomb", "honey", "beehive", "honey cells")),
    Material("circuit board", circuit, ("circuit board", "electronic circuit", "computer chips",
                                        "circuits")),
    Material("lego", lego, ("lego", "lego bricks", "toy blocks", "lego blocks"), any_colour=True),
    Material("plastic", plastic, ("plastic", "paint", "glossy paint", "shiny plastic", "enamel"),
             any_colour=True),
    Material("painting", painting, ("oil painting", "van gogh painting", "starry night painting",
                                    "brush strokes", "a painting")),
    Material("sketch", sketch, ("pencil sketch", "pencil drawing", "sketch", "hatching")),
    Material("sequins", sequins, ("sequins", "glitter", "sparkling sequins"), any_colour=True),
    Material("neon", neon, ("neon lights", "neon", "glowing neon", "neon tubes")),
)  # fmt: skip
