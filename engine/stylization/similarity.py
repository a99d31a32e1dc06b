"""What an encoder makes of the object in each frame: for metrics and reports."""

from __future__ import annotations

import torch
from torch import Tensor

from .boxes import object_boxes
from .canvas import as_colours
from .crops import crop_views
from .encoder import Encoder
from .views import Views, perspective

MARGIN = 0.1  # around the object's box, as part of its longer side
AT_ONCE = 16


def object_crops(frames: Tensor, alpha: Tensor, size: int) -> Tensor:
    """Cut the whole object out of every frame that shows it, as squares [N, 3, S, S].

    ``frames`` [T, H, W, 3] are bytes or floats in [0, 1], ``alpha`` is [T, H, W]; what lies
    beyond a frame is black.
    """
    boxes, seen = object_boxes(alpha)
    crops = [_square(as_colours(frames[t]), boxes[t], size) for t in seen.nonzero()[:, 0].tolist()]
    return torch.cat(crops) if crops else as_colours(frames[:0]).new_zeros(0, 3, size, size)


@torch.no_grad()
def embed_objects(encoder: Encoder, frames: Tensor, alpha: Tensor) -> Tensor:
    """Return the embeddings [N, E] of the object in every frame that shows it, see above."""
    crops = object_crops(frames, alpha, encoder.size).to(encoder.mean.device)
    return torch.cat([encoder.embed_images(some) for some in crops.split(AT_ONCE)]).cpu()


def _square(frame: Tensor, box: Tensor, size: int) -> Tensor:
    """The square around ``box`` [4] of a frame [H, W, 3], as [1, 3, S, S]."""
    side = (box[2:] - box[:2]).max() * (1 + 2 * MARGIN)
    corner = (box[:2] + box[2:] - side) / 2
    no = torch.zeros(1, dtype=torch.bool)
    crop = torch.cat([corner, side.expand(2)])[None].cpu()
    plain = perspective(torch.zeros(1, 4, 2, dtype=torch.float64))
    picture = torch.cat([frame.permute(2, 0, 1), torch.zeros_like(frame.permute(2, 0, 1))])
    return crop_views(picture, Views(crop, plain, no, no), size)
