"""Layered Neural Atlases from a video: the loop, its schedules, its checkpoint.

Only this module knows both the settings and the networks.
"""

from __future__ import annotations

import dataclasses
import math
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor

from ...checkpoint import Checkpoint
from ...contract.events import EngineError, Fault, Report, Stopped
from ...contract.settings import NlaSettings
from ...device import generator as seeded_generator
from ..layers import Layers
from ..model import Networks, atlas_frequencies, seeded_networks
from .bake import layers_of, reconstructed_frame
from .predict import loss_terms, predict
from .samples import VideoPoints
from .saved_state import TRAINING, SavedState
from .start import READ_EVERY, pretrain, stop_if_asked

if TYPE_CHECKING:
    from ...video.flow import Flow
    from ...video.masks import Masks

# Global rigidity is measured this far, as part of the longer side: NLA's 100 pixels of 768.
FAR = 100 / 768

# Previews may take this part of the time, and come no more often than this.
PREVIEW_PART = 0.02
PREVIEW_SECONDS = 5.0


def decompose_nla(
    frames: np.ndarray,
    flow: Flow,
    masks: Masks,
    settings: NlaSettings,
    *,
    others: np.ndarray | None = None,
    device: torch.device,
    seed: int,
    report: Report,
    checkpoint: Checkpoint,
) -> Layers:
    """Split ``frames`` uint8 [T, H, W, 3] into layers as Kasten et al. 2021 do.

    ``others`` is that of `engine.decomposition.train.decompose`.
    Goes on from ``checkpoint`` where it holds a state of the same video. Raises Stopped where
    the host asks for it, EngineError where the training diverges.
    """
    elsewhere = _elsewhere(others, masks)
    hidden = None if others is None else _beside(elsewhere)
    video = VideoPoints(frames, flow, masks, device, hidden)
    frequencies = atlas_frequencies(max(frames.shape[1:3]))
    networks = seeded_networks(seed, width=settings.width, frequencies=frequencies).to(device)
    train(networks, video, settings, seed=seed, report=report, checkpoint=checkpoint)
    layers = layers_of(
        networks,
        video.extent,
        device=device,
        atlas_size=settings.atlas_size,
        most=torch.from_numpy(1 - elsewhere),
        after_frame=lambda: stop_if_asked(report),
    )
    report.preview("atlas", (layers.atlas * 255).round().byte().numpy())
    return layers


def _elsewhere(others: np.ndarray | None, masks: Masks) -> np.ndarray:
    """Return where the object cannot be, [T, H, W] in [0, 1]: everywhere if no mask shows any."""
    if masks.known.all() and masks.masks.max() < 128:
        return np.ones(masks.masks.shape, np.float32)
    if others is None:
        return np.zeros(masks.masks.shape, np.float32)
    # What lies behind the object is not seen.
    return np.minimum(others, 255 - masks.masks).astype(np.float32) / 255


def _beside(elsewhere: np.ndarray) -> np.ndarray:
    """Return where other objects are and what they blur into, bool [T, H, W]."""
    brush = np.ones((3, 3), np.uint8)
    return np.stack([cv2.dilate((part > 0.3).astype(np.uint8), brush) > 0 for part in elsewhere])


def train(
    networks: Networks,
    video: VideoPoints,
    settings: NlaSettings,
    *,
    seed: int,
    report: Report,
    checkpoint: Checkpoint,
) -> None:
    """Fit ``networks`` to ``video``; steps count from 1."""
    optimizer = torch.optim.Adam(networks.parameters(), lr=settings.learning_rate)
    generator = seeded_generator(seed)
    ahead = settings.pretrain_rounds * video.extent.frames
    total = ahead + settings.steps
    distance = FAR * 2 * video.extent.half
    preview = _Preview(report, networks, video)
    saved = SavedState(TRAINING, networks, optimizer, generator, video.extent, checkpoint)
    done = saved.load()
    if done == 0:
        pretrain(networks, video, settings, generator, report, checkpoint=checkpoint)
    for step in range(done + 1, settings.steps + 1):
        weights = scheduled_weights(settings, step)
        far = weights["global_rigidity_foreground"] + weights["global_rigidity_background"] > 0
        samples = video.draw(settings.points, generator, far=distance if far else 0)
        terms = loss_terms(predict(networks, samples), samples, video.extent, far=distance)
        loss = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        last, stopping = step == settings.steps, report.stopping()
        saving = last or stopping or checkpoint.due()
        if saving or step % READ_EVERY == 0:
            report.progress(ahead + step, total, _finite(terms, step))
        if saving:
            saved.save(step)
        if stopping:
            raise Stopped
        preview.show(due=last)


def scheduled_weights(settings: NlaSettings, step: int) -> dict[str, float]:
    """Return the weight of every term in ``step``, counted from 1 (NLA: hard stops, no ramps)."""
    weights = dataclasses.asdict(settings.weights)
    if step > settings.bootstrap_steps:
        weights["bootstrap"] = 0.0
    if step > settings.global_rigidity_steps:
        weights["global_rigidity_foreground"] = 0.0
        weights["global_rigidity_background"] = 0.0
    return weights


class _Preview:
    """Shows the middle frame now and then, so seldom that it costs little time."""

    def __init__(self, report: Report, networks: Networks, video: VideoPoints) -> None:
        self.report = report
        self.networks = networks
        self.video = video
        self.next = time.monotonic() + PREVIEW_SECONDS

    def show(self, *, due: bool) -> None:
        """Show a picture if it is time, or ``due`` anyway."""
        began = time.monotonic()
        if not due and began < self.next:
            return
        extent = self.video.extent
        image = reconstructed_frame(self.networks, extent, extent.frames // 2, self.video.device)
        self.report.preview("reconstruction", image.numpy())
        now = time.monotonic()
        self.next = now + max(PREVIEW_SECONDS, (now - began) / PREVIEW_PART)


def _finite(terms: dict[str, Tensor], step: int) -> dict[str, float]:
    values = torch.stack(list(terms.values())).tolist()
    named = dict(zip(terms, values, strict=True))
    lost = [name for name, value in named.items() if not math.isfinite(value)]
    if lost:
        raise EngineError(
            Fault.DIVERGED,
            f"The decomposition diverged: in step {step}, {' and '.join(lost)} is not a number.",
            "Lower the learning rate of the decomposition, or set its weights back.",
        )
    return named
