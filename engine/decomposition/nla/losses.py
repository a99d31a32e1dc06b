"""The terms of Layered Neural Atlases: tensors in, one scalar out, no weights.

Each is a mean over the points that count; where none counts it is 0, never NaN. Uses torch alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Keeps the inverse in the rigidity finite where a mapping folds (NLA's released code: 1e-3).
FOLD = 1e-3


def reconstruction(predicted: Tensor, colour: Tensor) -> Tensor:
    """NLA, colour term: mean |c' - c|^2, summed over channels.

    ``predicted`` and ``colour`` are [N, 3].
    """
    return _squared_length(predicted - colour).mean()


def gradient(
    predicted_x: Tensor,
    predicted_y: Tensor,
    difference_x: Tensor,
    difference_y: Tensor,
    inside_x: Tensor,
    inside_y: Tensor,
) -> Tensor:
    """NLA, gradient term: mean |d_x c' - d_x c|^2 + mean |d_y c' - d_y c|^2.

    The differences to the right and lower neighbour are [N, 3]. ``inside_x`` and ``inside_y``,
    [N], are false where that neighbour is outside the picture.
    """
    error_x = _mean_where(_squared_length(predicted_x - difference_x), inside_x)
    error_y = _mean_where(_squared_length(predicted_y - difference_y), inside_y)
    return error_x + error_y


def sparsity(alpha: Tensor, foreground: Tensor) -> Tensor:
    """NLA, sparsity term: mean |(1 - alpha) c_f|^2; ``alpha`` [N, 1], ``foreground`` [N, 3]."""
    return _squared_length((1 - alpha) * foreground).mean()


def rigidity(uv: Tensor, uv_right: Tensor, uv_below: Tensor, *, step: float) -> Tensor:
    """NLA, rigidity term: mean |J^T J|_F + |(J^T J)^-1|_F, least (2 sqrt 2) where J rotates.

    All uv are [N, 2]; ``step`` is how far uv of the scaled identity moves over one pixel.
    """
    return _change_of_shape((uv_right - uv) / step, (uv_below - uv) / step).mean()


def global_rigidity(
    uv: Tensor, uv_far_right: Tensor, uv_far_below: Tensor, *, step: float
) -> Tensor:
    """NLA, global rigidity term: the rigidity term over a long distance.

    ``step`` is how far uv of the scaled identity moves over that distance.
    """
    return _change_of_shape((uv_far_right - uv) / step, (uv_far_below - uv) / step).mean()


def flow(
    uv: Tensor,
    uv_forward: Tensor,
    uv_backward: Tensor,
    valid_forward: Tensor,
    valid_backward: Tensor,
    opacity: Tensor,
    *,
    step: float,
) -> Tensor:
    """NLA, flow term of one layer: mean opacity |uv(p) - uv(p + flow)|_2, about in pixels.

    ``opacity`` [N, 1] is alpha for the foreground and 1 - alpha for the background. Half the sum
    of both directions, each a mean over its valid points.
    """
    error_forward = torch.linalg.vector_norm(uv_forward - uv, dim=1) / step * opacity[:, 0]
    error_backward = torch.linalg.vector_norm(uv_backward - uv, dim=1) / step * opacity[:, 0]
    return _both_ways(error_forward, error_backward, valid_forward, valid_backward)


def alpha_flow(
    alpha: Tensor,
    alpha_forward: Tensor,
    alpha_backward: Tensor,
    valid_forward: Tensor,
    valid_backward: Tensor,
) -> Tensor:
    """NLA, alpha flow term: mean |alpha(p) - alpha(p + flow)|; every alpha is [N, 1]."""
    error_forward = (alpha_forward - alpha).abs()[:, 0]
    error_backward = (alpha_backward - alpha).abs()[:, 0]
    return _both_ways(error_forward, error_backward, valid_forward, valid_backward)


def bootstrap(alpha: Tensor, mask: Tensor, known: Tensor) -> Tensor:
    """NLA, alpha bootstrapping term: mean -m log alpha - (1 - m) log(1 - alpha).

    ``alpha`` is [N, 1], ``mask`` [N] in [0, 1]. Points whose mask is not ``known`` [N] do not
    count: a frame in which nothing was found must not teach that nothing is there.
    """
    opaque, clear = alpha[:, 0].log(), (1 - alpha[:, 0]).log()
    return _mean_where(-(mask * opaque + (1 - mask) * clear), known)


def _change_of_shape(along_x: Tensor, along_y: Tensor) -> Tensor:
    # With J = [along_x, along_y], J^T J = [[xx, xy], [xy, yy]]. The adjugate of a 2 x 2 matrix
    # has the matrix's own Frobenius norm, which gives the inverse's without inverting.
    xx = (along_x * along_x).sum(dim=1)
    yy = (along_y * along_y).sum(dim=1)
    xy = (along_x * along_y).sum(dim=1)
    kept_xx, kept_yy = xx + FOLD, yy + FOLD
    determinant = (kept_xx * kept_yy - xy * xy).clamp_min(FOLD * FOLD)
    inverse = _frobenius(kept_xx, xy, kept_yy) / determinant
    return _frobenius(xx, xy, yy) + inverse


def _frobenius(xx: Tensor, xy: Tensor, yy: Tensor) -> Tensor:
    return torch.linalg.vector_norm(torch.stack([xx, xy, xy, yy], dim=1), dim=1)


def _both_ways(
    error_forward: Tensor, error_backward: Tensor, valid_forward: Tensor, valid_backward: Tensor
) -> Tensor:
    forward = _mean_where(error_forward, valid_forward)
    backward = _mean_where(error_backward, valid_backward)
    return (forward + backward) / 2


def _mean_where(values: Tensor, counts: Tensor) -> Tensor:
    return (values * counts).sum() / counts.sum().clamp_min(1)


def _squared_length(vectors: Tensor) -> Tensor:
    return (vectors * vectors).sum(dim=1)
