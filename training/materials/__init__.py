"""The library of procedural materials: every surface that the embedded encoder is taught."""

import zlib

import numpy as np

from training.materials import (
    animals,
    drawn,
    elements,
    fabrics,
    food,
    made,
    metals,
    plants,
    shining,
    stones,
)
from training.materials.material import Material

MATERIALS: tuple[Material, ...] = (
    *animals.MATERIALS,
    *stones.MATERIALS,
    *metals.MATERIALS,
    *plants.MATERIALS,
    *elements.MATERIALS,
    *fabrics.MATERIALS,
    *food.MATERIALS,
    *made.MATERIALS,
    *drawn.MATERIALS,
    *shining.MATERIALS,
)


def paint(material: Material, seed: int, side: int) -> np.ndarray:
    """A picture [side, side, 3] of bytes; the same seed gives the same picture."""
    rng = np.random.default_rng([seed, zlib.crc32(material.name.encode())])
    picture = np.clip(material.paint(rng, side), 0, 1)
    return (picture * 255 + 0.5).astype(np.uint8)
