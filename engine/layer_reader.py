"""Reads a layer package and rebuilds its frames: what any compositor does with it, in few lines.

Knows nothing but the files; with other atlases in their place it shows what becomes of the frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .contract import files
from .contract.layers import LayerPackage, read_manifest
from .video.exr import decode_planes
from .video.images import read_image

MOST_BYTES = 2**31


class LayerReader:
    """The package in ``folder``; ``atlases`` are other pictures, [h, w, 3] in [0, 1], by layer.

    Raises OSError, EngineError or Refusal where the package is not whole.
    """

    def __init__(self, folder: Path, atlases: Mapping[str, np.ndarray] | None = None) -> None:
        self.folder = folder
        self.package: LayerPackage = read_manifest(folder)
        own = {
            layer.name: read_image(folder / layer.atlas, depth=16)[..., :3] / 65535
            for layer in self.package.layers
        }
        self.atlases = {**own, **(atlases or {})}

    def planes(self, index: int) -> dict[str, np.ndarray]:
        """Return all planes of one frame by name, [height, width] each."""
        data = files.read_bytes(self.folder / self.package.frame_files[index], MOST_BYTES)
        return decode_planes(data)

    def frame(self, index: int) -> np.ndarray:
        """Return a frame as `contract.layers.EQUATION` has it, [height, width, 3] in [0, 1]."""
        planes, whole = self.planes(index), 0.0
        for layer in self.package.layers:
            name = layer.name
            light, rest = (
                np.stack([planes[f"{name}.{kind}.{channel}"] for channel in "RGB"], 2)
                for kind in ("Light", "Rest")
            )
            u, v, alpha = (planes[f"{name}.UV.{channel}"] for channel in "UVA")
            colour = read_atlas(self.atlases[name], u, v) * light + rest
            whole = whole + alpha[..., None].astype(np.float32) * colour
        return np.clip(whole, 0, 1)


def read_atlas(atlas: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return ``atlas`` [h, w, C] at ``u`` and ``v`` [H, W], V up, bilinearly, [H, W, C]."""
    height, width = atlas.shape[:2]
    x, y = u * width - 0.5, (1 - v) * height - 0.5
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    across, down = (x - left)[..., None], (y - top)[..., None]
    columns = [np.clip(left + step, 0, width - 1) for step in (0, 1)]
    rows = [np.clip(top + step, 0, height - 1) for step in (0, 1)]
    above, below = (
        atlas[row, columns[0]] * (1 - across) + atlas[row, columns[1]] * across for row in rows
    )
    return above * (1 - down) + below * down
