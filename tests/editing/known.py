"""Layers whose truth is known: the moving sprite with its own positions as uv."""

import numpy as np
import torch

from engine.decomposition.layers import Layers
from engine.video.images import write_png

SIDE = 256  # texels of the atlas
REACH = 1.3  # radii of the sprite that the atlas shows on each side


def half(made):
    return REACH * made.sprite.radius


def to_uv(made, places):
    """Positions on the sprite as uv of the atlas."""
    return places / (2 * half(made)) + 0.5


def texel_places(made, side=SIDE):
    """Positions on the sprite of the centres of all texels, [side, side, 2]."""
    steps = ((np.arange(side) + 0.5) / side - 0.5) * 2 * half(made)
    return np.stack(np.meshgrid(steps, steps), 2)


def layers_of(made, side=SIDE):
    frames, height, width = made.alpha.shape
    atlas = torch.from_numpy(made.colours(texel_places(made, side))).float()
    own = torch.from_numpy(made.colours(made.uv)).half()
    uv = torch.from_numpy(to_uv(made, made.uv)).float()
    behind = torch.full((frames, height, width, 3), 0.5).half()
    alpha = torch.from_numpy(made.alpha).float()
    coverage = torch.from_numpy(made.sprite.alpha(texel_places(made, side))).float()
    plain = torch.full((8, 8, 3), 0.5)
    return Layers(uv, alpha, own, behind, atlas, coverage, plain, uv.clamp(0, 1))


def write(path, colours, alpha=None):
    """Write colours [H, W, 3] in [0, 1] as PNG of 16 bit."""
    if alpha is not None:
        colours = np.concatenate([colours, alpha[..., None]], 2)
    write_png(path, np.round(np.clip(colours, 0, 1) * 65535).astype(np.uint16))
    return str(path)
