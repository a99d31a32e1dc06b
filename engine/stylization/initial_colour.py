"""Which colour a texture begins with: the one that matches the texts best all over the object.

Networks answer to a hue and, more weakly, to its opposite: from grey, gold may end in blue.
"""

from __future__ import annotations

from itertools import product

import torch

from ..contract.settings import StylizationSettings
from .canvas import Canvases
from .encoder import Encoder
from .targets import Targets
from .terms import step_terms
from .texture import LearnedTexture

LEVELS = (0.15, 0.5, 0.85)  # of red, green and blue that are tried, each with each


@torch.no_grad()
def set_initial_colour(
    atlas: LearnedTexture,
    canvases: Canvases,
    encoder: Encoder,
    targets: Targets,
    settings: StylizationSettings,
    *,
    seed: int,
) -> None:
    """Let ``atlas`` begin as the even colour, of 27, whose views match the texts best.

    All are seen in the same views, drawn with ``seed``.
    """
    losses = []
    colours = torch.tensor(list(product(LEVELS, repeat=3)), device=atlas.mean.device)  # [27, 3]
    for colour in colours:
        atlas.mean.copy_(torch.logit(colour))
        generator = torch.Generator().manual_seed(seed)
        terms = step_terms(atlas, canvases, encoder, targets, settings, generator)
        weights = settings.weights
        losses.append(
            weights.global_similarity * terms["global_similarity"]
            + weights.local_similarity * terms["local_similarity"]
        )
    atlas.mean.copy_(torch.logit(colours[torch.stack(losses).argmin()]))
