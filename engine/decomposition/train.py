"""The decomposition stage: one door for both engines. They know nothing of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from numpy import ndarray as Array

from ..checkpoint import Checkpoint
from ..contract.events import Report
from ..contract.settings import DecompositionSettings
from .layers import Layers

if TYPE_CHECKING:
    from ..video.flow import Flow
    from ..video.masks import Masks


def decompose(
    frames: Array,
    flow: Flow,
    masks: Masks,
    settings: DecompositionSettings,
    *,
    others: Array | None = None,
    greys: Array | None = None,
    device: torch.device,
    seed: int,
    report: Report,
    checkpoint: Checkpoint,
) -> Layers:
    """Split ``frames`` uint8 [T, H, W, 3] into a foreground over a background.

    ``others`` uint8 [T, H, W] is 255 where other objects are; neither layer learns from there,
    and where a nearer one hides the object, uv goes on beneath it. ``greys`` uint8 [T, h, w] are
    the same frames in grey, larger where the footage is: points are tracked better in them.
    Where all masks are known and empty, there is only a background and alpha is 0.
    Goes on from ``checkpoint`` where it holds a state. Raises Stopped when the host asks for a
    stop, and EngineError for what a user can mend.
    """
    if settings.engine == "mlp":
        from .nla.train import decompose_nla

        return decompose_nla(
            frames, flow, masks, settings.mlp, others=others, device=device, seed=seed,
            report=report, checkpoint=checkpoint,
        )  # fmt: skip
    from .grid.train import decompose_grid

    return decompose_grid(
        frames, flow, masks, settings.grid, others=others, greys=greys, device=device, seed=seed,
        report=report, checkpoint=checkpoint,
    )  # fmt: skip
