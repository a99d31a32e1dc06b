"""Turns trained networks into `Layers`: each pixel and each texel is evaluated once, in chunks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ...device import at_once
from ..coordinates import (
    MAPPING_SCALE,
    Extent,
    layers_uv_of_quadrant,
    points_of_pixels,
    to_background_quadrant,
    to_foreground_quadrant,
)
from ..layers import Layers
from ..model import AtlasNetwork, Networks, atlas_colours

CHUNK = 1 << 16


@dataclass(frozen=True)
class Shaded:
    """What both layers are at some points."""

    uv: Tensor  # [N, 2], as in `Layers`
    position_background: Tensor  # [N, 2] in the background's quadrant
    alpha: Tensor  # [N, 1]
    foreground: Tensor  # [N, 3]
    background: Tensor  # [N, 3]


def shade(networks: Networks, points: Tensor) -> Shaded:
    """Ask the networks about ``points`` [N, 3], without their neighbours."""
    position_foreground = to_foreground_quadrant(networks.foreground(points))
    position_background = to_background_quadrant(networks.background(points))
    return Shaded(
        uv=layers_uv_of_quadrant(position_foreground),
        position_background=position_background,
        alpha=networks.alpha(points),
        foreground=networks.atlas(position_foreground),
        background=networks.atlas(position_background),
    )


@torch.no_grad()
def shade_pixels(
    networks: Networks, extent: Extent, numbers: range, device: torch.device
) -> Shaded:
    """Shade the pixels ``numbers``, counted row by row through the video; returns CPU tensors."""
    parts: list[Shaded] = []
    chunk = at_once(CHUNK)
    for start in range(numbers.start, numbers.stop, chunk):
        chosen = torch.arange(start, min(start + chunk, numbers.stop), device=device)
        parts.append(shade(networks, points_of_pixels(extent.pixel(chosen), extent)))
    names = ("uv", "position_background", "alpha", "foreground", "background")
    return Shaded(*(torch.cat([getattr(part, name).cpu() for part in parts]) for name in names))


def reconstructed_frame(
    networks: Networks, extent: Extent, frame: int, device: torch.device
) -> Tensor:
    """Return one frame as the layers explain it, uint8 [H, W, 3]."""
    area = extent.height * extent.width
    shaded = shade_pixels(networks, extent, range(frame * area, (frame + 1) * area), device)
    blend = shaded.alpha * shaded.foreground + (1 - shaded.alpha) * shaded.background
    return (blend * 255).round().byte().view(extent.height, extent.width, 3)


@torch.no_grad()
def layers_of(
    networks: Networks,
    extent: Extent,
    *,
    device: torch.device,
    atlas_size: int,
    most: Tensor | None = None,
    after_frame: Callable[[], None] = lambda: None,
) -> Layers:
    """Return all that the networks have learned, as `Layers` on the CPU.

    ``most`` [T, H, W] is the most that alpha may be. ``after_frame`` is called between two
    frames; it may raise to stop.
    """
    area = extent.height * extent.width
    frames: list[Shaded] = []
    for frame in range(extent.frames):
        numbers = range(frame * area, (frame + 1) * area)
        frames.append(shade_pixels(networks, extent, numbers, device))
        after_frame()
    size = (extent.frames, extent.height, extent.width)
    uv = torch.cat([frame.uv for frame in frames])
    alpha = torch.cat([frame.alpha for frame in frames])[:, 0]
    if most is not None:
        alpha = torch.minimum(alpha, most.flatten())
    behind = torch.cat([frame.position_background for frame in frames])
    low, high = _hit(behind, alpha)
    return Layers(
        uv=uv.view(*size, 2),
        alpha=alpha.view(size),
        foreground=torch.cat([frame.foreground.half() for frame in frames]).view(*size, 3),
        background=torch.cat([frame.background.half() for frame in frames]).view(*size, 3),
        atlas=_foreground_picture(networks.atlas, atlas_size, device),
        coverage=coverage_of(uv, alpha, extent, atlas_size),
        atlas_background=_background_picture(networks.atlas, low, high, atlas_size, device),
        uv_background=((behind - low) / (high - low).clamp_min(1e-6)).clamp(0, 1).view(*size, 2),
        atlas_network={name: value.cpu() for name, value in networks.atlas.state_dict().items()},
    )


def coverage_of(uv: Tensor, alpha: Tensor, extent: Extent, size: int) -> Tensor:
    """Return the greatest ``alpha`` [M] that falls on each texel by ``uv`` [M, 2]; [size, size].

    Each pixel falls on the four texels around it. It does so on a grid as coarse as the pixels
    themselves, then enlarged: on a finer one, pixels would leave holes.
    """
    coarse = max(1, min(size, round(max(extent.width, extent.height) / MAPPING_SCALE)))
    corner = (uv * coarse - 0.5).floor().long()  # [M, 2]
    coverage = alpha.new_zeros(coarse * coarse)
    for column, row in ((0, 0), (1, 0), (0, 1), (1, 1)):
        texel = (corner + corner.new_tensor([column, row])).clamp(0, coarse - 1)
        number = texel[:, 1] * coarse + texel[:, 0]
        coverage.scatter_reduce_(0, number, alpha, reduce="amax")
    picture = coverage.view(1, 1, coarse, coarse)
    enlarged = torch.nn.functional.interpolate(picture, size=(size, size), mode="bilinear")
    return enlarged[0, 0]


def _hit(position: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    # The corners of what the background's pixels read; of what all read if none is background.
    seen = position[alpha < 0.5]
    seen = seen if len(seen) else position
    return seen.amin(dim=0), seen.amax(dim=0)


def _foreground_picture(network: AtlasNetwork, size: int, device: torch.device) -> Tensor:
    uv = _texel_centres(size, size).to(device)
    return torch.cat([atlas_colours(network, row).cpu() for row in uv.split(_rows(size))])


def _background_picture(
    network: AtlasNetwork, low: Tensor, high: Tensor, size: int, device: torch.device
) -> Tensor:
    side = (high - low).clamp_min(1e-6)
    columns, rows = (side / side.max() * size).ceil().int().tolist()
    positions = (low + _texel_centres(rows, columns) * side).to(device)
    parts = [network(part.reshape(-1, 2)).cpu() for part in positions.split(_rows(columns))]
    return torch.cat(parts).view(rows, columns, 3)


def _rows(columns: int) -> int:
    return max(1, at_once(CHUNK) // columns)


def _texel_centres(rows: int, columns: int) -> Tensor:
    v, u = torch.meshgrid(
        (torch.arange(rows) + 0.5) / rows, (torch.arange(columns) + 0.5) / columns, indexing="ij"
    )
    return torch.stack([u, v], dim=2)  # [rows, columns, 2]
