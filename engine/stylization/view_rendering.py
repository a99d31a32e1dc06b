"""Views of a texture, rendered at their own pixels.

Where each pixel of a view reads, what covers it and how it is lit never changes: it is sampled
from the canvases' pyramids without gradients. Only the texture's own samples have them, each from
the level of its pyramid that fits the view. That takes less than to render whole canvases, most of
which no view of a step shows in full size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .. import device as devices
from .canvas import Canvas
from .crops import homographies, levels_of, project
from .texture import TextureAtlas
from .views import Views


def render_views(
    canvases: Sequence[Canvas], views: Sequence[Views], pyramid: Sequence[TextureAtlas], size: int
) -> Tensor:
    """Return ``views`` of F canvases, as many of each, as [F, V, 3, S, S], black outside them.

    ``pyramid`` is the texture as it is, halved once, twice and so on, see `TextureAtlas.pyramid`.
    """
    pairs = list(zip(canvases, views, strict=True))
    levels = np.stack([levels_of(each, canvas.shape, size) for canvas, each in pairs])  # [F, V]
    facts = np.stack([_facts(canvas, each) for canvas, each in pairs])  # [F, V, 10]
    facts = devices.send(torch.from_numpy(facts), canvases[0].fields.device)
    grids, _ = project(facts[..., :9], size)  # [F, V, S, S, 2]
    fields = [
        functional.grid_sample(canvas.level(level)[None], one[None], align_corners=False)
        for canvas, own, grid in zip(canvases, levels.tolist(), grids.unbind(), strict=True)
        for level, one in zip(own, grid.unbind(), strict=True)
    ]
    albedo = _albedo(pyramid, [each[:, :2] for each in fields], levels.ravel().tolist())
    _, alpha, light, behind = torch.cat(fields).split([2, 1, 1, 3], 1)
    lit = pyramid[0].lit(albedo.flatten(0, 2), light.flatten())
    front = alpha * lit.reshape(-1, size, size, 3).movedim(-1, 1)  # [F V, 3, S, S]
    kept = facts[..., 9].reshape(-1, 1, 1, 1)
    if canvases[0].hard_removal:
        kept = torch.maximum(kept, (alpha > 0.5).to(kept))
        seen = (front + behind) * kept
    else:
        seen = torch.addcmul(front, kept, behind)
    return seen.unflatten(0, (len(canvases), -1))


def _albedo(
    pyramid: Sequence[TextureAtlas], places: Sequence[Tensor], levels: Sequence[int]
) -> Tensor:
    """Return the albedo [V, S, S, 3] at the ``places`` [1, 2, S, S] of V views of these levels."""
    found: dict[int, Tensor] = {}
    for level in set(levels):
        chosen = [number for number, each in enumerate(levels) if each == level]
        uv = torch.cat([places[number] for number in chosen]).movedim(1, -1)
        texture = pyramid[min(level, len(pyramid) - 1)]
        read = texture.albedo(uv.reshape(-1, 2)).reshape(*uv.shape[:3], 3)
        found |= dict(zip(chosen, read.unbind(), strict=True))
    return torch.stack([found[number] for number in range(len(levels))])


def _facts(canvas: Canvas, views: Views) -> np.ndarray:
    """Return how ``views`` lie in the canvas's square [-1, 1]^2, and whether it is kept, [V, 10].

    The first nine are those of `homographies`.
    """
    height, width = canvas.shape
    extent = np.array([width, height])
    crops, warps = views.crops.double().numpy(), views.warps.double().numpy()
    reach = crops[:, 2:] / extent  # [V, 2]
    middle = (2 * crops[:, :2] + crops[:, 2:]) / extent - 1
    matrices = homographies(warps, middle, reach)
    return np.append(matrices, ~views.black.numpy()[:, None], 1).astype(np.float32)
