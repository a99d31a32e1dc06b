"""The end of the search for a first look: colours and tile paint follow the encoder's gradient.

Variation finds which colours and zones belong together; which shade exactly and how much of it, the
gradient says in a few steps. Nothing else moves, so what comes of it is still paint in tiles.
Colours that are not needed go: no encoder minds a blue spot on gold, but who sees the object does.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

COLOUR_RATE = 0.3  # of a colour's logit, a step
PAINT_RATE = 0.1
SPARED = 0.03  # of a score, for a palette of fewer colours
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


def pruned(scores: Callable[[Tensor], Tensor], colours: Tensor) -> Tensor:
    """Return ``colours`` [K, 3], those that are not needed turned into others of them.

    The one that costs least goes first. ``scores`` takes palettes [P, K, 3] and returns [P]; all
    together it may fall by `SPARED`.
    """
    least = scores(colours[None])[0] - SPARED
    while len(palettes := _with_one_less(colours)):
        reached = scores(palettes)
        best = int(reached.argmax())
        if reached[best] < least:
            break
        colours = palettes[best]
    return colours


def _with_one_less(colours: Tensor) -> Tensor:
    """Return the palettes [P, K, 3] in which all places of one of ``colours`` have another one."""
    kinds, which = colours.unique(dim=0, return_inverse=True)
    pairs = [(gone, kept) for gone in range(len(kinds)) for kept in range(len(kinds))]
    palettes = [
        torch.where((which == gone)[:, None], kinds[kept], colours)
        for gone, kept in pairs
        if gone != kept
    ]
    return torch.stack(palettes) if palettes else colours[None][:0]
