"""The terms of the fast decomposition: tensors in, scalars out, no weights inside.

Small errors count by their square and large ones by their size, so that what the layers cannot
show does not pull at them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

TURN = 0.1


def reconstruction(error: Tensor) -> Tensor:
    """Colour of the blend less the frames', [..., H, W]."""
    return _Robust.apply(error)  # pyright: ignore[reportReturnType]


def gradient(error: Tensor) -> Tensor:
    """Differences to the right and lower neighbours, in the blend less in the frames.

    ``error`` [..., H, W] is the blend less the frames.
    """
    return _RobustSteps.apply(error)  # pyright: ignore[reportReturnType]


class _Kept(torch.autograd.Function):
    """A term with its own gradient: written out it takes a third of the operations."""

    @staticmethod
    def backward(ctx: Any, factor: Tensor) -> Any:
        (gradient,) = ctx.saved_tensors
        return gradient * factor, *[None] * (len(ctx.needs_input_grad) - 1)


class _Robust(torch.autograd.Function):
    """The mean; the derivative is all that is kept, as these pictures are the largest."""

    @staticmethod
    def forward(ctx: Any, error: Tensor) -> Tensor:
        gradient = error.clamp(-TURN, TURN)
        ctx.save_for_backward(gradient)
        return _mean(error, gradient)

    @staticmethod
    def backward(ctx: Any, factor: Tensor) -> Tensor:
        (gradient,) = ctx.saved_tensors
        return gradient * (factor / (TURN * gradient.numel()))


class _RobustSteps(_Kept):
    """The mean of what `_Robust` gives for the differences along the last two axes."""

    @staticmethod
    def forward(ctx: Any, error: Tensor) -> Tensor:
        gradients, value = torch.zeros_like(error), error.new_zeros(())
        for axis in (-1, -2):
            step = _steps(error, axis)
            gradient = step.clamp(-TURN, TURN)
            value += _mean(step, gradient) / 2
            gradient /= 2 * TURN * gradient.numel()
            _add_ends(gradients, gradient, axis)
        ctx.save_for_backward(gradients)
        return value


def _mean(error: Tensor, gradient: Tensor) -> Tensor:
    """Return the mean of smooth L1; ``gradient`` is ``error`` held within `TURN`."""
    error, gradient = error.flatten(), gradient.flatten()
    return (gradient.dot(error) - gradient.dot(gradient) / 2) / (TURN * len(error))


def bootstrap(logits: Tensor, masks: Tensor, support: Tensor) -> Tensor:
    """Cross entropy of alpha with the masks where alpha may be, [n, h, w] each."""
    return _CrossEntropy.apply(logits, masks, support)  # pyright: ignore[reportReturnType]


def alpha_flow(alpha: Tensor, next_alpha: Tensor, valid: Tensor) -> Tensor:
    """Alpha against the next frame's alpha where the flow ends, [n, h, w] each."""
    return ((alpha - next_alpha).abs() * valid).sum() / valid.sum().clamp(min=1)


def alpha_smoothness(alpha: Tensor) -> Tensor:
    """Total variation of alpha [n, h, w]."""
    return _Variation.apply(alpha)  # pyright: ignore[reportReturnType]


def gain(knots: Tensor) -> Tensor:
    """Mean square of the log gains' knots [n, rows, columns, 3] and of their differences."""
    return _Roughness.apply(knots)  # pyright: ignore[reportReturnType]


class _CrossEntropy(_Kept):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, masks: Tensor, support: Tensor) -> Tensor:
        amount = support.sum().clamp(min=1)
        ctx.save_for_backward((logits.sigmoid() - masks).mul_(support).div_(amount))
        total = functional.binary_cross_entropy_with_logits(
            logits, masks, weight=support, reduction="sum"
        )
        return total / amount


class _Variation(_Kept):
    @staticmethod
    def forward(ctx: Any, alpha: Tensor) -> Tensor:
        gradients, value = torch.zeros_like(alpha), alpha.new_zeros(())
        for axis in (-1, -2):
            step = _steps(alpha, axis)
            gradient = step.sign().div_(step.numel())
            value += (step * gradient).sum()
            _add_ends(gradients, gradient, axis)
        ctx.save_for_backward(gradients)
        return value


class _Roughness(_Kept):
    @staticmethod
    def forward(ctx: Any, knots: Tensor) -> Tensor:
        gradients = knots * (2 / knots.numel())
        for axis in (2, 1):
            step = _steps(knots, axis)
            step /= step.numel()
            _add_ends(gradients, step, axis)
        ctx.save_for_backward(gradients)
        return (gradients * knots).sum() / 2  # for a form of squares


def _steps(values: Tensor, axis: int) -> Tensor:
    """Return the differences of neighbours along ``axis``."""
    last = values.shape[axis] - 1
    return values.narrow(axis, 1, last) - values.narrow(axis, 0, last)


def _add_ends(gradients: Tensor, gradient: Tensor, axis: int) -> None:
    """Add the gradients of `_steps` to those of the values between which they lie, in place."""
    last = gradient.shape[axis]
    gradients.narrow(axis, 1, last).add_(gradient)
    gradients.narrow(axis, 0, last).sub_(gradient)
