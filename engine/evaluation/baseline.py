"""What the atlas is compared with: the same edit, optimised on each frame alone."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..checkpoint import Checkpoint
from ..contract.events import Report
from ..contract.job import TargetTexts
from ..contract.settings import Settings
from ..decomposition.layers import Layers
from ..render import Part, stylized_frames
from ..stylization.encoder import Encoder
from ..stylization.train import stylize


def per_frame_edit(
    frames: np.ndarray,
    layers: Layers,
    texts: TargetTexts,
    settings: Settings,
    *,
    encoder: Encoder,
    device: torch.device,
    report: Report,
) -> np.ndarray:
    """Return uint8 [T, H, W, 3]: ``frames`` [T, H, W, 3], each stylized as if it were the video.

    Texts, losses, steps, views and seed are those of the atlas; only that the frames share a
    surface is missing. Alpha is the decomposition's.
    """
    edited = []
    for number in range(len(frames)):
        alone = of_one_frame(frames[number], layers, number)
        with tempfile.TemporaryDirectory() as folder:
            atlas = stylize(
                alone, torch.from_numpy(frames[number : number + 1]), texts, settings.stylization,
                encoder=encoder, device=device, seed=settings.seed, report=report,
                checkpoint=Checkpoint(Path(folder) / "checkpoint.pt", seconds=float("inf")),
            )  # fmt: skip
        shown = stylized_frames(
            [frames[number]], [Part(alone, atlas)], settings.render, device=device
        )
        edited.append(next(iter(shown)))
    return np.stack(edited)


def of_one_frame(frame: np.ndarray, layers: Layers, number: int) -> Layers:
    """Return the layers of frame ``number`` on its own: its atlas is the frame itself."""
    colours = torch.from_numpy(frame).float() / 255  # [H, W, 3]
    height, width = colours.shape[:2]
    side = max(height, width)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    uv = (torch.stack([columns, rows], 2) + 0.5) / side
    alpha = layers.alpha[number]
    return replace(
        layers,
        uv=uv[None],
        alpha=alpha[None],
        foreground=colours[None],
        background=layers.background[number : number + 1],
        atlas=_square(colours, side),
        coverage=_square(alpha[..., None], side)[..., 0],
        uv_background=uv[None],
        atlas_network=None,
    )


def _square(picture: Tensor, side: int) -> Tensor:
    """Put a picture [H, W, C] into the corner of a square of zeros."""
    square = picture.new_zeros(side, side, picture.shape[2])
    square[: picture.shape[0], : picture.shape[1]] = picture
    return square
