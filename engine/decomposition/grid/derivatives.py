"""Steps of the rendering whose derivatives are written out.

Left to autograd they copy whole pictures once for each frame and box; that was most of a step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def over(front: Tensor, behind: Tensor, alphas: Tensor, corners: list[tuple[int, int]]) -> Tensor:
    """Return ``behind`` [C, n, H, W] with ``front`` [C, n, h, w] over it, one box a frame.

    ``alphas`` [n, h, w] say how much; ``corners`` are the boxes' upper left rows and columns.
    """
    return _Over.apply(front, behind, alphas, corners)  # pyright: ignore[reportReturnType]


def smooth(texture: Tensor) -> Tensor:
    """Average ``texture`` [C, P, Q] over three texels, a quarter, a half, a quarter, both ways."""
    return _Smoothed.apply(texture)  # pyright: ignore[reportReturnType]


class _Over(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, front: Tensor, behind: Tensor, alphas: Tensor, corners: list[tuple[int, int]]
    ) -> Tensor:
        whole, step = behind.clone(), torch.empty_like(front)
        for number, part in enumerate(_boxes(whole, corners, alphas)):
            torch.sub(front[:, number], part, out=step[:, number])
            part.addcmul_(step[:, number], alphas[number])
        ctx.save_for_backward(step, alphas)
        ctx.corners = corners
        return whole

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        step, alphas = ctx.saved_tensors
        behind, front = gradient.clone(), torch.empty_like(step)
        for number, part in enumerate(_boxes(behind, ctx.corners, alphas)):
            front[:, number] = part
            part.addcmul_(part, alphas[number], value=-1)
        return front * alphas, behind, (front * step).sum(0), None


def _boxes(pictures: Tensor, corners: list[tuple[int, int]], alphas: Tensor) -> list[Tensor]:
    """Return the box of each frame of ``pictures`` [C, n, H, W], as views [C, h, w]."""
    height, width = alphas.shape[1:]
    return [
        pictures[:, number, top : top + height, left : left + width]
        for number, (top, left) in enumerate(corners)
    ]


class _Smoothed(torch.autograd.Function):
    """A symmetric matrix on either side: its derivative is the same once more."""

    @staticmethod
    def forward(ctx: Any, texture: Tensor) -> Tensor:
        return _blur(_blur(texture, 2), 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _blur(_blur(gradient, 2), 1)


def _blur(texture: Tensor, axis: int) -> Tensor:
    last = texture.shape[axis] - 1
    result = texture * 2
    result.narrow(axis, 1, last).add_(texture.narrow(axis, 0, last))
    result.narrow(axis, 0, last).add_(texture.narrow(axis, 1, last))
    for end in (0, last):  # the border is repeated
        result.select(axis, end).add_(texture.select(axis, end))
    return result.div_(4)
