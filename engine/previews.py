"""Pictures for the eye: layers and atlases as they are shown while a job runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .decomposition.layers import Layers
from .stylization.atlas import StylizedAtlas
from .stylization.atlas_files import load_atlas
from .stylization.candidates import folder_of, read_ranking
from .stylization.canvas import as_colours
from .stylization.previews import evenly_lit, stylized_frame

CHECKER = (0.42, 0.5)  # greys behind what an atlas leaves open


def name_of_object(name: str, index: int) -> str:
    """Name the picture of one object among several: atlas, atlas_2, atlas_3."""
    return name if index == 0 else f"{name}_{index + 1}"


def to_bytes(picture: Tensor) -> np.ndarray:
    """Turn colours in [0, 1] into uint8."""
    return (picture.detach().clamp(0, 1) * 255).round().byte().cpu().numpy()


def of_layers(layers: Layers) -> dict[str, np.ndarray]:
    """Show alpha and reconstruction of the middle frame, and both atlases."""
    index = len(layers.alpha) // 2
    alpha = to_bytes(layers.alpha[index])
    return {
        "alpha": np.repeat(alpha[..., None], 3, axis=2),
        "reconstruction": to_bytes(layers.frame(index)),
        "atlas": _cut(layers.atlas, layers.coverage),
        "atlas_background": to_bytes(layers.atlas_background),
    }


def of_atlas(atlas: StylizedAtlas, layers: Layers) -> np.ndarray:
    """Show the stylized atlas under even light; uint8 [S, S, 3], cut to what is used."""
    colours = evenly_lit(atlas.cpu(), layers.atlas.shape[0], torch.device("cpu"))
    return _cut(colours, layers.coverage)


def of_candidates(stage: Path, layers: Layers, frames: np.ndarray) -> dict[str, np.ndarray]:
    """Show the middle frame as each of several candidates paints it; a single one not at all."""
    entries = read_ranking(stage)
    middle = len(frames) // 2
    frame = as_colours(torch.from_numpy(frames[middle]))
    return {
        f"candidate_{number}": to_bytes(
            stylized_frame(load_atlas(folder_of(stage, number)), layers, frame, middle)
        )
        for number in sorted(each.candidate for each in entries)
        if len(entries) > 1
    }


def _cut(picture: Tensor, coverage: Tensor) -> np.ndarray:
    """Put a checkerboard where the atlas is not used and cut to the part that is."""
    side = picture.shape[0]
    tiles = torch.arange(side) * 32 // side % 2
    board = torch.where((tiles[:, None] ^ tiles[None]).bool(), *CHECKER)
    weight = coverage.cpu()[..., None].clamp(0, 1)
    shown = torch.lerp(board[..., None].expand(-1, -1, 3), picture.cpu().clamp(0, 1), weight)
    rows, columns = (coverage.cpu() > 0.5).nonzero(as_tuple=True)
    if len(rows) == 0:
        return to_bytes(shown)
    margin = side // 50
    top, bottom = max(0, int(rows.min()) - margin), int(rows.max()) + margin + 1
    left, right = max(0, int(columns.min()) - margin), int(columns.max()) + margin + 1
    return to_bytes(shown[top:bottom, left:right])
