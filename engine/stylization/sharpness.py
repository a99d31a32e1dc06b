"""How sharp the footage shows an object, and paint that is no sharper: else it looks laid on.

The blur of an edge is read from how much a known blur flattens it (Zhuo and Sim, Defocus map
estimation from a single image, 2011). All blurs are Gaussian deviations in pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .shading import gaussian

PROBE = 1.0  # px by which edges are flattened to see how sharp they were
STRONG = 0.9  # quantile of the gradient from which it is an edge
LEAST_GRADIENT = 0.02  # of white, a pixel
LEAST_EDGES = 50  # pixels; fewer say nothing
ENOUGH = 1_000_000  # pixels for a quantile, which torch refuses for very many
SQUARE = 1 / 12  # px^2, variance of a pixel: what is sampled at points lacks it
DIFFERENCE = 1 / 3  # px^2, variance that a difference over two pixels adds
MOST = 2.0
EDGE = 3  # px of a picture's border that a blur does not know


def footage_blur(light: Tensor, where: Tensor) -> float:
    """Return the median blur of the strong edges of ``light`` [H, W] in ``where`` bool [H, W].

    That of a single pixel where there are too few edges, at most `MOST`.
    """
    if not where.any():
        return SQUARE**0.5
    steep = torch.hypot(*_gradient(light))
    across, down = _gradient(blurred(light[None], PROBE)[0])
    flat = torch.hypot(across, down)
    found = steep[where]
    some = found[:: 1 + len(found) // ENOUGH]
    least = max(float(some.quantile(STRONG)), LEAST_GRADIENT)
    edges = _crest(flat, across.abs() > down.abs()) & where & (steep > least)
    squares = (steep[edges] / flat[edges].clamp_min(1e-6)).square()
    if len(squares) < LEAST_EDGES:
        return SQUARE**0.5
    variance = PROBE**2 / max(float(squares.median()) - 1, 1e-3) - DIFFERENCE
    return min(max(variance, SQUARE) ** 0.5, MOST)


def softened(values: Tensor, where: Tensor, blur: float) -> Tensor:
    """Return ``values`` [N, C] at the pixels of ``where`` bool [H, W] as a lens of ``blur`` shows.

    What is not in ``where`` has no part in it. Sharp footage leaves them as they are.
    """
    added = max(blur**2 - SQUARE, 0.0) ** 0.5
    if added < 0.1:
        return values
    rows, columns = where.any(1).nonzero()[:, 0], where.any(0).nonzero()[:, 0]
    box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    inside = where[box]
    picture = values.new_zeros(*inside.shape, values.shape[1] + 1)
    picture[inside] = torch.cat([values, values.new_ones(len(values), 1)], 1)
    spread = blurred(picture.permute(2, 0, 1), added)[:, inside].T  # [N, C + 1]
    return spread[:, :-1] / spread[:, -1:]


def blurred(pictures: Tensor, sigma: float) -> Tensor:
    """Return ``pictures`` [C, H, W] blurred; what lies outside counts as 0."""
    radius = max(1, round(3 * sigma))
    kernel = gaussian(sigma, radius).to(pictures)[None, None]
    across = functional.conv2d(pictures[:, None], kernel[:, :, None], padding=(0, radius))
    return functional.conv2d(across, kernel[..., None], padding=(radius, 0))[:, 0]


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
