"""Food."""

import numpy as np

from training.materials.fields import (
    between,
    cells,
    colour,
    courses,
    hexagons,
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
    nearest, second, name = hexagons(rng, u * count, v * count)
    wax, honey = varied(rng, 0.125, 0.6, 0.95), varied(rng, 0.1, 0.95, 0.62)
    inner = ramp(
        np.clip(0.7 * name + 0.6 * nearest, 0, 1), honey * 0.6, honey, varied(rng, 0.115, 0.9, 0.9)
    )
    return mix(wax, inner, step(second, 0.03, 0.1))


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
)  # fmt: skip
