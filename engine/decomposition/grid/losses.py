"""The terms of the fast decomposition: tensors in, scalars out, no weights inside.

Small errors count by their square and large ones by their size, so that what the layers cannot
show does not pull at them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

TURN = 0.1


def reconstruction(rendered: Tensor, frames: Tensor) -> Tensor:
    """Colour of the blend, [n, H, W, 3] each."""
    return functional.smooth_l1_loss(rendered, frames, beta=TURN)


def gradient(rendered: Tensor, frames: Tensor) -> Tensor:
    """Colour differences to the right and lower neighbours, [n, H, W, 3] each."""
    error = rendered - frames
    across, down = error[:, :, 1:] - error[:, :, :-1], error[:, 1:] - error[:, :-1]
    sizes = [
        functional.smooth_l1_loss(part, torch.zeros_like(part), beta=TURN)
        for part in (across, down)
    ]
    return torch.stack(sizes).mean()


def bootstrap(logits: Tensor, masks: Tensor, support: Tensor) -> Tensor:
    """Cross entropy of alpha with the masks where alpha may be, [n, h, w] each."""
    error = functional.binary_cross_entropy_with_logits(logits, masks, reduction="none")
    return (error * support).sum() / support.sum().clamp(min=1)


def alpha_flow(alpha: Tensor, next_alpha: Tensor, valid: Tensor) -> Tensor:
    """Alpha against the next frame's alpha where the flow ends, [n, h, w] each."""
    return ((alpha - next_alpha).abs() * valid).sum() / valid.sum().clamp(min=1)


def alpha_smoothness(alpha: Tensor) -> Tensor:
    """Total variation of alpha [n, h, w]."""
    across, down = alpha[:, :, 1:] - alpha[:, :, :-1], alpha[:, 1:] - alpha[:, :-1]
    return across.abs().mean() + down.abs().mean()


def gain(knots: Tensor) -> Tensor:
    """Mean square of the logarithmic gains' knots [n, rows, columns, 3] and of their slopes."""
    across, down = knots[:, :, 1:] - knots[:, :, :-1], knots[:, 1:] - knots[:, :-1]
    return knots.square().mean() + 0.5 * (across.square().mean() + down.square().mean())
