"""Names of colours: which name a surface deserves, and how to give it another."""

import colorsys

import numpy as np

NAMES = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "brown",
         "white", "grey", "black")  # fmt: skip
WORDS = {name: (name,) for name in NAMES} | {
    "turquoise": ("turquoise", "cyan", "teal"), "purple": ("purple", "violet"),
    "grey": ("grey", "gray"),
}  # fmt: skip
TONES = {
    "red": (0.0, 0.9, 0.8), "orange": (0.075, 0.95, 0.95), "yellow": (0.15, 0.9, 0.97),
    "green": (0.33, 0.8, 0.6), "turquoise": (0.49, 0.75, 0.8), "blue": (0.61, 0.85, 0.75),
    "purple": (0.77, 0.75, 0.65), "pink": (0.92, 0.5, 0.97), "brown": (0.065, 0.7, 0.42),
    "white": (0.1, 0.02, 0.97), "grey": (0.6, 0.03, 0.5), "black": (0.6, 0.05, 0.08),
}  # fmt: skip
HUES = ((0.035, "red"), (0.11, "orange"), (0.19, "yellow"), (0.44, "green"), (0.54, "turquoise"),
        (0.71, "blue"), (0.83, "purple"), (0.96, "pink"), (1.01, "red"))  # fmt: skip
UNNAMED = -1


def name_colour(picture: np.ndarray) -> int:
    """Index in NAMES of the one colour of a picture [S, S, 3] of bytes.

    UNNAMED if it has many colours or one that people would argue about.
    """
    sample = picture[::6, ::6].reshape(-1, 3).astype(np.float32) / 255
    mean = sample.mean(axis=0)
    hues = sample - sample.mean(axis=1, keepdims=True)
    if hues.std(axis=0).max() > 0.11 or sample.mean(axis=1).std() > 0.24:
        return UNNAMED
    name = name_tone(*colorsys.rgb_to_hsv(*map(float, mean)))
    return NAMES.index(name) if name else UNNAMED


def name_tone(hue: float, saturation: float, value: float) -> str | None:
    """Name of a colour; None within a margin between two names."""
    if value < 0.14:
        return "black"
    if saturation < 0.1:
        limits = ((0.2, "black"), (0.3, None), (0.72, "grey"), (0.84, None), (2, "white"))
        return next(name for limit, name in limits if value < limit)
    near = min(abs(hue - limit) for limit, _ in HUES)
    if saturation < 0.2 or value < 0.22 or near < 0.012:
        return None
    found = next(name for limit, name in HUES if hue < limit)
    if found in ("red", "orange") and hue > 0.02:
        return "brown" if value < 0.52 else None if value < 0.66 else found
    if found == "red" and saturation < 0.65:
        return "pink" if saturation < 0.5 and value > 0.7 else None
    return found


def recoloured(picture: np.ndarray, name: str, rng: np.random.Generator) -> np.ndarray:
    """The structure of a picture [S, S, 3] of bytes in light and dark of one named colour."""
    hue, saturation, value = np.array(TONES[name]) + rng.normal(0, (0.008, 0.04, 0.04))
    tone = np.array(colorsys.hsv_to_rgb(hue % 1, np.clip(saturation, 0, 1), np.clip(value, 0, 1)))
    grey = picture.astype(np.float32).mean(axis=2, keepdims=True) / 255
    part = np.clip(0.5 + (grey - grey.mean()) * 1.2, 0, 1)
    light = np.minimum(1, tone + 0.35)
    result = np.where(
        part < 0.5, tone * (0.35 + 1.3 * part), tone + (light - tone) * (2 * part - 1)
    )
    return (np.clip(result, 0, 1) * 255).astype(np.uint8)
