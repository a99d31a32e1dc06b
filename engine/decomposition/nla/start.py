"""Where the mappings begin: at the identity, or at what a registration has found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ...contract.events import Report, Stopped
from ...contract.settings import NlaSettings
from ..coordinates import MAPPING_SCALE, Extent, pixels_of_points
from ..model import Networks
from .samples import VideoPoints

# Where each pixel lies in a reference frame, as object and as background: px, [T, H, W, 2] each.
Places = Callable[[], tuple[Tensor, Tensor]]
REACH = 0.95  # of the square [-1, 1]^2 in which a mapping's tanh can end

# Reading the terms makes the host wait for the device.
READ_EVERY = 10


def pretrain(
    networks: Networks,
    video: VideoPoints,
    settings: NlaSettings,
    generator: torch.Generator,
    report: Report,
    start: tuple[Tensor, Tensor] | None = None,
) -> None:
    """Fit both mappings to the scaled identity, so that the atlases come out upright.

    Or to ``start``, the uv of every pixel, [T H W, 2] each.

    One step for each frame in each round. Nothing is saved: it takes a few per cent of the time.
    """
    mappings = (networks.foreground, networks.background)
    parameters = [parameter for mapping in mappings for parameter in mapping.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=settings.learning_rate)
    ahead = settings.pretrain_rounds * video.extent.frames
    for step in range(ahead):
        stop_if_asked(report)
        points = video.points_in(step % video.extent.frames, settings.points, generator)
        goals = _goals(points, video.extent, start)
        misses = [
            torch.linalg.vector_norm(mapping(points) - goal, dim=1).mean()
            for mapping, goal in zip(mappings, goals, strict=True)
        ]
        optimizer.zero_grad()
        torch.stack(misses).sum().backward()
        optimizer.step()
        if (step + 1) % READ_EVERY == 0:
            report.progress(step + 1, ahead + settings.steps, {})


def targets(places: tuple[Tensor, Tensor], video: VideoPoints) -> tuple[Tensor, Tensor]:
    """Turn pixels of the reference frame [T, H, W, 2] into uv, [T H W, 2] each."""
    front, behind = (MAPPING_SCALE * (part / video.extent.half - 1) for part in places)
    device = video.device
    return _fitting(front).view(-1, 2).to(device), _fitting(behind).view(-1, 2).to(device)


def _fitting(uv: Tensor) -> Tensor:
    """Shrink ``uv`` where it does not fit into the square that the networks can reach."""
    most = float(np.quantile(uv.abs().numpy(), 0.999))
    return (uv * min(1.0, REACH / max(most, 1e-6))).clamp(-REACH, REACH)


def _goals(
    points: Tensor, extent: Extent, start: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor]:
    """Return the uv that both mappings should have at ``points`` [N, 3]."""
    if start is None:
        identity = MAPPING_SCALE * points[:, :2]
        return identity, identity
    numbers = extent.number(pixels_of_points(points, extent).round().long())
    return start[0][numbers], start[1][numbers]


def stop_if_asked(report: Report) -> None:
    """Raise Stopped where the host wants it."""
    if report.stopping():
        raise Stopped
