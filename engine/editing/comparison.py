"""What was painted on a picture: which pixels, and how much of what was there still shows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

TOLERANCE = 1.5 / 255  # what programs differ in that were only asked to save the picture again
WINDOW = 4  # px on each side
LEAST_DEVIATION = 3 / 255  # contrast below which nothing is told from noise


@dataclass(frozen=True)
class Painted:
    """A change ``after = before - removed * before + added``, [H, W, 3] each; 0 where none is."""

    removed: Tensor
    added: Tensor

    @property
    def changed(self) -> Tensor:
        """Where anything was changed, bool [H, W]."""
        return ((self.removed != 0) | (self.added != 0)).any(2)


@torch.no_grad()
def compare_painting(
    before: Tensor, after: Tensor, *, opacity: float = 1.0, alpha: Tensor | None = None
) -> Painted:
    """Return what turned the picture ``before`` [H, W, 3] into ``after``, colours in [0, 1].

    Paint that covers leaves nothing of the details below it, a grade leaves all, a glaze a part:
    how much is left is the slope of the local regression of ``after`` on ``before``, between 0 and
    1 (the guided filter, He et al. 2013, eq. 5), times how much of ``after`` that explains.
    Differences of less than `TOLERANCE` are none; colours of little ``alpha`` [H, W, 1] are known
    to fewer bits, for programs multiply by it.
    """
    difference = (after - before).abs()
    if alpha is not None:
        difference = difference * alpha
    changed = difference.amax(2) > TOLERANCE  # [H, W]
    left = _regression(before, after, changed)[..., None]  # [H, W, 1]
    where = changed[..., None] * opacity
    return Painted((1 - left).expand_as(before) * where, (after - left * before) * where)


def _regression(before: Tensor, after: Tensor, where: Tensor) -> Tensor:
    """Return slope times R squared of ``after`` on ``before`` around each pixel, [H, W].

    All colours together; only the pixels of ``where`` are looked at.
    """
    weight = where.to(before)[..., None]  # [H, W, 1]
    products = [before, after, before * before, after * after, before * after]
    stacked = torch.cat([torch.cat(products, 2) * weight, weight], 2).permute(2, 0, 1)
    side = 2 * WINDOW + 1
    means = functional.avg_pool2d(stacked[None], side, 1, WINDOW, count_include_pad=False)[0]
    count = means[15].clamp_min(1e-6)
    own, other, own_square, other_square, product = (
        means[3 * i : 3 * i + 3] / count for i in range(5)
    )
    noise = 3 * LEAST_DEVIATION**2
    own_variance = (own_square - own * own).sum(0)
    other_variance = (other_square - other * other).sum(0)
    covariance = (product - own * other).sum(0).clamp_min(0)
    explained = covariance.square() / (own_variance * other_variance + noise**2)
    return (covariance / (own_variance + noise) * explained).clamp(0, 1)
