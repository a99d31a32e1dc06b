"""Which parts of the atlas move, and how fast in which step."""

from __future__ import annotations

import torch

from ..contract.settings import StylizationSettings
from .atlas import NetworkAtlas, PaletteAtlas, StylizedAtlas
from .basis import PLAIN

WARM_UP = 10  # steps until the palette's learning rate is whole
PALETTE_RATE = 20 / 3  # learning rate of the colours, in those of their mixture
PAINT_RATE = 3.0  # of how tiles choose colours
FINISH_RATE = 2.0  # of gloss and sheen, which the first look has chosen
# Of the mixture where there are tiles. A whole rate turns rosettes into blots within 50 steps:
# a small encoder likes these as well, once they are made for it.
GRAIN_RATE = 0.1


def make_optimiser(atlas: StylizedAtlas, settings: StylizationSettings) -> torch.optim.Adam:
    """Return Adam over all that may move: the atlas, nothing else."""
    rate = settings.learning_rate
    fused = next(atlas.parameters()).device.type == "cuda" or None
    if not isinstance(atlas, PaletteAtlas):
        groups = [{"params": list(atlas.parameters()), "base": rate}]
        return torch.optim.Adam(groups, lr=rate, fused=fused)
    tiled = int(atlas.tiling[0]) != PLAIN
    moving = (
        (list(atlas.mixer.parameters()), GRAIN_RATE if tiled else 1.0),
        (list(atlas.tile_paint.parameters()), PAINT_RATE),
        ([atlas.palette], PALETTE_RATE),
        ([atlas.gloss, atlas.sheen], FINISH_RATE),
    )
    groups = [{"params": some, "base": part * rate, "lr": part * rate} for some, part in moving]
    return torch.optim.Adam(groups, lr=rate, betas=(0.9, 0.99), fused=fused)


def set_learning_rate(
    optimiser: torch.optim.Optimizer, step: int, settings: StylizationSettings
) -> None:
    """Set every group to its own rate times what `learning_rate_factor` says of ``step``."""
    for group in optimiser.param_groups:
        group["lr"] = group["base"] * learning_rate_factor(step, settings)


def learning_rate_factor(step: int, settings: StylizationSettings) -> float:
    """Return the part of the learning rate that counts in ``step``.

    ``network``: the paper's stairs. ``palette``: a short warm-up, and a slope to 0 in the second
    half.
    """
    if settings.atlas == NetworkAtlas.form:
        return settings.decay ** (step // settings.decay_every)
    return min(1.0, (step + 1) / WARM_UP, 2 * (1 - step / settings.steps))
