"""What a material is: its name, how it is painted and which words people use for it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Painter = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True)
class Material:
    """One surface that the encoder knows.

    `paint(generator, side)` gives a picture [side, side, 3] of floats in about [0, 1].
    `any_colour` materials may have every colour; of the others a tinted copy is wrong.
    """

    name: str
    paint: Painter
    words: tuple[str, ...]
    any_colour: bool = False
