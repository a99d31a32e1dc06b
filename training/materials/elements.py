"""Water, fire, air and space."""

import numpy as np

from training.materials.fields import (
    between,
    cells,
    colour,
    grain,
    layered,
    lit,
    mix,
    noise,
    normalised,
    plane,
    ramp,
    step,
    varied,
)
from training.materials.material import Material


def ice(rng, side: int) -> np.ndarray:
    """Pale blue, translucent, with white cracks and bright planes."""
    u, v = plane(rng, side, warp=0.05)
    count = between(rng, 2.5, 5)
    _, gap, name = cells(rng, u * count, v * count, 1)
    _, fine, _ = cells(rng, u * count * 2.3, v * count * 2.3, 1)
    hue = between(rng, 0.52, 0.57)
    tone = np.clip(0.15 + 0.45 * name + 0.55 * layered(rng, u * 3, v * 3, 4), 0, 1)
    picture = ramp(tone, colour(hue, 0.6, 0.55), colour(hue, 0.38, 0.82), colour(hue, 0.16, 0.96))
    picture = mix(picture, np.ones(3), 0.9 * np.exp(-gap / 0.04))
    return mix(picture, np.ones(3), 0.45 * np.exp(-fine / 0.04))


def snow(rng, side: int) -> np.ndarray:
    """White powder with soft blue-grey hollows and a fine sparkle."""
    u, v = plane(rng, side)
    height = layered(rng, u * between(rng, 2, 4), v * between(rng, 2, 4), 4)
    light = lit(0.16 * height, 1, between(rng, 0, 6.28))
    tone = np.clip(0.78 * light + 0.1 + 0.025 * grain(rng, side), 0, 1)
    picture = ramp(
        tone, colour(0.61, 0.35, 0.45), colour(0.6, 0.14, 0.8), np.full(3, 0.97), np.ones(3)
    )
    return mix(picture, np.ones(3), step(grain(rng, side, 0.7), 2.2, 2.8))


def water(rng, side: int) -> np.ndarray:
    """Blue-green with a net of light."""
    u, v = plane(rng, side, warp=0.08)
    count = between(rng, 3, 6)
    stretch = between(rng, 1, 2)
    bend = 0.3 * noise(rng, u * count * 2, v * count * 2)
    _, gap, _ = cells(rng, u * count + bend, v * count * stretch + bend, 1)
    hue = between(rng, 0.5, 0.6)
    deep = layered(rng, u * 3, v * 3 * stretch, 3)
    picture = ramp(
        deep, colour(hue + 0.02, 0.95, 0.25), colour(hue, 0.85, 0.55), colour(hue, 0.7, 0.75)
    )
    return mix(picture, colour(hue - 0.02, 0.15, 1), 0.85 * np.exp(-((gap / 0.12) ** 2)))


def lava(rng, side: int) -> np.ndarray:
    """Black crust with glowing cracks."""
    u, v = plane(rng, side, warp=0.08)
    count = between(rng, 3, 6)
    bend = 0.25 * noise(rng, u * count * 2, v * count * 2)
    _, gap, name = cells(rng, u * count + bend, v * count - bend, 1)
    crust = ramp(
        0.5 * name + 0.5 * layered(rng, u * 16, v * 16), np.full(3, 0.03), colour(0.04, 0.3, 0.2)
    )
    glow = np.exp(-gap / between(rng, 0.07, 0.13))
    fire_colours = ramp(glow, colour(0.0, 1, 0.25), colour(0.02, 1, 0.8), colour(0.07, 0.95, 1),
                        colour(0.14, 0.6, 1))  # fmt: skip
    return mix(crust, fire_colours, step(glow, 0.12, 0.6))


def fire(rng, side: int) -> np.ndarray:
    """Flames that lick upwards, from dark red to yellow-white."""
    u, v = plane(rng, side, between(rng, -0.3, 0.3), warp=0.06)
    scale = between(rng, 3, 6)
    bend = 0.35 * noise(rng, u * scale, v * scale * 0.6)
    tongues = layered(rng, u * scale * 1.5 + bend, v * scale * 0.55, 4, 0.5)
    ridge = 1 - np.abs(2 * tongues - 1)
    tone = np.clip(0.65 * tongues + 0.45 * ridge + 0.2 * v - between(rng, 0.05, 0.25), 0, 1)
    return ramp(normalised(tone), np.array([0.04, 0, 0]), colour(0.0, 1, 0.5), colour(0.03, 1, 0.9),
                colour(0.085, 1, 1), colour(0.14, 0.75, 1), colour(0.16, 0.2, 1))  # fmt: skip


def clouds(rng, side: int) -> np.ndarray:
    """White heaps on blue."""
    u, v = plane(rng, side, between(rng, -0.3, 0.3))
    scale = between(rng, 2, 4)
    field = layered(rng, u * scale, v * scale * 1.3, 6, 0.55)
    cover = step(field, between(rng, 0.35, 0.5), between(rng, 0.58, 0.68))
    sky = mix(varied(rng, 0.58, 0.7, 0.72), varied(rng, 0.57, 0.45, 0.9), normalised(v))
    light = lit(0.2 * field, 0.8, np.pi / 2)
    white = ramp(
        np.clip(0.5 * light + 0.1, 0, 1), colour(0.6, 0.15, 0.6), np.full(3, 0.93), np.ones(3)
    )
    return mix(sky, white, cover)


def galaxy(rng, side: int) -> np.ndarray:
    """Violet and blue nebulae with stars on black."""
    u, v = plane(rng, side, warp=0.12)
    glow = np.clip(layered(rng, u * 2.5, v * 2.5, 5) * 1.6 - 0.6, 0, 1)
    first, second = between(rng, 0.6, 0.7), between(rng, 0.78, 0.92)
    gas = mix(colour(first, 0.85, 0.9), colour(second, 0.75, 0.95), layered(rng, u * 2, v * 2, 3))
    picture = gas * (glow**1.3)[..., None] + np.array([0.015, 0.01, 0.04])
    stars = step(grain(rng, side, 0.75), 2.3, 3)
    big = step(grain(rng, side, 1.3), 2.9, 3.5)
    return mix(picture, np.ones(3), np.clip(stars + big, 0, 1))


def rainbow(rng, side: int) -> np.ndarray:
    """Bands of all colours in the order of the spectrum."""
    _u, v = plane(rng, side, warp=0.02)
    place = v * between(rng, 1.2, 2.4) + rng.random()
    steps = 7 if rng.random() < 0.6 else 60
    hue = np.floor((place % 1) * steps) / steps
    wheel = [colour(turn / 12, between(rng, 0.8, 0.95), 0.97) for turn in range(13)]
    return ramp(hue * 0.85, *wheel)


MATERIALS = (
    Material("ice", ice, ("ice", "blue ice", "frozen ice", "cracked ice", "an ice sculpture",
                          "frost")),
    Material("snow", snow, ("snow", "white snow", "powder snow", "snowy")),
    Material("water", water, ("water", "blue water", "sea water", "water ripples", "ocean")),
    Material("lava", lava, ("lava", "molten lava", "magma", "volcanic lava", "hot lava")),
    Material("fire", fire, ("fire", "flames", "burning fire", "flaming", "burning")),
    Material("clouds", clouds, ("clouds", "white clouds", "cloudy sky", "sky")),
    Material("galaxy", galaxy, ("galaxy", "stars", "nebula", "outer space", "starry galaxy")),
    Material("rainbow", rainbow, ("rainbow", "rainbow colors", "rainbow stripes")),
)  # fmt: skip
