"""Tiles of every material: painted by our own painters, and photographs where there are any."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training import silhouettes
from training.materials import MATERIALS, paint
from training.materials.fields import between, noise, plane
from training.photographs import LABELS, Photographs

log = logging.getLogger(__name__)
SIDE = 256  # of painted tiles
LIGHT_SIDE = 128
PAINTED = tuple(material.name for material in MATERIALS)
# The painted ones first, then those that are known from photographs alone.
NAMES = PAINTED + tuple(sorted(set(LABELS.values()) - set(PAINTED)))
ANY_COLOUR = frozenset(material.name for material in MATERIALS if material.any_colour)


@dataclass(frozen=True)
class Surfaces:
    """Tiles of bytes [H, W, 3] by material, masks [object, n, S, S] of bytes, light [n, S, S]."""

    painted: dict[str, np.ndarray]
    photographed: dict[str, list[np.ndarray]]
    masks: np.ndarray
    light: np.ndarray


def light_field(rng: np.random.Generator) -> np.ndarray:
    """Light as on a body, [S, S] about 1: large soft forms, a gradient from above, relief."""
    u, v = plane(rng, LIGHT_SIDE, between(rng, -0.4, 0.4), warp=0.05)
    scale = between(rng, 1, 3.5)
    large = noise(rng, u * scale, v * scale) * between(rng, 0.1, 0.55) - between(rng, -0.2, 0.6) * v
    stretch = between(rng, 1, 4)
    fine = noise(rng, u * 9, v * 9 * stretch) + 0.6 * noise(rng, u * 22, v * 22 * stretch)
    light = np.exp(large + between(rng, 0, 0.25) * fine)
    return np.clip(light / np.median(light), 0.3, 1.8).astype(np.float16)


def make_surfaces(photographs: Photographs, *, seed: int, count: int, folder: Path) -> Surfaces:
    """Paint ``count`` tiles of each material, or read those that were painted before."""
    file = folder / f"tiles-{seed}-{count}-{_painters()}.npz"
    if not file.exists():
        log.info("painting %d tiles of each of %d materials", count, len(MATERIALS))
        folder.mkdir(parents=True, exist_ok=True)
        tiles = {
            material.name: np.stack(
                [paint(material, seed * 100_000 + i, SIDE) for i in range(count)]
            )
            for material in MATERIALS
        }
        part = file.with_suffix(".part.npz")
        np.savez(part, allow_pickle=False, **tiles)
        part.replace(file)
    with np.load(file) as kept:
        painted = {name: kept[name] for name in PAINTED}
    rng = np.random.default_rng(seed)
    masks = np.stack(
        [np.stack([silhouettes.draw(name, rng) for _ in range(40)]) for name in silhouettes.OBJECTS]
    )
    light = np.stack([light_field(rng) for _ in range(400)])
    return Surfaces(painted, photographs.materials, masks, light)


def _painters() -> str:
    """Eight digits that are others when what paints the tiles was changed."""
    import training.materials as painters

    sources = sorted(Path(painters.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]
