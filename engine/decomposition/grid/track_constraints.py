"""Track constraints: what a corner shows in two frames far apart lies at one point of the atlas.

Flow between neighbours is exact, but its errors add up; tracks bind frames over a long time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy import ndarray as Array
from torch import Tensor
from torch.nn import functional

from .matches import Matches

SHORTEST = 4  # frames; over fewer the flow says it for every pixel
ROBUST_SCALE = 1.0  # coarse px, residual at which a constraint counts half


@dataclass(frozen=True)
class TrackConstraint:
    """Constrains the coarse places around both ends of N tracks; distances as in FlowConstraint."""

    places: Tensor  # [N, 8], numbers of the places of all frames
    shares: Tensor  # [N, 8], how much they count; negative at the start
    residual: Tensor  # [N, 2], how far the mapping at the end is from the mapping at the start

    def residual_change(self, displacement: Tensor) -> Tensor:
        """Return what ``displacement`` [T, 2, h, w] adds to the residuals, [N, 2]."""
        flat = displacement.movedim(1, 3).reshape(-1, 2)
        return functional.embedding_bag(
            self.places, flat, per_sample_weights=self.shares, mode="sum"
        )

    def irls_weights(self, displacement: Tensor) -> Tensor:
        """Return each track's IRLS weight, that of Cauchy's loss, [N].

        A track counts as much as the flow at one coarse pixel.
        """
        far = (self.residual + self.residual_change(displacement)).square().sum(1)
        return 1 / (1 + far / ROBUST_SCALE**2)

    def add_gradient(self, gradient: Tensor, residual: Tensor, weight: Tensor) -> None:
        """Add the gradient of half the sum of ``weight`` [N] times ``residual`` [N, 2] squared.

        ``gradient`` [T, 2, h, w] is that of a displacement.
        """
        pulls = (self.shares * weight[:, None])[..., None] * residual[:, None]  # [N, 8, 2]
        frames, _, height, width = gradient.shape
        sums = gradient.new_zeros(frames * height * width, 2)
        sums.index_add_(0, self.places.flatten(), pulls.flatten(0, 1))
        gradient.add_(sums.view(frames, height, width, 2).movedim(3, 1))

    def add_diagonal(self, diagonal: Tensor, weight: Tensor) -> None:
        """Add the absolute second derivatives of each place's row to ``diagonal`` [T, 1, h, w]."""
        pulls = self.shares.abs() * weight[:, None]
        diagonal.view(-1).index_add_(0, self.places.flatten(), pulls.flatten())


def track_constraint(
    tracks: Matches, uv: Tensor, *, size: tuple[int, int], step: Tensor
) -> TrackConstraint:
    """Return the constraint of ``tracks`` on the mapping ``uv`` [T, 2, h, w] of the object's boxes.

    The tracks' points are px of the boxes, pixel centres being whole numbers; those over fewer
    than `SHORTEST` frames do not count. ``size`` (h', w') is the coarse one, ``step`` a coarse
    pixel's of the atlas.
    """
    long = tracks.second - tracks.first >= SHORTEST
    ends = [
        (frames[long], points[long])
        for frames, points in ((tracks.first, tracks.start), (tracks.second, tracks.end))
    ]
    full = uv.shape[2:]
    finer = np.array([size[1] / full[1], size[0] / full[0]])
    flat = uv.movedim(1, 3).reshape(-1, 2)
    mapped = []
    for frames, points in ends:
        places, shares = (each.to(uv.device) for each in _around(frames, points, full))
        mapped.append((flat[places] * shares[..., None]).sum(1))
    (first, before), (second, after) = (
        _around(frames, (points + 0.5) * finer - 0.5, size) for frames, points in ends
    )
    return TrackConstraint(
        torch.cat([first, second], 1).to(uv.device),
        torch.cat([-before, after], 1).to(uv.device),
        (mapped[1] - mapped[0]) / step,
    )


def _around(frames: Array, points: Array, size: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return the four places around each of ``points`` [N, 2], and their bilinear shares, [N, 4].

    Places are counted row by row through all frames, of ``size`` (h, w) each.
    """
    height, width = size
    inside = np.clip(points, 0, [width - 1, height - 1])
    lower = np.minimum(np.floor(inside), np.maximum([width - 2, height - 2], 0)).astype(np.int64)
    part = inside - lower
    right, below = min(1, width - 1), width * min(1, height - 1)
    corner = (frames * height + lower[:, 1]) * width + lower[:, 0]
    across = np.stack([1 - part[:, 0], part[:, 0]], 1)
    down = np.stack([1 - part[:, 1], part[:, 1]], 1)
    shares = (down[:, :, None] * across[:, None]).reshape(-1, 4)
    numbers = corner[:, None] + np.array([0, right, below, below + right])
    return torch.from_numpy(numbers), torch.from_numpy(shares.astype(np.float32))
