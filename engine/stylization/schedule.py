"""How fast the atlas moves in which step."""

from __future__ import annotations

import torch

from ..contract.settings import StylizationSettings
from .atlas import StylizedAtlas
from .texture import LearnedTexture

WARM_UP = 8  # steps until a texture's learning rate is whole
MEAN_RATE = 0.3  # learning rate of a texture's mean colour, in that of its waves


def make_optimiser(atlas: StylizedAtlas, settings: StylizationSettings) -> torch.optim.Adam:
    """Return Adam over all that may move: the atlas, nothing else."""
    rate = settings.learning_rate
    fused = next(atlas.parameters()).device.type == "cuda" or None
    if not isinstance(atlas, LearnedTexture):
        groups = [{"params": list(atlas.parameters()), "base": rate}]
        return torch.optim.Adam(groups, lr=rate, fused=fused)
    moving = ((atlas.waves, rate), (atlas.mean, MEAN_RATE * rate))
    groups = [{"params": [some], "base": part, "lr": part} for some, part in moving]
    return torch.optim.Adam(groups, lr=rate, betas=(0.9, 0.99), fused=fused)


def set_learning_rate(
    optimiser: torch.optim.Optimizer, step: int, settings: StylizationSettings
) -> None:
    """Set every group to its own rate times what `learning_rate_factor` says of ``step``."""
    for group in optimiser.param_groups:
        group["lr"] = group["base"] * learning_rate_factor(step, settings)


def learning_rate_factor(step: int, settings: StylizationSettings) -> float:
    """Return the part of the learning rate that counts in ``step``.

    ``network``: the paper's stairs. ``texture``: a short warm-up, and a slope to 0 in the second
    half.
    """
    if settings.atlas != LearnedTexture.form:
        return settings.decay ** (step // settings.decay_every)
    return min(1.0, (step + 1) / WARM_UP, 2 * (1 - step / settings.steps))
