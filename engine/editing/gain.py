"""How much lighter the footage shows a surface than its atlas does, as the layers have it."""

from __future__ import annotations

import torch
from torch import Tensor

from ..decomposition.layers import Layers, sample_atlas
from ..stylization.shading import FLOOR, gaussian_blur

BLUR = 0.02  # of the frame's longer side: light changes slowly, what is finer is no light
PRIOR = 1e-3  # how much no change weighs where the layer is not
LEAST, MOST = 0.2, 5.0


@torch.no_grad()
def gain(layers: Layers, index: int) -> Tensor:
    """Return what the atlas's colours are multiplied by in a frame, [H, W, 3].

    It is the blurred ratio of the layer's colours, light and changes over time included, to
    what the atlas itself has there, at the working size.
    """
    weight = layers.alpha[index][..., None] + PRIOR  # [H, W, 1]
    shown = layers.foreground[index].float() + FLOOR
    own = sample_atlas(layers.atlas, layers.uv[index]) + FLOOR
    sigma = BLUR * max(weight.shape)
    stacked = torch.cat([shown * weight, own * weight], 2).permute(2, 0, 1)
    above, below = gaussian_blur(stacked, sigma, repeat_edges=True).permute(1, 2, 0).split(3, 2)
    return (above / below).clamp(LEAST, MOST)
