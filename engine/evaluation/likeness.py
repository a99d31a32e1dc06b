"""What CLIP makes of the object in each frame: the whole object, cut out square, no augmentation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..stylization.boxes import object_boxes
from ..stylization.encoder import Encoder

MARGIN = 0.1  # of the box's longer side, on each side
AT_ONCE = 16  # pictures


@torch.no_grad()
def embed_objects(encoder: Encoder, frames: Tensor, alpha: Tensor) -> Tensor:
    """Return the embeddings [T, E] of the object's crops of ``frames`` [T, H, W, 3] in [0, 1].

    The crop is the smallest square around the box of ``alpha`` [T, H, W] with a margin; what lies
    outside the frame repeats its edge.
    """
    boxes, _ = object_boxes(alpha.cpu())
    device = next(encoder.parameters()).device
    crops = torch.stack(
        [_square(frame, box, encoder.size) for frame, box in zip(frames, boxes, strict=True)]
    )
    found = [encoder.embed_images(part.to(device)) for part in crops.split(AT_ONCE)]
    return torch.cat(found).cpu()


def _square(frame: Tensor, box: Tensor, size: int) -> Tensor:
    """Cut the square around ``box`` [4] out of ``frame`` [H, W, 3], as [3, size, size]."""
    left, top, right, bottom = box.tolist()
    half = max(right - left, bottom - top, 2.0) * (0.5 + MARGIN)
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    columns = _inside(middle_x - half, middle_x + half, frame.shape[1])
    rows = _inside(middle_y - half, middle_y + half, frame.shape[0])
    crop = frame[rows][:, columns].permute(2, 0, 1)[None]
    picture = functional.interpolate(crop, (size, size), mode="bilinear", antialias=True)
    return picture[0].clamp(0, 1)


def _inside(low: float, high: float, length: int) -> Tensor:
    return torch.arange(round(low), max(round(high), round(low) + 1)).clamp(0, length - 1)
