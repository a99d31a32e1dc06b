"""The footage's blur around each pixel of an object, and the texture blurred by as much.

A wheel that turns, a leg that swings and what is out of focus are blurred in the footage, where a
sharp texture would stand out. The blur of an edge is estimated from how much a known blur flattens
it (Zhuo and Sim, Defocus map estimation from a single image, 2011). All blurs are Gaussian
deviations in pixels.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from .shading import gaussian_blur

PROBE = 1.0  # px, the known blur
LEAST_GRADIENT = 0.01  # of white, a pixel; less is grain
CLEAR_GRADIENT = 0.05  # from which on an edge has its full weight
AROUND = 0.05  # of the picture's longer side, deviation of the window over which edges are averaged
LEAST_EDGES = 50  # pixels; of fewer no blur is estimated
PRIOR = 10  # edge pixels as many as which the whole object's blur counts in each place
SQUARE = 1 / 12  # px^2, variance of a pixel: a texture has no less
CROSSFADE = 1 / 6  # variance of a tent that reaches as far as the flow residual, both ways
DIFFERENCE = 1 / 3  # px^2, variance that a difference over two pixels adds
MOST = 4.0
EDGE = 3  # px of a picture's border that a blur does not know
STEPS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, MOST)  # px, blurs between which the others are mixed


def footage_blur(light: Tensor, where: Tensor) -> Tensor:
    """Return the blur [H, W] around each pixel of ``light`` [H, W], by the edges in ``where``.

    The picture is the box around an object, of which ``where`` bool [H, W] says where it is. The
    blur is at least that of a pixel and at most `MOST`; where edges are few it is that of the
    whole object, and that of a pixel where the object has too few.
    """
    steep = torch.hypot(*_gradient(light))
    across, down = _gradient(gaussian_blur(light[None], PROBE)[0])
    flat = torch.hypot(across, down)
    edges = _crest(flat, across.abs() > down.abs()) & where & (steep > LEAST_GRADIENT)
    count = int(edges.sum())
    if count < LEAST_EDGES:
        return torch.full_like(light, SQUARE**0.5)
    ratio = (steep / flat.clamp_min(1e-6)).square()
    variance = (PROBE**2 / (ratio - 1).clamp_min(1e-3) - DIFFERENCE).clamp(SQUARE, MOST**2)
    weight = torch.where(edges, steep.clamp(max=CLEAR_GRADIENT), 0.0)
    usual = variance[edges].median()
    sigma = AROUND * max(light.shape)
    total, weight_near = gaussian_blur(torch.stack([weight * variance.log(), weight]), sigma)
    prior = PRIOR * weight.sum() / count / (2 * torch.pi * sigma**2)
    return ((total + prior * usual.log()) / (weight_near + prior) / 2).exp()


def blur_with_residual(blur: Tensor, flow_residual: Tensor) -> Tensor:
    """Return the ``blur`` [H, W] px, widened where the ``flow_residual`` [H, W] px is large.

    As if each frame were crossfaded with those beside it.
    """
    return (blur.square() + CROSSFADE * flow_residual.square()).sqrt()


def blur_to_footage(values: Tensor, where: Tensor, blur: Tensor) -> Tensor:
    """Return ``values`` [N, C] at the pixels of ``where`` bool [H, W], blurred to ``blur`` [H, W].

    What is not in ``where`` has no part in it. Where the footage is sharp they stay as they are;
    a blur of more than `MOST` is that.
    """
    added = (blur[where].square() - SQUARE).clamp(0, MOST**2)  # [N], px^2
    most = float(added.max()) if len(added) else 0.0
    picture = values.new_zeros(*where.shape, values.shape[1] + 1)
    picture[where] = torch.cat([values, values.new_ones(len(values), 1)], 1)
    picture = picture.permute(2, 0, 1)
    found, low = values.clone(), values
    for less, more in pairwise(STEPS):
        if most <= less**2:
            break
        smoothed = gaussian_blur(picture, more)[:, where].T  # [N, C + 1]
        high = smoothed[:, :-1] / smoothed[:, -1:]
        part = (added - less**2) / (more**2 - less**2)
        found = torch.where((part > 0)[:, None], torch.lerp(low, high, part[:, None]), found)
        low = high
    return found


def _gradient(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Return the differences of ``picture`` [H, W] across and down a pixel; 0 along its border."""
    across, down = torch.zeros_like(picture), torch.zeros_like(picture)
    middle = slice(EDGE, -EDGE), slice(EDGE, -EDGE)
    across[:, 1:-1][middle] = ((picture[:, 2:] - picture[:, :-2]) / 2)[middle]
    down[1:-1][middle] = ((picture[2:] - picture[:-2]) / 2)[middle]
    return across, down


def _crest(steepness: Tensor, is_across: Tensor) -> Tensor:
    """Return where [H, W] no neighbour across the edge is steeper."""
    rows, columns = (
        functional.max_pool2d(steepness[None], size, 1, padding)[0]
        for size, padding in (((1, 3), (0, 1)), ((3, 1), (1, 0)))
    )
    return steepness >= torch.where(is_across, rows, columns)
