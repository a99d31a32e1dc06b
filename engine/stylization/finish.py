"""How paint answers the light, from matt to metal.

Gold is not a colour. What is gold is told from what is yellow by dark hollows and by highlights
that have the light's own colour, where the footage has its light.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

GLOSS = 0.8  # logarithm of how much more or less paint makes of the light
SHOULDER = 0.7  # brightness from which lit colours approach white without reaching it
SHEEN = 0.9  # how much of its light paint can throw back unpainted


class Finish(NamedTuple):
    """Parameters as the palette atlas learns them, see `powers_and_sheens`."""

    gloss: float
    sheen: float


MATT = Finish(0.0, -3.0)
# Those that first looks are tried in. Dull ones are left out: they flatten the light, and paint of
# a few colours laid over it in blotches matches a small encoder as well, but not the eye.
FINISHES = (
    MATT, Finish(1.0, -3.0), Finish(0.5, -1.0), Finish(1.0, -1.0), Finish(0.3, 0.5),
    Finish(1.0, 0.5),
)  # fmt: skip


def powers_and_sheens(gloss: Tensor, sheen: Tensor) -> tuple[Tensor, Tensor]:
    """Return the power of the light and the part of a highlight that stays unpainted, of any shape.

    Above a power of 1 highlights are brighter and hollows darker, as on metal; below 1 the surface
    is dull.
    """
    return (GLOSS * torch.tanh(gloss)).exp(), SHEEN * sheen.sigmoid()


def under_light(shading: Tensor, power: Tensor, sheen: Tensor) -> tuple[Tensor, Tensor]:
    """Return the light [N] that paint is multiplied by, and the highlight [N] laid over it.

    ``shading`` [N] is the footage's; ``power`` and ``sheen`` are numbers or [N].
    """
    light = shading.clamp_min(1e-3).pow(power)
    return light, sheen * (light - 1).relu()


def bent(lit: Tensor, share: Tensor | float = 1.0) -> Tensor:
    """Return ``lit`` colours as they are shown: near white they bend, so that relief stays seen.

    Where paint has only a ``share`` of a pixel, ``lit`` are its colours times that.
    """
    over = lit - SHOULDER * share
    room = torch.as_tensor((1 - SHOULDER) * share).clamp_min(1e-6)
    return torch.where(over > 0, lit - over + room * torch.tanh(over / room), lit)
