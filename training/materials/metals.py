"""Metals, bright and rusty, and what is woven or linked like them."""

import numpy as np

from training.materials.fields import (
    between,
    colour,
    courses,
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

CAST = 0.5  # of gold and copper; the others mirror


def polish(rng, side: int, depth: float = 1.2) -> np.ndarray:
    """Brightness [side, side] of polished metal: bands of dark, and highlights above 1.

    The higher `depth`, the broader the dark ones.
    """
    u, v = plane(rng, side, warp=between(rng, 0.05, 0.2))
    kind = rng.integers(0, 3)
    if kind == 0:  # a softly bent sheet that mirrors a horizon
        bend = noise(rng, u * 2, v * 2) * 1.2 + v * between(rng, 1, 4)
        tone = 0.5 + 0.5 * np.sin(2 * np.pi * bend)
    elif kind == 1:  # hammered
        count = between(rng, 4, 10)
        height = noise(rng, u * count, v * count)
        tone = lit(0.25 * height / count, 1.4, between(rng, 0, 6.28)) / 2
    else:  # brushed
        tone = 0.5 + 0.5 * np.sin(2 * np.pi * (v * between(rng, 0.7, 2) + between(rng, 0, 1)))
        tone = tone + 0.14 * noise(rng, u * 2, v * side / 2.5)
    tone = 0.85 * normalised(tone) + 0.15 * layered(rng, u * 6, v * 6)
    return 1.15 * tone**depth + 0.02 * noise(rng, u * 3, v * side / 3)


def cast(rng, side: int) -> np.ndarray:
    """Brightness [side, side] of metal cast in some form: hollows and highlights, no mirrors."""
    u, v = plane(rng, side, warp=0.05)
    scale, stretch = between(rng, 1.5, 4), between(rng, 1, 4)
    form = between(rng, 0.35, 0.9) * noise(rng, u * scale, v * scale)
    fine = noise(rng, u * 9, v * 9 * stretch) + 0.6 * noise(rng, u * 22, v * 22 * stretch)
    light = np.exp(form + between(rng, 0.03, 0.25) * fine)
    tone = between(rng, 0.5, 0.66) * light / np.median(light)
    over = np.maximum(tone - 0.8, 0)
    return tone - over + 0.22 * np.tanh(over / 0.22)


def warm(rng, side: int) -> np.ndarray:
    """Brightness [side, side] of metal that shows its colour: cast, or with little dark in it."""
    return cast(rng, side) if rng.random() < CAST else polish(rng, side, 0.7)


def glinting(tone: np.ndarray, body: np.ndarray, glint: np.ndarray) -> np.ndarray:
    """Metal [side, side, 3] of a colour: its mirrors colour the light, all but small glints."""
    return mix(body, glint, step(tone, 0.95, 1.12))


def gold(rng, side: int) -> np.ndarray:
    """Cast or polished yellow metal with brown shade and a few pale glints."""
    hue, tone = between(rng, 0.11, 0.133), warm(rng, side)
    body = ramp(tone, colour(hue - 0.035, 1, 0.2), colour(hue - 0.02, 0.95, 0.5),
                colour(hue, 0.88, 0.82), colour(hue, 0.75, 1), colour(hue, 0.55, 1))  # fmt: skip
    return glinting(tone, body, colour(hue + 0.01, 0.2, 1))


def silver(rng, side: int) -> np.ndarray:
    """Polished colourless metal."""
    cool = colour(0.6, between(rng, 0, 0.05), 1)
    return ramp(polish(rng, side), 0.1 * cool, 0.42 * cool, 0.68 * cool, 0.88 * cool, np.ones(3))


def copper(rng, side: int) -> np.ndarray:
    """Cast or polished reddish metal."""
    hue, tone = between(rng, 0.048, 0.065), warm(rng, side)
    body = ramp(tone, colour(hue, 0.9, 0.15), colour(hue, 0.82, 0.48),
                colour(hue, 0.74, 0.76), colour(hue, 0.66, 0.93), colour(hue, 0.5, 1))  # fmt: skip
    return glinting(tone, body, colour(hue, 0.15, 1))


def iron(rng, side: int) -> np.ndarray:
    """Dark plates of armour with bright edges and rivets."""
    u, v = plane(rng, side, between(rng, -0.5, 0.5))
    count = between(rng, 2.5, 5)
    s, t, name = courses(rng, u * count * between(rng, 0.5, 0.8), v * count)
    bow = np.sin(np.pi * t) ** 0.6
    tone = 0.2 + 0.38 * bow + 0.12 * (name - 0.5) + 0.12 * (layered(rng, u * 5, v * 30) - 0.5)
    tone += 0.35 * np.exp(-(((t - 0.32) / 0.1) ** 2)) * between(rng, 0.4, 1)
    tone -= 0.4 * (1 - step(t, 0, 0.07))
    rivet = np.hypot((s * 4) % 1 - 0.5, (t - 0.86) * 3.2)
    tone += 0.45 * np.exp(-((rivet / 0.16) ** 2)) - 0.25 * np.exp(-(((rivet - 0.3) / 0.1) ** 2))
    return np.clip(tone, 0.02, 1)[..., None] * colour(0.6, between(rng, 0.02, 0.12), 1)


def rust(rng, side: int) -> np.ndarray:
    """Flaking orange-brown oxide with rests of grey metal."""
    u, v = plane(rng, side, warp=0.06)
    scale = between(rng, 3, 6)
    crust = layered(rng, u * scale, v * scale, 6, 0.62)
    picture = ramp(crust, varied(rng, 0.03, 0.75, 0.16), varied(rng, 0.045, 0.85, 0.4),
                   varied(rng, 0.06, 0.88, 0.66), varied(rng, 0.075, 0.8, 0.82))  # fmt: skip
    bare = step(layered(rng, u * 3, v * 3, 5, 0.6), 0.64, 0.74) * rng.integers(0, 2)
    picture = mix(picture, colour(0.57, 0.12, between(rng, 0.35, 0.6)), bare)
    return shaded(picture, lit(0.05 * crust, 1, between(rng, 0, 6.28)))


def chainmail(rng, side: int) -> np.ndarray:
    """Rows of interlocking steel rings over black."""
    u, v = plane(rng, side, between(rng, -0.4, 0.4))
    count = between(rng, 7, 12)
    tone = np.zeros_like(u)
    for shift in (0.0, 0.5):
        x, y = u * count + shift, v * count * 1.2 + shift
        s, t = x - np.floor(x) - 0.5, y - np.floor(y) - 0.5
        ring = np.exp(-(((np.hypot(s, t) - 0.38) / 0.1) ** 2))
        tone = np.maximum(tone, ring * (0.6 - 0.5 * (s + t)))
    return np.clip(0.05 + tone, 0, 1)[..., None] * colour(0.6, 0.06, 1)


def carbon(rng, side: int) -> np.ndarray:
    """Black fibres in a slanting weave."""
    u, v = plane(rng, side, between(rng, -0.3, 0.3))
    count = between(rng, 8, 16)
    x, y = u * count, v * count
    over = ((np.floor(x) + np.floor(y)) % 4) < 2
    s, t = x - np.floor(x), y - np.floor(y)
    across = np.where(over, np.sin(np.pi * s), np.sin(np.pi * t))
    tone = np.where(over, 0.3, 0.12) * (0.35 + 0.65 * across) + 0.02 * noise(rng, u * 60, v * 60)
    return np.clip(tone, 0.01, 1)[..., None] * colour(0.6, 0.08, 1)


MATERIALS = (
    Material("gold", gold, ("gold", "shiny gold", "golden metal", "gold metal", "polished gold",
                            "golden")),
    Material("silver", silver, ("silver", "shiny silver", "chrome", "silver metal", "steel",
                                "polished steel", "metal")),
    Material("copper", copper, ("copper", "bronze", "shiny copper", "copper metal")),
    Material("iron", iron, ("iron", "shiny medieval iron armor", "iron armor", "medieval armor",
                            "iron plates", "armor")),
    Material("rust", rust, ("rust", "rusty metal", "rusted iron", "rusty iron", "rusted metal")),
    Material("chainmail", chainmail, ("chainmail", "chain mail", "metal rings")),
    Material("carbon fiber", carbon, ("carbon fiber", "carbon fibre", "black carbon fiber")),
)  # fmt: skip
