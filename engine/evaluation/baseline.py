"""What the atlas is compared with: the same edit, optimised on each frame alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch

from ..checkpoint import Checkpoint
from ..contract.events import Report
from ..contract.job import TargetTexts
from ..contract.settings import Settings
from ..decomposition.layers import of_one_frame
from ..render import Part, stylized_frames
from ..stylization.encoder import Encoder
from ..stylization.train import stylize
from .evaluate import Made


def per_frame_edit(
    made: Made,
    texts: TargetTexts,
    settings: Settings,
    *,
    encoder: Encoder,
    device: torch.device,
    report: Report,
) -> np.ndarray:
    """Return the source frames of ``made``, each stylized as if it were the video.

    The result is uint8 [T, H, W, 3].

    Texts, losses, steps, views and seed are those of the atlas; only that the frames share a
    surface is missing. Alpha is the decomposition's.
    """
    edited = []
    for number, frame in enumerate(made.source):
        colours = torch.from_numpy(frame)
        alone = of_one_frame(made.layers, number, colours.float() / 255)
        with tempfile.TemporaryDirectory() as folder:
            atlas = stylize(
                alone, colours[None], texts, settings.stylization,
                encoder=encoder, device=device, seed=settings.seed, report=report,
                checkpoint=Checkpoint(Path(folder) / "checkpoint.pt", seconds=float("inf")),
            )  # fmt: skip
        shown = stylized_frames([frame], [Part(alone, atlas)], settings.render, device=device)
        edited.append(next(iter(shown)))
    return np.stack(edited)
