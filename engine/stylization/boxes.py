"""Where the object is: one box for each frame, from alpha alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

COARSE = 96  # cells along the longer side in which components are told apart
SPECK = 0.01  # a component smaller than this part of the largest is no object
SMOOTHING = 1.0  # frames; sigma of the Gaussian over time


def object_boxes(alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return the boxes [T, 4] of the object in ``alpha`` [T, H, W], and where it is seen, bool [T].

    A box is left, top, right, bottom in pixels, smoothed over time but never smaller than the
    object itself. Frames without the object have the smoothed box of the frames around them.
    """
    kept = _without_specks(alpha > 0.5)  # [T, H, W]
    left, right = _ends(kept.any(1))
    top, bottom = _ends(kept.any(2))
    raw = torch.stack([left, top, right, bottom], 1).float()  # [T, 4]
    seen = kept.flatten(1).any(1)
    smooth = _smooth(raw, seen)
    outward = torch.cat([torch.minimum(raw, smooth)[:, :2], torch.maximum(raw, smooth)[:, 2:]], 1)
    return torch.where(seen[:, None], outward, smooth), seen


def slices_around(where: Tensor, margin: int) -> tuple[slice, slice]:
    """Return rows and columns of the box around ``where`` bool [H, W], ``margin`` px wider.

    The box ends at the picture's border; where there is nothing it is the whole picture.
    """
    ends = ([int(end) for end in _ends(where.any(axis)[None])] for axis in (1, 0))
    rows, columns = (slice(max(0, first - margin), last + margin) for first, last in ends)
    return rows, columns


def _ends(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """First and one past the last true place in each row of [T, N]."""
    marks = occupied.int()
    return marks.argmax(1), occupied.shape[1] - marks.flip(1).argmax(1)


def _smooth(boxes: Tensor, seen: Tensor) -> Tensor:
    """Average boxes [T, 4] over neighbouring frames in which the object is seen."""
    time = torch.arange(len(boxes), device=boxes.device, dtype=boxes.dtype)
    distance = (time[:, None] - time[None]) / SMOOTHING
    # The second summand decides only where no frame with the object is near.
    nearness = torch.exp(-0.5 * distance**2) + 1e-6 / (1 + distance**2)
    nearness = nearness * seen
    return nearness @ boxes / nearness.sum(1, keepdim=True).clamp_min(1e-12)


def _without_specks(mask: Tensor) -> Tensor:
    """Drop the small connected components of a mask [T, H, W]."""
    factor = max(1, -(-max(mask.shape[1:]) // COARSE))
    coarse = functional.max_pool2d(mask[:, None].float(), factor, ceil_mode=True)
    labels = _labels(coarse)  # [T, 1, h, w], 0 outside
    frames, cells = len(mask), labels[0].numel()
    flat = labels.reshape(frames, cells).long()
    sizes = torch.zeros(frames, cells + 1, device=mask.device)
    sizes.scatter_add_(1, flat, torch.ones_like(flat, dtype=sizes.dtype))
    sizes[:, 0] = 0
    large = sizes >= SPECK * sizes.amax(1, keepdim=True).clamp_min(1)
    kept = large.gather(1, flat).reshape(labels.shape)
    full = kept.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    return mask & full[:, 0, : mask.shape[1], : mask.shape[2]]


def _labels(mask: Tensor) -> Tensor:
    """Number the connected components of [T, 1, h, w]: the largest number in each spreads."""
    numbers = torch.arange(1, mask[0].numel() + 1, device=mask.device, dtype=torch.float64)
    labels = numbers.reshape(1, 1, *mask.shape[2:]) * mask
    while True:
        grown = functional.max_pool2d(labels, 3, stride=1, padding=1) * mask
        if torch.equal(grown, labels):
            return labels
        labels = grown
