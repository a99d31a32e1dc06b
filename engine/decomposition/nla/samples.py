"""Random points of a video with every neighbour that a loss needs.

The video lies on the device, as small as it goes; a step only gathers from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..coordinates import Extent, offset_of_flow, points_of_pixels

if TYPE_CHECKING:
    from ...video.flow import Flow
    from ...video.masks import Masks


@dataclass(frozen=True)
class Samples:
    """N random points. All places are points, [N, 3]; those outside the video are legal."""

    here: Tensor
    right: Tensor  # one pixel to the right
    below: Tensor  # one pixel down
    forward: Tensor  # where the flow leads in the next frame
    backward: Tensor  # where the flow leads in the frame before
    far_right: Tensor | None  # a long way to the right, where global rigidity counts
    far_below: Tensor | None
    colour: Tensor  # [N, 3] in [0, 1]
    difference_x: Tensor  # [N, 3], the right neighbour's colour minus this one's
    difference_y: Tensor  # [N, 3]
    inside_x: Tensor  # [N] bool, is the right neighbour in the picture?
    inside_y: Tensor  # [N] bool
    valid_forward: Tensor  # [N] bool, is the flow to be believed?
    valid_backward: Tensor  # [N] bool
    mask: Tensor  # [N] in [0, 1]
    known: Tensor  # [N] bool, does this frame have a mask?


class VideoPoints:
    """A video, its flow and its masks on ``device``, from which points are drawn.

    ``frames`` is uint8 [T, H, W, 3]. Colours stay 8 bit and flow is kept in half precision:
    70 frames of 768 x 432 take 300 MB. Nothing is drawn where ``hidden`` [T, H, W] is true.
    """

    def __init__(
        self,
        frames: np.ndarray,
        flow: Flow,
        masks: Masks,
        device: torch.device,
        hidden: np.ndarray | None = None,
    ) -> None:
        count, height, width, channels = frames.shape
        assert channels == 3, f"frames {frames.shape}"
        assert flow.forward.shape == (count - 1, height, width, 2), f"flow {flow.forward.shape}"
        assert masks.masks.shape == (count, height, width), f"masks {masks.masks.shape}"
        self.extent = Extent(count, height, width)
        self.device = device
        self.frames = torch.from_numpy(frames).to(device).view(-1, 3)
        self.masks = torch.from_numpy(masks.masks).to(device).view(-1)
        self.known = torch.from_numpy(masks.known).to(device)
        self.shown = self.allowed = None
        if hidden is not None:
            self.shown = torch.from_numpy(~hidden).to(device).view(-1)
            self.allowed = self.shown.nonzero()[:, 0].int()
        # Padded by one frame without flow, so that every pixel has an entry in each direction.
        forward = _where_trustworthy(flow.forward, flow.forward_valid)
        backward = _where_trustworthy(flow.backward, flow.backward_valid)
        self.forward = self._pad(forward, first=False)
        self.backward = self._pad(backward, first=True)
        self.valid_forward = self._pad(flow.forward_valid, first=False)
        self.valid_backward = self._pad(flow.backward_valid, first=True)

    def draw(self, count: int, generator: torch.Generator, *, far: float = 0.0) -> Samples:
        """Return ``count`` points drawn evenly with replacement.

        Where ``far`` is not 0, each point gets its neighbours at that many pixels.
        """
        total = self.extent.pixels if self.allowed is None else len(self.allowed)
        chosen = torch.randint(total, (count,), generator=generator, device=generator.device)
        chosen = chosen.to(self.device)
        return self.at(chosen if self.allowed is None else self.allowed[chosen].long(), far=far)

    def at(self, chosen: Tensor, *, far: float = 0.0) -> Samples:
        """Return the samples at the pixels numbered ``chosen`` [N], counted row by row."""
        pixels = self.extent.pixel(chosen)
        here = points_of_pixels(pixels, self.extent)
        inside_x = pixels[:, 0] + 1 < self.extent.width
        inside_y = pixels[:, 1] + 1 < self.extent.height
        if self.shown is not None:
            inside_x = inside_x & self.shown[chosen + inside_x]
            inside_y = inside_y & self.shown[chosen + inside_y * self.extent.width]
        colour = self._colour(chosen)
        return Samples(
            here=here,
            right=self._move(here, 1, axis=0),
            below=self._move(here, 1, axis=1),
            forward=self._along(here, self.forward[chosen], 1),
            backward=self._along(here, self.backward[chosen], -1),
            far_right=self._move(here, far, axis=0) if far else None,
            far_below=self._move(here, far, axis=1) if far else None,
            colour=colour,
            difference_x=self._colour(chosen + inside_x) - colour,
            difference_y=self._colour(chosen + inside_y * self.extent.width) - colour,
            inside_x=inside_x,
            inside_y=inside_y,
            valid_forward=self.valid_forward[chosen],
            valid_backward=self.valid_backward[chosen],
            mask=self.masks[chosen].float() / 255,
            known=self.known[pixels[:, 2]],
        )

    def points_in(self, frame: int, count: int, generator: torch.Generator) -> Tensor:
        """Return ``count`` points [N, 3] drawn evenly with replacement in one frame."""
        per_frame = self.extent.height * self.extent.width
        chosen = torch.randint(per_frame, (count,), generator=generator, device=generator.device)
        pixels = self.extent.pixel(chosen.to(self.device) + frame * per_frame)
        return points_of_pixels(pixels, self.extent)

    def _colour(self, chosen: Tensor) -> Tensor:
        return self.frames[chosen].float() / 255

    def _move(self, here: Tensor, pixels: float, *, axis: int) -> Tensor:
        moved = here.clone()
        moved[:, axis] += pixels / self.extent.half
        return moved

    def _along(self, here: Tensor, flow: Tensor, frames: int) -> Tensor:
        offset = offset_of_flow(flow.float(), self.extent)
        time = torch.full_like(offset[:, :1], frames / self.extent.half_time)
        return here + torch.cat([offset, time], dim=1)

    def _pad(self, values: np.ndarray, *, first: bool) -> Tensor:
        on_device = torch.from_numpy(values).to(self.device)
        absent = torch.zeros_like(on_device[:1])
        joined = torch.cat([absent, on_device] if first else [on_device, absent])
        return joined.view(-1, *joined.shape[3:])


def _where_trustworthy(flow: np.ndarray, valid: np.ndarray) -> np.ndarray:
    # Whatever a flow says where it is not to be believed must not reach the networks, where
    # infinity times a weight of 0 would be NaN.
    return np.where(valid[..., None], flow, 0).astype(np.float16)
