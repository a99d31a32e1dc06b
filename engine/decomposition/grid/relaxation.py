"""One more mapping, shared by all frames: it unfolds what the reference frame shows foreshortened.

The registration alone lays the atlas out as one frame shows the object. The side that is turned
away there has a few texels at the edge, and their texture would smear over a whole
flank elsewhere. A mapping behind all others changes nothing of what sticks to what.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy import ndarray as Array
from torch import Tensor

from .splines import Lattice, stiffness

SPACING = 8.0
SAMPLES = 8000
STEPS, RATE, LAST_RATE = 120, 0.3, 0.05
BENDING = 0.02
RIGID = 4.0  # the distortion of what is only moved and turned
NEGLIGIBLE = 0.3  # a mean distortion so little above it is left as it is
MOST = 60.0  # of one sample, so that those that cannot be helped do not decide
LEAST_AREA, AGAINST_FOLDS = 0.1, 1000.0
NEAR = 0.25  # px, between the ends of a difference and its middle


@dataclass(frozen=True)
class Relaxation:
    """Points of the reference frame's window go where a spline field takes them."""

    corner: Tensor  # [2], of the lattice, crop px
    lattice: Lattice
    knots: Tensor  # [rows, columns, 2]

    def __call__(self, points: Tensor) -> Tensor:
        """Return where ``points`` [..., 2] go."""
        flat = self.knots.flatten(0, 1)
        moved = []
        for part in points.reshape(-1, 2).split(1 << 16):
            numbers, weights = self.lattice.near(part - self.corner)
            moved.append(part + (weights[..., None] * flat[numbers]).sum(1))
        return torch.cat(moved).view_as(points)

    def to(self, device: torch.device) -> Relaxation:
        """Return the same on ``device``."""
        return replace(self, corner=self.corner.to(device), knots=self.knots.to(device))


def compute_relaxation(
    lattice: Lattice, knots: Tensor, inside: Array, *, seed: int
) -> Relaxation | None:
    """Return the mapping that makes the frames' mappings as rigid as one for all can.

    ``knots`` [T, rows, columns, 2] are what was registered, ``inside`` bool [T, h, w] is where
    the object is in the window. None where there is little to gain. What is made small is the
    symmetric Dirichlet energy of the whole mapping.
    """
    places, jacobians = _samples(lattice, knots, inside, seed)
    if len(places) == 0 or float(_distortion(jacobians).mean()) < RIGID + NEGLIGIBLE:
        return None
    corner = places.amin(0) - SPACING
    width, height = (places.amax(0) + SPACING - corner + 1).tolist()
    shared_lattice = Lattice(width, height, SPACING)
    gradients = _basis_gradients(shared_lattice, places - corner)
    found = _minimize_distortion(gradients, jacobians, shared_lattice)
    while float(_areas(_jacobians(gradients, found)).min()) < LEAST_AREA / 2:
        found = found / 2
    found = found.T.reshape(shared_lattice.rows, shared_lattice.columns, 2)
    return Relaxation(corner, shared_lattice, found)


def _samples(lattice: Lattice, knots: Tensor, inside: Array, seed: int) -> tuple[Tensor, Tensor]:
    """Return where points of all frames lie, [N, 2], and their mappings' Jacobians [N, 2, 2]."""
    random = np.random.default_rng(seed)
    places, jacobians = [torch.zeros(0, 2)], [torch.zeros(0, 2, 2)]
    for field, where in zip(knots.flatten(1, 2), inside, strict=True):
        rows, columns = np.nonzero(where)
        chosen = random.permutation(len(rows))[: max(1, SAMPLES // len(knots))]
        points = torch.from_numpy(np.stack([columns[chosen], rows[chosen]], 1)).float()
        ends = [_displace(lattice, field, points + NEAR * step) for step in _STEPS]
        sides = [(ends[0] - ends[1]) / (2 * NEAR), (ends[2] - ends[3]) / (2 * NEAR)]
        places.append(_displace(lattice, field, points))
        jacobians.append(torch.stack(sides, 2))
    return torch.cat(places), torch.cat(jacobians)


_STEPS = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]])


def _displace(lattice: Lattice, field: Tensor, points: Tensor) -> Tensor:
    numbers, weights = lattice.near(points)
    return points + (weights[..., None] * field[numbers]).sum(1)


def _basis_gradients(lattice: Lattice, points: Tensor) -> tuple[Tensor, Tensor]:
    """Return the knots' share in the gradient along x and y, [K, N] each."""
    ends = [lattice.basis(points + NEAR * step).T for step in _STEPS]
    return (ends[0] - ends[1]) / (2 * NEAR), (ends[2] - ends[3]) / (2 * NEAR)


def _jacobians(gradients: tuple[Tensor, Tensor], knots: Tensor) -> Tensor:
    """Return the Jacobians [N, 2, 2] of the shared mapping; ``knots`` [2, K]."""
    return torch.eye(2) + torch.stack([(knots @ gradient).T for gradient in gradients], 2)


def _areas(jacobians: Tensor) -> Tensor:
    """Return the determinants of ``jacobians`` [N, 2, 2]."""
    upper, lower = jacobians.unbind(1)
    return upper[:, 0] * lower[:, 1] - upper[:, 1] * lower[:, 0]


def _distortion(jacobians: Tensor) -> Tensor:
    """Return |J|^2 + |J^-1|^2 of each of ``jacobians`` [N, 2, 2]; capped."""
    size = jacobians.square().sum((1, 2))
    area = _areas(jacobians).square()
    return (size + size / area.clamp(min=1e-3)).clamp(max=MOST)


def _minimize_distortion(
    gradients: tuple[Tensor, Tensor], jacobians: Tensor, lattice: Lattice
) -> Tensor:
    """Return the knots [2, K] of the shared mapping."""
    bending = stiffness(lattice, first=0.0, second=BENDING, size=1e-4 * BENDING)
    knots = torch.zeros(2, len(bending), requires_grad=True)
    optimizer = torch.optim.Adam([knots], betas=(0.9, 0.99))
    for step in range(STEPS):
        fall = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + np.cos(np.pi * step / STEPS))
        optimizer.param_groups[0]["lr"] = RATE * float(fall)
        shared = _jacobians(gradients, knots)
        folding = (LEAST_AREA - _areas(shared)).clamp(min=0).square().mean()
        loss = _distortion(shared @ jacobians).mean() + AGAINST_FOLDS * folding
        loss = loss + (knots @ bending * knots).sum() / len(bending)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return knots.detach()
