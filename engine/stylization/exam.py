"""Views that are kept aside: what ranks candidates and ends a stylization early.

The training's own losses flatter, for they are noisy and the atlas learns from them; these views
are the same in every exam, plain, and never learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from ..contract.settings import StylizationSettings
from .canvas import Canvas, Canvases, Painter, paint
from .encoder import Encoder
from .targets import Targets
from .terms import resized
from .views import Views, draw_views, look

FRAMES = 2
GLOBAL_VIEWS, LOCAL_VIEWS = 1, 5
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
        plain = replace(
            settings.views,
            global_views=GLOBAL_VIEWS,
            local_views=LOCAL_VIEWS,
            perspective_chance=0.0,
            background_removal=0.0,
        )
        everything = canvases.canvases
        places = torch.linspace(0, len(everything) - 1, FRAMES + 2)[1:-1].round().int().tolist()
        self._canvases = [resized(everything[place], encoder.size, settings) for place in places]
        self._views = [draw_views(canvas.subject, plain, generator) for canvas in self._canvases]
        self._encoder = encoder
        self._targets = targets
        self._weights = settings.weights

    @torch.no_grad()
    def score(self, painter: Painter) -> float:
        """Return the mean cosine of the views with their targets, less what they should avoid."""
        pictures = paint(self._canvases, painter).pictures
        weights = self._weights
        shares = torch.tensor([weights.global_similarity, weights.local_similarity])
        shares = shares / shares.sum() if shares.sum() > 0 else torch.full((2,), 0.5)
        total = 0.0
        wanted = self._targets.average()
        for kind, (share, target) in enumerate(zip(shares.tolist(), wanted, strict=True)):
            seen = self._seen(pictures, kind)
            total += share * _cosine(seen, target)
            if self._targets.avoid is not None:
                unwanted = self._targets.avoid.mean(0)
                total -= weights.avoid * max(0.0, _cosine(seen, unwanted)) / 2
        return total

    def _seen(self, pictures: tuple[Tensor, ...], kind: int) -> Tensor:
        """Return the mean embedding [E] of one kind of views over all frames."""
        triples: list[tuple[Tensor, Canvas, tuple[Views, Views]]] = list(
            zip(pictures, self._canvases, self._views, strict=True)
        )
        images = [
            look(picture, views[kind].scaled(canvas.scale), self._encoder.size)
            for picture, canvas, views in triples
        ]
        return self._encoder.embed_images(torch.cat(images)).mean(0)


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


def _cosine(one: Tensor, other: Tensor) -> float:
    return float(functional.cosine_similarity(one, other, dim=0))
