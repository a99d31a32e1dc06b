"""Flow constraints: where the flow puts each place of a frame in its neighbour, coarsely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .chunks import of_frames

INSIDE = 0.3  # of a mask, from which on a pixel is the object's
ROBUST_SCALE = 1.0  # coarse px, residual at which a constraint counts half


@dataclass(frozen=True)
class FlowConstraint:
    """Constrains each frame by the one ``ahead`` frames later (1 or -1), in pairs of neighbours.

    Distances are of the atlas, in steps that a coarse pixel usually has there.
    """

    ahead: int
    grid: Tensor  # [T-1, h, w, 2], where the place lies in the other frame, for `grid_sample`
    weight: Tensor  # [T-1, 1, h, w], the share of the place that the flow holds
    residual: Tensor  # [T-1, 2, h, w], how far the mapping there is from the mapping here

    def residual_change(self, displacement: Tensor, pairs: range) -> Tensor:
        """Return what ``displacement`` [n + 1, 2, h, w] adds to the residuals of n ``pairs``."""
        own, other = displacement[:-1], displacement[1:]
        if self.ahead < 0:
            own, other = other, own
        return read(other, of_frames(self.grid, pairs)) - own

    def irls_weights(self, displacement: Tensor, pairs: range) -> Tensor:
        """Return each place's IRLS weight, `weight` times that of Cauchy's loss, [n, 1, h, w].

        ``displacement`` is as for `residual_change`.
        """
        residual = of_frames(self.residual, pairs) + self.residual_change(displacement, pairs)
        far = residual.square().sum(1, keepdim=True)
        return of_frames(self.weight, pairs) / (1 + far / ROBUST_SCALE**2)


def flow_constraint(
    ahead: int,
    flow: tuple[Tensor, Tensor],
    uv: Tensor,
    masks: Tensor,
    *,
    size: tuple[int, int],
    step: Tensor,
    parts: Sequence[range],
) -> FlowConstraint:
    """Return the constraint of ``flow`` on the mapping ``uv`` [T, 2, h, w] of the object's boxes.

    ``masks`` [T, h, w]; ``flow`` is where it ends in the other box, px [T-1, h, w, 2], and where
    it holds [T-1, h, w]. The result has the coarse ``size``; ``step`` is a coarse pixel's of the
    atlas. ``parts`` are the pairs, some at a time.
    """
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    for pairs in parts:
        here, there = pairs, range(pairs.start + 1, pairs.stop + 1)
        if ahead < 0:
            here, there = there, here
        ends, valid = (of_frames(each, pairs) for each in flow)
        grid = for_sampling(ends)
        holds = _where_flow_holds(of_frames(masks, there), of_frames(masks, here), grid, valid)
        residual = (read(of_frames(uv, there), grid) - of_frames(uv, here)) / step
        weight = coarse(holds, size)
        most = weight.clamp_min(1e-6)
        found.append(
            (
                (coarse(grid.permute(0, 3, 1, 2) * holds, size) / most).permute(0, 2, 3, 1),
                weight,
                coarse(residual * holds, size) / most,
            )
        )
    return FlowConstraint(ahead, *(torch.cat(each) for each in zip(*found, strict=True)))


def coarse(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Average ``pictures`` [n, c, H, W] over the places of a grid of ``size``."""
    if pictures.shape[2:] == size:
        return pictures
    return functional.adaptive_avg_pool2d(pictures, size)


def for_sampling(ends: Tensor) -> Tensor:
    """Turn px ``ends`` [n, h, w, 2] of boxes of this size into places for `grid_sample`."""
    height, width = ends.shape[1:3]
    across, down = ends.unbind(3)
    return torch.stack([(across + 0.5) / width * 2 - 1, (down + 0.5) / height * 2 - 1], 3)


def read(pictures: Tensor, grid: Tensor) -> Tensor:
    """Read ``pictures`` [n, c, h, w] bilinearly at ``grid`` [n, h, w, 2]."""
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _where_flow_holds(there: Tensor, here: Tensor, grid: Tensor, valid: Tensor) -> Tensor:
    """Return where both are the object and the flow holds, [n, 1, h, w]."""
    inside = [(each > INSIDE).float()[:, None] for each in (there, here)]
    both = (read(inside[0], grid) > 0.99).float() * inside[1] * valid[:, None]
    return both * (grid.abs() < 1).all(3)[:, None]
