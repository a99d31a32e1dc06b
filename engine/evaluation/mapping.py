"""What the layers of one object are worth beside the colours that they reproduce."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..decomposition.layers import Layers, reconstructed, sample_atlas
from . import drift


def of_mapping(layers: Layers, pictures: Mapping[int, np.ndarray]) -> dict[str, float | int | None]:
    """Return ``uv_drift_10``, ``_20``, ``_40`` with their numbers of points, and ``folds``.

    ``pictures`` are the `drift.sampled_picture` of each frame that `drift.is_sampled`.
    """
    uv, visible = layers.uv.numpy(), layers.alpha.numpy() > 0.5
    return {**drift.uv_drift(pictures, uv, visible), "folds": drift.folds(uv, visible)}


@torch.no_grad()
def without_gain(layers: Sequence[Layers]) -> Iterator[Tensor]:
    """Yield the frames [H, W, 3] as the atlases alone explain them, without their own light.

    Where a network has the colours there is no gain, and nothing is left out.
    """
    if any(each.atlas_network is not None for each in layers):
        yield from reconstructed(layers)
        return
    first = layers[0]
    for index in range(len(first.alpha)):
        behind = sample_atlas(first.atlas_background, first.uv_background[index])
        frame = behind.clone()
        for each in layers:
            front = sample_atlas(each.atlas, each.uv[index])
            frame += each.alpha[index][..., None] * (front - behind)
        yield frame
