"""Stone, glass and what is laid from small pieces."""

import numpy as np

from training.materials.fields import (
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
from training.materials.material import Material


def wall_angle(rng) -> float:
    """Mostly upright, sometimes laid on its side."""
    return between(rng, -0.3, 0.3) + (np.pi / 2 if rng.random() < 0.25 else 0)


def brick(rng, side: int) -> np.ndarray:
    """Courses of red bricks in light mortar."""
    u, v = plane(rng, side, wall_angle(rng))
    count = between(rng, 5, 11)
    s, t, name = courses(rng, u * count / between(rng, 1.8, 2.4), v * count)
    wobble = 0.02 * noise(rng, u * 40, v * 40)
    edge = np.minimum(np.minimum(s, 1 - s) * 2.1, np.minimum(t, 1 - t)) + wobble
    joint = between(rng, 0.05, 0.1)
    inner = step(edge, joint, joint + 0.06)
    hue = between(rng, 0.0, 0.045)
    clay = ramp(0.6 * name + 0.4 * layered(rng, u * 25, v * 25), varied(rng, hue, 0.7, 0.38),
                varied(rng, hue, 0.72, 0.6), varied(rng, hue + 0.02, 0.6, 0.78))  # fmt: skip
    picture = mix(varied(rng, 0.1, 0.08, between(rng, 0.6, 0.88)), clay, inner)
    return shaded(picture, lit(0.02 * inner, 1.2, between(rng, 0, 6.28)))


def cobblestone(rng, side: int) -> np.ndarray:
    """Rounded grey stones with dark gaps."""
    u, v = plane(rng, side)
    count = between(rng, 3.5, 8)
    _, gap, name = cells(rng, u * count, v * count, 0.65)
    dome = np.sqrt(np.clip(gap - 0.05, 0, 1))
    hue, saturation = between(rng, 0.05, 0.6), between(rng, 0.02, 0.12)
    stone = ramp(0.6 * name + 0.4 * layered(rng, u * 20, v * 20), colour(hue, saturation, 0.35),
                 colour(hue, saturation, 0.72))  # fmt: skip
    picture = mix(np.full(3, 0.1), stone, step(gap, 0.05, 0.16))
    return shaded(picture, lit(0.16 * dome, 1.0, between(rng, 0, 6.28)))


def marble(rng, side: int) -> np.ndarray:
    """White polished stone with branching grey veins, a few of them bold."""
    u, v = plane(rng, side, warp=0.15)
    vein = np.zeros_like(u)
    for scale, width, weight in ((1.4, 0.07, 1.0), (3, 0.05, 0.6), (6, 0.05, 0.3)):
        line = noise(rng, u * scale, 0.6 * v * scale)
        line += 0.3 * noise(rng, u * scale * 3, v * scale * 3)
        fading = 0.5 + 0.5 * noise(rng, u * 2, v * 2)
        core = np.exp(-np.abs(line) / width) * (0.4 + 0.6 * fading)
        vein = np.maximum(vein, weight * np.clip(core, 0, 1))
        vein = np.maximum(vein, 0.35 * weight * np.exp(-np.abs(line) / (5 * width)))
    clouds = layered(rng, u * 2, v * 2, 5)
    white, grey = between(rng, 0.93, 1), between(rng, 0.15, 0.4)
    picture = ramp(clouds, np.full(3, white - 0.14), np.full(3, white), np.full(3, white))
    warm = np.array([1, between(rng, 0.97, 1), between(rng, 0.93, 1)])
    return mix(picture, colour(0.6, between(rng, 0, 0.15), grey), vein) * warm


def granite(rng, side: int) -> np.ndarray:
    """A dense mix of black, grey, white and pinkish grains."""
    u, v = plane(rng, side)
    count = between(rng, 22, 40)
    _, _, name = cells(rng, u * count, v * count, 1)
    _, _, fine = cells(rng, u * count * 1.7, v * count * 1.7, 1)
    tone = np.where(fine > 0.6, fine * 2 - 1, name)
    pink = colour(between(rng, 0, 0.06), between(rng, 0.05, 0.3), 0.72)
    return ramp(tone, np.full(3, 0.08), np.full(3, 0.4), pink, pink, np.full(3, 0.92))


def concrete(rng, side: int) -> np.ndarray:
    """Flat grey with stains, many pores and a fine crack."""
    u, v = plane(rng, side)
    base = between(rng, 0.36, 0.6)
    stains = 0.26 * (layered(rng, u * 3, v * 3, 6, 0.65) - 0.5)
    pores = step(grain(rng, side, 1.2), 1.9, 2.5) + step(grain(rng, side, 2.2), 2.4, 2.9)
    crack = np.exp(-np.abs(noise(rng, u * 1.3, v * 1.3) + 0.2 * noise(rng, u * 8, v * 8)) / 0.015)
    tone = base + stains + 0.035 * grain(rng, side, 0.6) - 0.25 * pores - 0.3 * crack
    return tone[..., None] * np.array([1, 0.99, between(rng, 0.95, 1)])


def sand(rng, side: int) -> np.ndarray:
    """Beige grains with wind ripples."""
    u, v = plane(rng, side, warp=0.06)
    count = between(rng, 5, 12)
    ripple = np.sin(2 * np.pi * (v * count + 0.5 * noise(rng, u * 3, v * 3)))
    picture = ramp(layered(rng, u * 3, v * 3), varied(rng, 0.095, 0.42, 0.72),
                   varied(rng, 0.11, 0.36, 0.92))  # fmt: skip
    light = 1 + 0.16 * ripple * between(rng, 0.3, 1) + 0.07 * grain(rng, side)
    return shaded(picture, light)


def mosaic(rng, side: int) -> np.ndarray:
    """Small square tiles of a few colours with light joints."""
    u, v = plane(rng, side)
    count = between(rng, 8, 15)
    s, t, name = courses(rng, u * count, v * count, 0)
    edge = np.minimum(np.minimum(s, 1 - s), np.minimum(t, 1 - t))
    palette = np.array([any_colour(rng) for _ in range(rng.integers(4, 8))])
    tiles = palette[(name * len(palette)).astype(int)] * (0.85 + 0.3 * ((name * 97) % 1))[..., None]
    return mix(np.full(3, between(rng, 0.7, 0.95)), tiles, step(edge, 0.06, 0.13))


def stained_glass(rng, side: int) -> np.ndarray:
    """Large glowing panes between thick black lead."""
    u, v = plane(rng, side)
    count = between(rng, 3, 6)
    nearest, gap, name = cells(rng, u * count, v * count, 0.95)
    hues = rng.random(6)
    table = np.array([colour(hue, between(rng, 0.75, 1), between(rng, 0.7, 1)) for hue in hues])
    panes = table[(name * 6).astype(int)] * (1.15 - 0.5 * nearest)[..., None]
    panes = shaded(panes, 0.85 + 0.3 * layered(rng, u * 5, v * 5))
    return mix(np.full(3, 0.03), panes, step(gap, 0.08, 0.14))


def crystal(rng, side: int) -> np.ndarray:
    """Flat, glittering facets of violet."""
    u, v = plane(rng, side)
    count = between(rng, 4, 8)
    s = noise(rng, u * count, v * count)
    _, gap, name = cells(rng, u * count + 0.4 * s, v * count * 0.7, 1)
    slope = (name - 0.5) * u * count + ((name * 13) % 1 - 0.5) * v * count
    tone = np.clip(name + 0.35 * slope, 0, 1)
    hue = between(rng, 0.73, 0.83)
    picture = ramp(tone, colour(hue, 0.8, 0.18), colour(hue, 0.7, 0.55), colour(hue, 0.45, 0.85),
                   colour(hue, 0.08, 1))  # fmt: skip
    return mix(picture, colour(hue, 0.05, 1), 0.7 * (1 - step(gap, 0, 0.06)))


MATERIALS = (
    Material("brick", brick, ("brick", "bricks", "red brick", "brick wall", "red bricks",
        "masonry")),
    Material("cobblestone", cobblestone, ("cobblestone", "stone", "stones", "cobblestones",
                                          "grey stone", "rock", "pebbles")),
    Material("marble", marble, ("marble", "white marble", "polished marble", "carved marble")),
    Material("granite", granite, ("granite", "speckled granite", "granite stone")),
    Material("concrete", concrete, ("concrete", "cement", "grey concrete")),
    Material("sand", sand, ("sand", "desert sand", "sandstone", "beach sand")),
    Material("mosaic", mosaic, ("mosaic", "mosaic tiles", "colorful mosaic", "ceramic tiles"),
             any_colour=True),
    Material("stained glass", stained_glass, ("stained glass", "stained glass window",
                                              "colorful stained glass"), any_colour=True),
    Material("crystal", crystal, ("crystal", "amethyst", "purple crystal", "gemstone", "crystals")),
)  # fmt: skip
