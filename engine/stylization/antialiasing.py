"""Paint as a pixel sees it: where it changes within the pixel, its mean over the pixel.

Stripes and tiles have steep edges, which a single sample for each pixel turns into stairs that
crawl as the object moves. Only where neighbours differ more samples are taken.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .atlas import PaletteAtlas, StylizedAtlas

# A square that is turned, so that edges along either axis meet four different offsets.
OFFSETS = ((-0.375, -0.125), (0.125, -0.375), (0.375, 0.125), (-0.125, 0.375))  # pixels
CONTRAST = 0.2  # of an albedo's channel, between neighbours
AT_ONCE = 65_536  # points painted in one call


def pixel_albedo(atlas: StylizedAtlas, uv: Tensor, where: Tensor) -> Tensor:
    """Return the albedo [N, C] at the pixels of ``where`` bool [H, W] that read at ``uv``.

    ``uv`` is [H, W, 2]. Pixels between which paint changes little are sampled once, and so are
    all of a network atlas, which has learned how soft the footage is.
    """
    values = _albedo_many(atlas, uv[where])
    if atlas.form != PaletteAtlas.form:
        return values
    steep = _steep(values, where)
    if not steep.any():
        return values
    at = uv[steep]
    across, down = (_step(uv, axis)[steep] for axis in (1, 0))
    samples = [_albedo_many(atlas, at + x * across + y * down) for x, y in OFFSETS]
    values[steep[where]] = torch.stack(samples).mean(0)
    return values


def _steep(values: Tensor, where: Tensor) -> Tensor:
    """Return where [H, W] ``values`` [N, C] differ within a pixel's neighbourhood."""
    picture = values.new_zeros(values.shape[1], *where.shape)
    ranges = []
    for sign in (1.0, -1.0):
        picture.fill_(-torch.inf)
        picture[:, where] = sign * values.T
        ranges.append(functional.max_pool2d(picture[None], 3, 1, 1)[0])
    return ((ranges[0] + ranges[1]).amax(0) > CONTRAST) & where


def _step(uv: Tensor, axis: int) -> Tensor:
    """Return by how much ``uv`` [H, W, 2] moves over a pixel along ``axis``, the smaller side's.

    The larger one may lead over the border of what is known of the object.
    """
    between = uv.diff(dim=axis)
    nothing = torch.zeros_like(uv.narrow(axis, 0, 1))
    after, before = torch.cat([between, nothing], axis), torch.cat([nothing, between], axis)
    is_after = after.square().sum(2) < before.square().sum(2)
    return torch.where(is_after[..., None], after, before)


def _albedo_many(atlas: StylizedAtlas, uv: Tensor) -> Tensor:
    """Return `StylizedAtlas.albedo` of any number of points, without holding all activations."""
    return torch.cat([atlas.albedo(piece) for piece in uv.split(AT_ONCE)])
