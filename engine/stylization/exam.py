"""Views that are kept aside: what ranks candidates and ends a stylization early.

The training's own losses flatter, for they are noisy and the atlas learns from them; these views
are the same in every exam, plain, and never learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from ..contract.settings import StylizationSettings, ViewsSettings
from .canvas import Canvas, Canvases, Painter, paint
from .encoder import Encoder
from .targets import Targets
from .terms import resized
from .views import Views, draw_views, look

FRAMES = 3
GLOBAL_VIEWS, LOCAL_VIEWS = 1, 12
WORST = 1 / 3  # of the views: how these match counts as much as how all of them do
SEED = 20_000_003  # far from the seeds that people choose
ENOUGH = 1e-3  # how much better a score must be to count as better


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
        self._canvases = [resized(canvases, place, encoder.size, settings) for place in places]
        self._views = [draw_views(canvas.subject, plain, generator) for canvas in self._canvases]
        self._encoder = encoder
        self._targets = targets
        self._weights = settings.weights

    @torch.no_grad()
    def score(self, painter: Painter) -> float:
        """Return how well and evenly the views match, see `evenly`, less what they should avoid."""
        pictures = paint(self._canvases, painter).pictures
        weights = self._weights
        shares = torch.tensor([weights.global_similarity, weights.local_similarity])
        shares = shares / shares.sum() if shares.sum() > 0 else torch.full((2,), 0.5)
        total = 0.0
        wanted = self._targets.average()
        for kind, (share, target) in enumerate(zip(shares.tolist(), wanted, strict=True)):
            seen = self._seen(pictures, kind)
            total += share * float(evenly(cosines(seen, target)))
            if self._targets.avoid is not None:
                unwanted = float(cosines(seen.mean(0), self._targets.avoid.mean(0)))
                total -= weights.avoid * max(0.0, unwanted) / 2
        return total

    def _seen(self, pictures: tuple[Tensor, ...], kind: int) -> Tensor:
        """Return the embeddings [V, E] of one kind of views of all frames."""
        triples: list[tuple[Tensor, Canvas, tuple[Views, Views]]] = list(
            zip(pictures, self._canvases, self._views, strict=True)
        )
        images = [
            look(picture, views[kind].scaled(canvas.scale), self._encoder.size)
            for picture, canvas, views in triples
        ]
        return self._encoder.embed_images(torch.cat(images))


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


@dataclass
class Patience:
    """Remembers the best score and after which step it was reached."""

    steps: int  # how many steps without a better score are borne; 0: any number
    best: float = float("-inf")
    at: int = 0

    def better(self, score: float, step: int) -> bool:
        """Take note of ``score`` after ``step`` steps; is it better than all before?"""
        if score < self.best + ENOUGH:
            return False
        self.best, self.at = score, step
        return True

    def ended(self, step: int) -> bool:
        """Has nothing become better for too long?"""
        return 0 < self.steps <= step - self.at
