"""The end of the search for a first look: colours and tile paint follow the encoder's gradient.

Variation finds which colours and zones belong together; which shade exactly and how much of it, the
gradient says in a few steps. Nothing else moves, so what comes of it is still paint in tiles.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

COLOUR_RATE = 0.3  # of a colour's logit, a step
PAINT_RATE = 0.1
INNERMOST = 0.02  # colours begin so far from black and white: at these no gradient is left


def polished(
    score: Callable[[Tensor, Tensor], Tensor], colours: Tensor, tile_paint: Tensor, steps: int
) -> tuple[Tensor, Tensor]:
    """Return the colours [K, 3] in [0, 1] and tile paint [K, F] of the highest ``score`` met.

    That may be those that it begins from. ``score`` takes both and returns one number.
    """
    logits = colours.clamp(INNERMOST, 1 - INNERMOST).logit().requires_grad_()
    paint = tile_paint.clone().requires_grad_()
    groups = [{"params": [logits], "lr": COLOUR_RATE}, {"params": [paint], "lr": PAINT_RATE}]
    optimiser = torch.optim.Adam(groups)
    found, best = (colours, tile_paint), score(colours, tile_paint).item()
    with torch.enable_grad():
        for _ in range(steps):
            shown = logits.sigmoid()
            reached = score(shown, paint)
            if reached.item() > best:
                found, best = (shown.detach(), paint.detach().clone()), reached.item()
            optimiser.zero_grad()
            (-reached).backward()
            optimiser.step()
    return found
