"""Views that are kept aside: what ranks candidates.

The training's own losses flatter, for they are noisy and the atlas learns from them; these views
are the same in every exam, plain, and never learnt from.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from ..contract.settings import StylizationSettings, ViewsSettings
from .canvas import Canvases, resized
from .encoder import Encoder
from .looking import aim
from .painting import Painter, Spread, paint
from .targets import Targets
from .terms import unevenness
from .views import draw_views

FRAMES = 3
GLOBAL_VIEWS, LOCAL_VIEWS = 1, 12
WORST = 1 / 3  # of the views: how these match counts as much as how all of them do
SEED = 20_000_003  # far from the seeds that people choose


class Exam:
    """Fixed views of a few frames, and what they should look like."""

    def __init__(
        self,
        canvases: Canvases,
        encoder: Encoder,
        targets: Targets,
        settings: StylizationSettings,
    ) -> None:
        generator = torch.Generator().manual_seed(SEED)
        plain = plainly(settings.views, whole=GLOBAL_VIEWS, close=LOCAL_VIEWS)
        last = len(canvases.canvases) - 1
        places = torch.linspace(0, last, FRAMES + 2)[1:-1].round().int().tolist()
        chosen = [resized(canvases, place, encoder.size, settings) for place in places]
        self._spread = Spread.of(chosen)
        drawn = [draw_views(canvas.subject, plain, generator) for canvas in chosen]
        scaled = [
            [kind.scaled(canvas.scale) for kind in views]
            for canvas, views in zip(chosen, drawn, strict=True)
        ]
        device = self._spread.fields.device
        self._gazes = [
            aim(views, self._spread.shapes, encoder.size, device)
            for views in zip(*scaled, strict=True)
        ]
        self._encoder = encoder
        self._targets = targets
        self._weights = settings.weights

    @torch.no_grad()
    def score(self, painter: Painter) -> float:
        """Return how well and evenly the views match, see `evenly`, less what is wrong with them.

        That is what they should avoid, and uneven paint.
        """
        painted = paint(self._spread, painter)
        weights = self._weights
        shares = weights.global_similarity, weights.local_similarity
        total = sum(shares)
        score = painted.alpha.new_zeros(())  # read at the end: a GPU is waited for each time
        for gaze, target, share in zip(self._gazes, self._targets.average(), shares, strict=True):
            images = gaze.seen(painted.front, self._spread.behind)
            seen = self._encoder.embed_images(images.flatten(0, 1))
            score += (share / total if total else 0.5) * evenly(cosines(seen, target))
            if self._targets.avoid is not None:
                unwanted = cosines(seen.mean(0), self._targets.avoid.mean(0)).relu()
                score -= weights.avoid * unwanted / 2
        for flaw in unevenness(self._spread, painted, weights).values():
            score -= weights.unevenness / (total or 1) * flaw  # as much as while it learns
        return float(score)


def plainly(views: ViewsSettings, *, whole: int, close: int) -> ViewsSettings:
    """Return ``views`` in these numbers, without what only makes learning robust."""
    return replace(
        views,
        global_views=whole,
        local_views=close,
        perspective_chance=0.0,
        background_removal=0.0,
    )


def evenly(matches: Tensor) -> Tensor:
    """Return how good views are whose ``matches`` [..., V] are these: [...].

    The mean of all and the mean of the worst third count alike, for a look that is perfect but for
    one bare part is a bad one.
    """
    few = max(1, round(WORST * matches.shape[-1]))
    worst = matches.topk(few, dim=-1, largest=False).values
    return (matches.mean(-1) + worst.mean(-1)) / 2


def cosines(seen: Tensor, target: Tensor) -> Tensor:
    """Return the cosines [...] of embeddings [..., E] with ``target`` [E]."""
    return functional.cosine_similarity(seen, target, dim=-1)
