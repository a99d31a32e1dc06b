"""What stays fixed while the textures are polished: pictures, masks, mappings, boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy import ndarray as Array
from torch import Tensor

from ...ahead import ahead as side_by_side
from ...partial_results import PartialResults
from ...video.flow import where_agreeing
from .chunks import chunks, of_frames
from .flow_constraints import for_sampling
from .mapping import Background, Foreground, around, box_positions, panorama
from .matches import Matches
from .refinement import refine_mapping
from .splines import Lattice

if TYPE_CHECKING:
    from ...video.flow import Flow

GAIN_KNOTS = 4
EDGE = 1  # px by which other objects blur into what is beside them


@dataclass(frozen=True)
class Scene:
    """The video on the device. A box of h x w holds the object in each frame."""

    planes: Tensor  # uint8 [3, T, H, W]
    loss_mask: Tensor  # bool [T, H, W], false where other objects are, which add no loss
    masks: Tensor  # [T, h, w]
    support: Tensor  # [T, h, w], the most that alpha may be
    corners: list[tuple[int, int]]  # upper left row and column of the boxes
    uv: Tensor  # [T, h, w, 2]
    uv_background: Tensor  # [T, H, W, 2]
    ahead: Tensor  # [T-1, h, w, 2], where the flow ends, for `grid_sample` of the next frame's box
    ahead_valid: Tensor  # [T-1, h, w]
    gain_window: Lattice  # knots of the foreground's gain
    gain_across: Tensor  # [W, k]
    gain_down: Tensor  # [H, k]
    gain_box_across: Tensor  # [T, w, k]
    gain_box_down: Tensor  # [T, h, k]
    foreground: Foreground
    background: Background

    @property
    def frames(self) -> Tensor:
        """The video, uint8 [T, H, W, 3]."""
        return self.planes.permute(1, 2, 3, 0)

    @property
    def box(self) -> tuple[int, int]:
        """Rows and columns of the boxes."""
        return self.masks.shape[1], self.masks.shape[2]

    def in_box(self, picture: Tensor, frame: int) -> Tensor:
        """Return the part of one frame's ``picture`` [H, W, ...] that lies in its box."""
        top, left = self.corners[frame]
        return picture[top : top + self.box[0], left : left + self.box[1]]

    def boxes(self, pictures: Tensor, frames: range) -> Tensor:
        """Return what `in_box` does for ``frames`` of ``pictures`` [T, H, W, ...]."""
        return torch.stack([self.in_box(pictures[frame], frame) for frame in frames])

    def whole(self, frames: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return the positions of all rows [n, H] and columns [n, W] in the object's window."""
        corners = dict.fromkeys(frames, (0, 0))
        return box_positions(self.foreground.crop, frames, corners, self.loss_mask.shape[1:])

    def by_box(self) -> list[range]:
        """Return chunks of all frames, where only their boxes are computed with."""
        return chunks(len(self.masks), self.box[0] * self.box[1], self.masks.device)

    def by_frame(self) -> list[range]:
        """Return chunks of all frames, where whole frames are computed with."""
        count, height, width = self.loss_mask.shape
        return chunks(count, height * width, self.masks.device)


def build(
    frames: Array,
    masks: Array,
    others: Array,
    flow: Flow,
    *,
    foreground: Foreground,
    background: Background,
    device: torch.device,
    partial: PartialResults,
) -> Scene:
    """Lay out the atlases and move everything to the device.

    ``masks`` and ``others`` [T, H, W] in [0, 1] are where the object and other objects are seen.
    What is in ``partial`` is not computed again.
    """
    count, height, width = masks.shape
    support = np.minimum(_support(masks), 1 - others)
    loss_mask = _dilate(others, EDGE) == 0
    corners, size = _boxes(support)
    boxed = [_cut(torch.from_numpy(part), corners, size).to(device) for part in (masks, support)]
    foreground = around(foreground.to(device), boxed[0], corners)
    background = panorama(background.to(device), height, width)
    positions = box_positions(foreground.crop, range(count), corners, size)
    rows, columns = (each.to(device) for each in positions)
    before, after = corners[:-1], corners[1:]
    ahead, valid = _ends(flow.forward, flow.forward_valid, before, after, size=size, device=device)
    behind, _ = _ends(flow.backward, flow.backward_valid, after, before, size=size, device=device)
    uv = _uv_of_boxes(foreground, rows, columns)
    uv = _refined_mapping(
        uv, boxed[0], flow, (ahead, behind), corners, tracks=_in_boxes(foreground, corners),
        partial=partial,
    )  # fmt: skip
    behind_uv = [
        background.uv(some, height, width) for some in chunks(count, height * width, device)
    ]
    whole = _gain_lattice(width, height)
    window = _gain_lattice(foreground.lattice.width, foreground.lattice.height)
    return Scene(
        planes=torch.from_numpy(frames).permute(3, 0, 1, 2).contiguous().to(device),
        loss_mask=torch.from_numpy(loss_mask).to(device),
        masks=boxed[0],
        support=boxed[1],
        corners=corners,
        uv=uv,
        uv_background=torch.cat(behind_uv),
        ahead=for_sampling(ahead),
        ahead_valid=valid,
        gain_window=window,
        gain_across=whole.basis_x(torch.arange(width).float()).to(device),
        gain_down=whole.basis_y(torch.arange(height).float()).to(device),
        gain_box_across=window.basis_x(columns),
        gain_box_down=window.basis_y(rows),
        foreground=foreground,
        background=background,
    )


def _uv_of_boxes(foreground: Foreground, rows: Tensor, columns: Tensor) -> Tensor:
    """Return where the boxes' ``rows`` [T, h] and ``columns`` [T, w] read the atlas."""
    pixels = rows.shape[1] * columns.shape[1]
    parts = [
        foreground.uv(some, of_frames(rows, some), of_frames(columns, some))
        for some in chunks(len(rows), pixels, rows.device)
    ]
    return torch.cat(parts)


def _gain_lattice(width: float, height: float) -> Lattice:
    """Return the knots of a gain over a picture of this size."""
    return Lattice(width, height, max(width, height) / GAIN_KNOTS)


def _refined_mapping(
    registered: Tensor,
    masks: Tensor,
    flow: Flow,
    ends: tuple[Tensor, Tensor],
    corners: list[tuple[int, int]],
    *,
    tracks: Matches,
    partial: PartialResults,
) -> Tensor:
    """Return the mapping refined by ``tracks`` and where ``flow`` is sure.

    ``ends`` of the flow, and the tracks, are in the boxes.
    """
    links = [
        (end, _cut(torch.from_numpy(sure), here, masks.shape[1:]).to(end))
        for end, sure, here in zip(ends, _sure(flow), (corners[:-1], corners[1:]), strict=True)
        if here
    ]
    if not links:
        return registered.clamp_(0, 1)
    side = max(flow.forward.shape[1:3])
    refined = refine_mapping(
        registered, masks, *links, tracks=tracks, longest_side=side, partial=partial
    )
    return refined.clamp_(0, 1)


def _in_boxes(foreground: Foreground, corners: list[tuple[int, int]]) -> Matches:
    """Return the tracks in pixels of the frames' boxes."""
    crop, tracks = foreground.crop, foreground.tracks
    place = np.array(corners)[:, ::-1]
    start, end = (
        crop.to_frame(points, frames) - place[frames]
        for frames, points in ((tracks.first, tracks.start), (tracks.second, tracks.end))
    )
    return replace(tracks, start=start, end=end)


def _sure(flow: Flow) -> tuple[Array, Array]:
    """Return where ``flow`` forth and back agree, bool [T-1, H, W] each."""

    def pair(both: tuple[Array, Array]) -> tuple[Array, Array]:
        return where_agreeing(*both), where_agreeing(*both[::-1])

    found = list(side_by_side(pair, zip(flow.forward, flow.backward, strict=True)))
    forth, back = zip(*found, strict=True) if found else ([], [])
    return np.array(forth), np.array(back)


def _support(masks: Array) -> Array:
    return _dilate(masks, int(np.clip(round(max(masks.shape[1:]) / 96), 2, 10)))


def _dilate(masks: Array, radius: int) -> Array:
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.stack([cv2.dilate((mask > 0.3).astype(np.float32), brush) for mask in masks])


def _boxes(support: Array) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Return boxes of one size around what is set in ``support`` [T, H, W], within the frame."""
    if not support.any():
        return [(0, 0)] * len(support), (1, 1)
    spans = []
    for axis in (2, 1):
        along = np.max(support, axis=axis) > 0  # [T, rows or columns]
        first = along.argmax(1)
        last = along.shape[1] - 1 - along[:, ::-1].argmax(1)
        side = int((last - first)[along.any(1)].max()) + 1
        spans.append((np.minimum(first, along.shape[1] - side), side))
    (tops, height), (lefts, width) = spans
    corners = [(int(top), int(left)) for top, left in zip(tops, lefts, strict=True)]
    return corners, (height, width)


def _cut(pictures: Tensor, corners: list[tuple[int, int]], size: Sequence[int]) -> Tensor:
    parts = [
        picture[top : top + size[0], left : left + size[1]]
        for picture, (top, left) in zip(pictures, corners, strict=False)
    ]
    return torch.stack(parts)


def _ends(
    flow: Array,
    valid: Array,
    here: list[tuple[int, int]],
    there: list[tuple[int, int]],
    *,
    size: tuple[int, int],
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Return where ``flow`` [T-1, H, W, 2] ends in the boxes ``there``, and where it holds.

    It begins in the boxes at ``here``.
    """
    if not here:
        return torch.zeros(0, *size, 2, device=device), torch.zeros(0, *size, device=device)
    step, holds = (
        _cut(torch.from_numpy(each.copy()), here, size).to(device).float() for each in (flow, valid)
    )
    rows, columns = (torch.arange(side, device=device).float() for side in size)
    still = torch.stack([columns.expand(size), rows[:, None].expand(size)], 2)
    between = (torch.tensor(here) - torch.tensor(there)).flip(1).float()
    return step.add_(still).add_(between[:, None, None].to(device)), holds
