"""What the layers of one object are worth beside the colours that they reproduce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..decomposition.layers import Layers, reconstruction, sample_atlas
from . import drift


def of_mapping(layers: Layers, pictures: Mapping[int, np.ndarray]) -> dict[str, float | int | None]:
    """Return ``uv_drift_10``, ``_20``, ``_40`` with their numbers of points, and ``folds``.

    ``pictures`` are the `drift.judged_picture` of each frame that `drift.is_judged`.
    """
    uv, visible = layers.uv.numpy(), layers.alpha.numpy() > 0.5
    return {**drift.uv_drift(pictures, uv, visible), "folds": drift.folds(uv, visible)}


@torch.no_grad()
def without_gain(layers: Sequence[Layers]) -> Tensor:
    """Return the video as the atlases alone explain it, without any frame's own light.

    [T, H, W, 3]. Where a network has the colours there is no gain, and nothing is left out.
    """
    if any(each.atlas_network is not None for each in layers):
        return reconstruction(layers)
    plain = [
        replace(
            each,
            foreground=sample_atlas(each.atlas, each.uv),
            background=sample_atlas(each.atlas_background, each.uv_background),
        )
        for each in layers
    ]
    return reconstruction(plain)
