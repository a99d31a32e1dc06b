"""Paint as a pixel sees it: its mean over the pixel, not one sample of it.

Stripes and tiles have edges that single samples turn into stairs, which crawl as the object moves.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .atlas import StylizedAtlas
from .texture import TextureAtlas

AT_ONCE = 65_536  # points painted in one call


def pixel_albedo(atlas: StylizedAtlas, uv: Tensor, where: Tensor) -> Tensor:
    """Return the albedo [N, 3] at the pixels of ``where`` bool [H, W] that read at ``uv``.

    ``uv`` is [H, W, 2]. A texture is made as coarse as the pixels of this frame are on it; a
    network has learned how soft the footage is.
    """
    if isinstance(atlas, TextureAtlas):
        return atlas.albedo(uv[where], atlas.texels(usual_step(uv, where)))
    return torch.cat([atlas.albedo(piece) for piece in uv[where].split(AT_ONCE)])


def usual_step(uv: Tensor, where: Tensor) -> Tensor:
    """Return how far [2] in u and in v a pixel of ``where`` usually is from the next."""
    right = (uv[:, 1:] - uv[:, :-1])[where[:, 1:] & where[:, :-1]]
    down = (uv[1:] - uv[:-1])[where[1:] & where[:-1]]
    if not len(right) or not len(down):
        return uv.new_zeros(2)
    return torch.stack([right.abs().median(0).values, down.abs().median(0).values]).amax(0)
