"""Where the mappings begin: at the identity."""

from __future__ import annotations

import torch

from ...checkpoint import Checkpoint
from ...contract.events import Report, Stopped
from ...contract.settings import NlaSettings
from ..coordinates import MAPPING_SCALE
from ..model import Networks
from .samples import VideoPoints
from .saved_state import PRETRAINING, SavedState

# Reading the terms makes the host wait for the device.
READ_EVERY = 10


def pretrain(
    networks: Networks,
    video: VideoPoints,
    settings: NlaSettings,
    generator: torch.Generator,
    report: Report,
    *,
    checkpoint: Checkpoint,
) -> None:
    """Fit both mappings to the scaled identity, so that the atlases come out upright.

    One step for each frame in each round. Goes on from ``checkpoint``; raises Stopped.
    """
    mappings = (networks.foreground, networks.background)
    parameters = [parameter for mapping in mappings for parameter in mapping.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=settings.learning_rate)
    ahead = settings.pretrain_rounds * video.extent.frames
    saved = SavedState(PRETRAINING, networks, optimizer, generator, video.extent, checkpoint)
    for step in range(saved.load(), ahead):
        stopping = report.stopping()
        if stopping or checkpoint.due():
            saved.save(step)
        if stopping:
            raise Stopped
        points = video.points_in(step % video.extent.frames, settings.points, generator)
        goal = MAPPING_SCALE * points[:, :2]
        misses = [
            torch.linalg.vector_norm(mapping(points) - goal, dim=1).mean() for mapping in mappings
        ]
        optimizer.zero_grad()
        torch.stack(misses).sum().backward()
        optimizer.step()
        if (step + 1) % READ_EVERY == 0:
            report.progress(step + 1, ahead + settings.steps, {})


def stop_if_asked(report: Report) -> None:
    """Raise Stopped where the host wants it."""
    if report.stopping():
        raise Stopped
