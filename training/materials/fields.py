"""Random fields, coordinates and light from which every material is built; knows no material."""

import colorsys

import cv2
import numpy as np

Generator = np.random.Generator
TABLE = 64


def between(rng: Generator, low: float, high: float) -> float:
    """A number between `low` and `high`."""
    return float(rng.uniform(low, high))


def colour(hue: float, saturation: float, value: float) -> np.ndarray:
    """RGB [3] of a hue in turns, a saturation and a value; all are brought into [0, 1]."""
    saturation, value = (float(np.clip(part, 0, 1)) for part in (saturation, value))
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value), np.float32)


def varied(rng: Generator, hue: float, saturation: float, value: float, amount: float = 0.05):
    """RGB [3] near the given colour; the hue moves a third as far as the other two."""
    moved = rng.uniform(-amount, amount, 3)
    return colour(hue + moved[0] / 3, saturation + moved[1], value + moved[2])


def any_colour(rng: Generator) -> np.ndarray:
    """RGB [3] of a random, rather vivid colour."""
    return colour(rng.random(), between(rng, 0.35, 1), between(rng, 0.35, 1))


def normalised(field: np.ndarray) -> np.ndarray:
    """The field stretched to [0, 1]."""
    low, high = float(field.min()), float(field.max())
    return ((field - low) / (high - low + 1e-6)).astype(np.float32)


def step(field: np.ndarray, low: float | np.ndarray, high: float | np.ndarray) -> np.ndarray:
    """Smooth step from 0 at `low` to 1 at `high`."""
    part = np.clip((field - low) / (high - low), 0, 1)
    return part * part * (3 - 2 * part)


def mix(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Colour picture between two colours or pictures; `weight` [H, W] says how much second."""
    weight = weight[..., None]
    return (first * (1 - weight) + second * weight).astype(np.float32)


def ramp(field: np.ndarray, *colours: np.ndarray) -> np.ndarray:
    """Colour picture [H, W, 3] from a field in [0, 1] and evenly spaced colours."""
    stops = np.linspace(0, 1, len(colours))
    table = np.array(colours)
    channels = [np.interp(field, stops, table[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def plane(rng: Generator, side: int, angle: float | None = None, warp: float = 0.0):
    """Coordinates (u, v), each [side, side] in about [-0.5, 0.5], turned, bent and shifted."""
    line = (np.arange(side, dtype=np.float32) + 0.5) / side - 0.5
    u, v = np.meshgrid(line, line)
    angle = rng.uniform(0, 2 * np.pi) if angle is None else angle
    u, v = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
    if warp:
        bend_u, bend_v = noise(rng, u * 3, v * 3), noise(rng, u * 3, v * 3)
        u, v = u + warp * bend_u, v + warp * bend_v
    return u.astype(np.float32), v.astype(np.float32)


def noise(rng: Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Smooth noise of unit cells in about [-1, 1] at the coordinates x, y, each [H, W]."""
    table = rng.uniform(-1, 1, (TABLE, TABLE)).astype(np.float32)
    table = cv2.copyMakeBorder(table, 2, 2, 2, 2, cv2.BORDER_WRAP)
    shift = rng.uniform(0, TABLE, 2)
    x, y = (x + shift[0]) % TABLE + 2, (y + shift[1]) % TABLE + 2
    return cv2.remap(table, x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC)


def layered(rng: Generator, x, y, octaves: int = 4, gain: float = 0.5) -> np.ndarray:
    """Noise with ever finer octaves, stretched to [0, 1]."""
    total = np.zeros_like(x)
    for octave in range(octaves):
        total += gain**octave * noise(rng, x * 2**octave, y * 2**octave)
    return normalised(total)


def grain(rng: Generator, side: int, softness: float = 0.0) -> np.ndarray:
    """White noise [side, side] with unit deviation, blurred by `softness` pixels."""
    field = rng.standard_normal((side, side)).astype(np.float32)
    if softness:
        field = cv2.GaussianBlur(field, (0, 0), softness)
        field /= field.std() + 1e-6
    return field


def cells(rng: Generator, x: np.ndarray, y: np.ndarray, jitter: float = 0.9):
    """Cells around jittered lattice points: distance to the nearest point, how much further the
    second is, and a random number per cell, each [H, W]."""
    points = 0.5 + jitter * rng.uniform(-0.5, 0.5, (TABLE, TABLE, 2)).astype(np.float32)
    names = rng.random((TABLE, TABLE), dtype=np.float32)
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    nearest, second = np.full_like(x, 9), np.full_like(x, 9)
    name = np.zeros_like(x)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            i, j = row + down, column + right
            point = points[i % TABLE, j % TABLE]
            distance = np.hypot(j + point[..., 0] - x, i + point[..., 1] - y)
            closer = distance < nearest
            second = np.where(closer, nearest, np.minimum(second, distance))
            name = np.where(closer, names[i % TABLE, j % TABLE], name)
            nearest = np.where(closer, distance, nearest)
    return nearest, second - nearest, name


def courses(rng: Generator, x: np.ndarray, y: np.ndarray, offset: float = 0.5):
    """Rows of unit cells, every second row shifted: coordinates (s, t) in [0, 1] within the cell
    and a random number per cell, each [H, W]."""
    row = np.floor(y)
    shifted = x + offset * (row % 2)
    names = rng.random((TABLE, TABLE), dtype=np.float32)
    name = names[row.astype(int) % TABLE, np.floor(shifted).astype(int) % TABLE]
    return shifted - np.floor(shifted), y - row, name


def hexagons(rng: Generator, x: np.ndarray, y: np.ndarray):
    """Six-sided cells: distance to the centre, distance from the edge and a random number per cell,
    each [H, W]."""
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


def lit(height: np.ndarray, strength: float, angle: float) -> np.ndarray:
    """Light on a relief: about 1 where it is flat, brighter towards the lamp; [H, W]."""
    right = cv2.Sobel(height.astype(np.float32), cv2.CV_32F, 1, 0, ksize=3) / 8
    down = cv2.Sobel(height.astype(np.float32), cv2.CV_32F, 0, 1, ksize=3) / 8
    slope = strength * height.shape[0] * (right * np.cos(angle) + down * np.sin(angle))
    return np.clip(1 - slope / np.sqrt(1 + slope * slope), 0.05, 2).astype(np.float32)


def shaded(picture: np.ndarray, light: np.ndarray, amount: float = 1.0) -> np.ndarray:
    """Picture [H, W, 3] times light [H, W]; `amount` 0 leaves the picture as it is."""
    return picture * (1 + amount * (light[..., None] - 1))
