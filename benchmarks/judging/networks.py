"""The judges: two networks with ImageNet weights that no job is guided by.

EfficientNet-Lite 1 and 2. They learned from photographs alone; their architectures are not the
encoder's. They come as Python packages, for development only (requirements-dev.in).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch

from training.base import DEVIATION, MEAN, pretrained

SIDES = {"lite1": 240, "lite2": 260}  # pixels, of the views that each was trained on
AT_ONCE = 8


@cache
def network(variant: str) -> Any:
    """Return one judge, ready to look; ModuleNotFoundError where its package is missing."""
    return pretrained(variant).requires_grad_(False)


@torch.no_grad()
def probabilities(variant: str, views: np.ndarray) -> np.ndarray:
    """Return the probabilities [V, 1000] of ``views``, uint8 [V, S, S, 3] of the judge's side."""
    parts = [network(variant)(part).softmax(dim=1) for part in _batches(variant, views)]
    return torch.cat(parts).numpy()


@torch.no_grad()
def features(variant: str, views: np.ndarray) -> np.ndarray:
    """Return the pooled features [V, 1280] of ``views``, as in `probabilities`."""
    judge = network(variant)
    parts = [
        judge.forward_head(judge.forward_features(part), pre_logits=True)
        for part in _batches(variant, views)
    ]
    return torch.cat(parts).numpy()


def _batches(variant: str, views: np.ndarray) -> tuple[torch.Tensor, ...]:
    side = SIDES[variant]
    assert views.shape[1:] == (side, side, 3), f"views of {side} pixels, not {views.shape}"
    seen = torch.from_numpy(np.ascontiguousarray(views)).permute(0, 3, 1, 2).float() / 255
    return ((seen - MEAN) / DEVIATION).split(AT_ONCE)
