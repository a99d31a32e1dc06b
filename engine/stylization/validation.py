"""Validation on held-out views, whose score ranks the candidates.

The training's own losses are noisy and biased, since the atlas is optimized on them; the held-out
views are the same for every candidate, without augmentation, and never optimized on.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from ..contract.settings import StylizationSettings, ViewsSettings
from .canvas import Canvases, resize
from .crops import crop_grid
from .encoder import Encoder
from .rendering import AtlasSampler, CanvasBatch, render
from .targets import Targets
from .terms import unevenness
from .views import draw_views

FRAMES = 3
GLOBAL_VIEWS, LOCAL_VIEWS = 1, 12
WORST = 1 / 3  # of the views: how these match counts as much as how all of them do
SEED = 20_000_003  # far from the seeds that people choose


class Validation:
    """Fixed views of a few frames, and their target embeddings."""

    def __init__(
        self,
        canvases: Canvases,
        encoder: Encoder,
        targets: Targets,
        settings: StylizationSettings,
    ) -> None:
        generator = torch.Generator().manual_seed(SEED)
        plain = without_augmentation(settings.views, whole=GLOBAL_VIEWS, close=LOCAL_VIEWS)
        last = len(canvases.canvases) - 1
        places = torch.linspace(0, last, FRAMES + 2)[1:-1].round().int().tolist()
        chosen = [resize(canvases, place, encoder.size, settings) for place in places]
        self._batch = CanvasBatch.of(chosen)
        drawn = [draw_views(canvas.subject, plain, generator) for canvas in chosen]
        scaled = [
            [kind.scale(canvas.scale) for kind in views]
            for canvas, views in zip(chosen, drawn, strict=True)
        ]
        device = self._batch.fields.device
        self._grids = [
            crop_grid(views, self._batch.shapes, encoder.size, device)
            for views in zip(*scaled, strict=True)
        ]
        self._encoder = encoder
        self._targets = targets
        self._weights = settings.weights

    @torch.no_grad()
    def score(self, sampler: AtlasSampler) -> float:
        """Return the `balanced_mean` of the views' cosines with the targets, less two penalties.

        These are the cosine with the texts to avoid and the unevenness of the albedo.
        """
        rendered = render(self._batch, sampler)
        weights = self._weights
        shares = weights.global_similarity, weights.local_similarity
        total = sum(shares)
        score = rendered.alpha.new_zeros(())  # read at the end: a GPU is waited for each time
        for grid, target, share in zip(self._grids, self._targets.average(), shares, strict=True):
            images = grid.crops(rendered.front, self._batch.behind)
            embeddings = self._encoder.embed_images(images.flatten(0, 1))
            score += (share / total if total else 0.5) * balanced_mean(cosines(embeddings, target))
            if self._targets.avoid is not None:
                unwanted = cosines(embeddings.mean(0), self._targets.avoid.mean(0)).relu()
                score -= weights.avoid * unwanted / 2
        for flaw in unevenness(self._batch, rendered, weights).values():
            score -= weights.unevenness / (total or 1) * flaw  # as much as while it learns
        return float(score)


def without_augmentation(views: ViewsSettings, *, whole: int, close: int) -> ViewsSettings:
    """Return ``views`` in these numbers, without perspective and background removal."""
    return replace(
        views,
        global_views=whole,
        local_views=close,
        perspective_chance=0.0,
        background_removal=0.0,
    )


def balanced_mean(matches: Tensor) -> Tensor:
    """Return the average [...] of the mean of ``matches`` [..., V] and the mean of the worst third.

    A plain mean would rate an object high that matches everywhere but in one bare part.
    """
    few = max(1, round(WORST * matches.shape[-1]))
    worst = matches.topk(few, dim=-1, largest=False).values
    return (matches.mean(-1) + worst.mean(-1)) / 2


def cosines(embeddings: Tensor, target: Tensor) -> Tensor:
    """Return the cosines [...] of embeddings [..., E] with ``target`` [E]."""
    return functional.cosine_similarity(embeddings, target, dim=-1)
