"""Colours by name, how to give one to a picture, and the mean colours of materials.

`python -m training.colours` prints ``mean_colours`` of the list of concepts.
"""

import colorsys

import numpy as np

from training.materials import MATERIALS, paint
from training.materials.material import Material

# Hue, saturation and value; the words are in `concepts`.
TONES = {
    "red": (0.0, 0.9, 0.8), "orange": (0.075, 0.95, 0.95), "yellow": (0.15, 0.9, 0.97),
    "green": (0.36, 0.85, 0.55), "turquoise": (0.49, 0.75, 0.85), "blue": (0.61, 0.85, 0.8),
    "purple": (0.77, 0.75, 0.6), "pink": (0.93, 0.45, 0.97), "brown": (0.065, 0.7, 0.42),
    "white": (0.1, 0.02, 0.97), "grey": (0.6, 0.03, 0.5), "black": (0.6, 0.05, 0.08),
    "maroon": (0.98, 0.85, 0.36), "navy": (0.65, 0.85, 0.3), "olive": (0.16, 0.75, 0.42),
    "lime": (0.24, 0.8, 0.93), "teal": (0.5, 0.85, 0.42), "lavender": (0.73, 0.3, 0.92),
    "beige": (0.1, 0.25, 0.87), "magenta": (0.86, 0.85, 0.85),
}  # fmt: skip
NAMES = tuple(TONES)


def recoloured(picture: np.ndarray, name: str, rng: np.random.Generator) -> np.ndarray:
    """Return light and dark of ``picture`` [H, W, 3] in [0, 1] in shades of one named colour."""
    hue, saturation, value = np.array(TONES[name]) + rng.normal(0, (0.006, 0.03, 0.03))
    tone = np.array(colorsys.hsv_to_rgb(hue % 1, np.clip(saturation, 0, 1), np.clip(value, 0, 1)))
    grey = picture.mean(axis=2, keepdims=True)
    part = np.clip(0.5 + (grey - grey.mean()) * rng.uniform(0.7, 1.3), 0, 1)
    light = np.minimum(1, tone + 0.35)
    dark = tone * (0.35 + 1.3 * part)
    mixed = np.where(part < 0.5, dark, tone + (light - tone) * (2 * part - 1))
    return np.clip(mixed, 0, 1).astype(np.float32)


def mean_colour(material: Material, *, count: int, side: int = 48) -> np.ndarray:
    """Return the mean [3] in [0, 1] of pictures that no training has seen."""
    pictures = [paint(material, 900_000 + index, side) for index in range(count)]
    return np.stack(pictures).reshape(-1, 3).mean(0) / 255


def mean_colours(count: int = 24) -> dict[str, list[float]]:
    """Return the RGB of all names, and of materials with a colour, of ``count`` pictures each."""
    found = {each.name: mean_colour(each, count=count) for each in MATERIALS if not each.any_colour}
    found |= {name: np.array(colorsys.hsv_to_rgb(*tone)) for name, tone in TONES.items()}
    return {name: [round(float(value), 2) for value in colour] for name, colour in found.items()}


if __name__ == "__main__":
    for name, colour in mean_colours().items():
        print(f'"{name}": {colour},')
