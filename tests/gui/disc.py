"""The smallest footage that an engine can take apart: a textured disc over a textured ground."""

import math
from pathlib import Path

from tests.blender.barcodes import png

WIDTH, HEIGHT, FRAMES = 96, 64, 5


def colour(x: int, y: int, centre: int) -> tuple[int, int, int]:
    """Return one pixel of a frame in which the disc is at ``centre``."""
    if math.hypot(x - centre, y - 32) < 18:
        level = 128 + 60 * math.sin((x - centre) * 0.9) * math.cos(y * 0.7)
        return int(level), int(level * 0.6), 40
    level = 120 + 50 * math.sin(x * 0.35 + math.sin(y * 0.4)) + 30 * math.cos(y * 0.6 + x * 0.1)
    return int(level * 0.4), int(level * 0.8), int(level)


def write_clip(folder: Path) -> list[Path]:
    """Write the frames of a disc that moves to the right."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for frame in range(FRAMES):
        rows = [
            b"".join(bytes(colour(x, y, 30 + 5 * frame)) for x in range(WIDTH))
            for y in range(HEIGHT)
        ]
        paths.append(folder / f"{frame:05d}.png")
        paths[-1].write_bytes(png(rows))
    return paths


def set_up(facts) -> None:
    """Let a strip of the disc ask for the shortest job that there is."""
    facts.preset = "draft"
    settings = facts.settings
    settings.frames.longest_side, settings.device = WIDTH, "cpu"
    settings.decomposition.grid.steps = 4
    settings.decomposition.grid.atlas_size = 64
    settings.stylization.steps = 2
