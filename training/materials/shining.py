"""What glitters and glows."""

import numpy as np

from training.materials.fields import (
    any_colour,
    between,
    colour,
    grain,
    hexagons,
    mix,
    noise,
    plane,
    ramp,
    step,
)
from training.materials.material import Material


def sequins(rng, side: int) -> np.ndarray:
    """Small round mirrors close together, each tilted its own way, some flashing white."""
    u, v = plane(rng, side)
    count = between(rng, 7, 13)
    x, y = u * count, v * count
    reach, _edge, name = hexagons(rng, x, y)
    main = any_colour(rng)
    turn = 60 * name
    tilt = np.cos(turn) * (x - np.round(x)) + np.sin(turn) * (y - np.round(y))
    tone = np.clip(0.15 + 0.6 * name**2 + 0.5 * tilt + 0.6 * (name > 0.85), 0, 1)
    picture = ramp(tone, main * 0.12, main * 0.7, 0.3 + 0.7 * main, np.ones(3))
    return mix(picture, main * 0.06, step(reach, 0.44, 0.52))


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
    Material("sequins", sequins, ("sequins", "glitter", "sparkling sequins"), any_colour=True),
    Material("neon", neon, ("neon lights", "neon", "glowing neon", "neon tubes")),
)  # fmt: skip
