"""Smooth fields from few control points: uniform cubic B-splines on a grid of knots.

Because a window is upright, a field on all pixels of a frame is two small matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Lattice:
    """Knots every ``spacing`` over ``width`` x ``height``; fields are constant beyond."""

    width: float
    height: float
    spacing: float

    @property
    def columns(self) -> int:
        """Number of knots along x."""
        return int((self.width - 1) / self.spacing) + 4

    @property
    def rows(self) -> int:
        """Number of knots along y."""
        return int((self.height - 1) / self.spacing) + 4

    def basis_x(self, x: Tensor) -> Tensor:
        """Return the weights of the knot columns at positions ``x`` [...], [..., columns]."""
        return _basis(x.clamp(0, self.width - 1) / self.spacing, self.columns)

    def basis_y(self, y: Tensor) -> Tensor:
        """Return the weights of the knot rows at positions ``y`` [...], [..., rows]."""
        return _basis(y.clamp(0, self.height - 1) / self.spacing, self.rows)

    def basis(self, points: Tensor) -> Tensor:
        """Return the weights of all knots at ``points`` [N, 2], [N, rows * columns]."""
        across, down = self.basis_x(points[:, 0]), self.basis_y(points[:, 1])
        return (down[:, :, None] * across[:, None, :]).flatten(1)

    def near(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the numbers and weights of the 16 knots around ``points`` [N, 2], both [N, 16].

        They are the weights of `basis` that are not zero.
        """
        x, y = points[:, 0].clamp(0, self.width - 1), points[:, 1].clamp(0, self.height - 1)
        weights, lower = _nearest(torch.stack([x, y], 1) / self.spacing)
        four = torch.arange(4, device=points.device)
        square = four[:, None] * self.columns + four
        numbers = lower[:, 1] * self.columns + lower[:, 0]
        both = weights[:, 1, :, None] * weights[:, 0, None, :]
        return numbers[:, None] + square.flatten(), both.flatten(1)

    def refine(self, knots: Tensor, coarser: Lattice) -> Tensor:
        """Return ``knots`` [T, rows, columns, C] of a ``coarser`` lattice over the same, for this.

        The field is the same but for what this lattice cannot show.
        """
        x, y = (torch.linspace(0, side - 1, int(side) + 1) for side in (self.width, self.height))
        across = _fit_knots(self.basis_x(x), coarser.basis_x(x))
        down = _fit_knots(self.basis_y(y), coarser.basis_y(y))
        return torch.einsum("ry,tyxc,kx->trkc", down, knots, across)


def _nearest(position: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weights of the four knots around each position [N, 2], [N, 2, 4], and the first.

    The first of the four is numbered along its axis, [N, 2].
    """
    lower = position.floor()
    part = position - lower
    rest = 1 - part
    weights = [
        rest**3 / 6,
        2 / 3 - part**2 * (1 - part / 2),
        2 / 3 - rest**2 * (1 - rest / 2),
        part**3 / 6,
    ]
    return torch.stack(weights, 2), lower.long()


def _fit_knots(basis: Tensor, wanted: Tensor) -> Tensor:
    """Return the knots with which ``basis`` [N, a] comes nearest to ``wanted`` [N, b], [a, b]."""
    least = 1e-6 * torch.eye(basis.shape[1])
    return torch.linalg.solve(basis.T @ basis + least, basis.T @ wanted)


def field(knots: Tensor, basis_x: Tensor, basis_y: Tensor) -> Tensor:
    """Evaluate ``knots`` [T, rows, columns, C] on pixels, [T, H, W, C].

    ``basis_x`` [T, W, columns] and ``basis_y`` [T, H, rows] are the weights of the pixels.
    """
    across = torch.einsum("twx,tyxc->tywc", basis_x, knots)
    return torch.einsum("thy,tywc->thwc", basis_y, across)


def planes(knots: Tensor, basis_x: Tensor, basis_y: Tensor) -> Tensor:
    """Return what `field` does, channels first, [C, T, H, W]."""
    return basis_y @ (knots.permute(3, 0, 1, 2) @ basis_x.mT)


def stiffness(lattice: Lattice, *, first: float, second: float, size: float) -> Tensor:
    """Return the matrix [K, K] of the energy of one frame's knots.

    The energy sums squares of first differences, of second differences (the mixed one twice),
    and of the knots themselves.
    """
    rows, columns = lattice.rows, lattice.columns
    one_x, one_y = torch.eye(columns), torch.eye(rows)
    gradient_x, gradient_y = _differences(columns, 1), _differences(rows, 1)
    parts = [
        (first, torch.kron(one_y, gradient_x)),
        (first, torch.kron(gradient_y, one_x)),
        (second, torch.kron(one_y, _differences(columns, 2))),
        (second, torch.kron(_differences(rows, 2), one_x)),
        (2 * second, torch.kron(gradient_y, gradient_x)),
        (size, torch.eye(rows * columns)),
    ]
    return sum((weight * part.T @ part for weight, part in parts), torch.zeros(()))


def _basis(position: Tensor, count: int) -> Tensor:
    distance = (position[..., None] - torch.arange(-1, count - 1, device=position.device)).abs()
    near = 2 / 3 - distance**2 * (1 - distance / 2)
    far = (2 - distance).clamp(min=0) ** 3 / 6
    return torch.where(distance < 1, near, far)


def _differences(count: int, order: int) -> Tensor:
    matrix = torch.eye(count)
    for _ in range(order):
        matrix = matrix[1:] - matrix[:-1]
    return matrix
