"""Held-out classifiers: networks that guided no job classify the material of close views."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from ..contract.events import EngineError, Fault
from ..contract.settings import ViewsSettings
from ..stylization.boxes import object_boxes
from ..stylization.canvas import as_colours
from ..stylization.crops import crop_views
from ..stylization.encoder import Encoder, load_encoder
from ..stylization.texts import PREFIXES, unit
from ..stylization.views import Subject, draw_views

VIEWS, FRAMES = 48, 8
AT_ONCE = 16
# Close enough to be full of the surface, wide enough to show more than one patch of it.
CLOSE = ViewsSettings(
    local_views=VIEWS // FRAMES,
    local_scale_low=0.05,
    local_scale_high=0.35,
    coverage=0.7,
    perspective_chance=0.0,
    background_removal=0.0,
)


class HeldOutClassifier(Protocol):
    """A classifier of materials. ``embed`` and ``text`` give None where it has no such encoder."""

    @property
    def name(self) -> str:
        """The name of the classifier."""
        ...

    @property
    def size(self) -> int:
        """Side of the views that it takes, in pixels."""
        ...

    def materials(self, views: Tensor) -> list[tuple[str, float]]:
        """Return the materials of views [V, 3, S, S] with probabilities, the likeliest first."""
        ...

    def embed(self, views: Tensor) -> Tensor | None:
        """Return the embeddings [V, E] of views."""
        ...

    def text(self, text: str) -> Tensor | None:
        """Return the embedding [E] of a text."""
        ...


class EncoderClassifier:
    """Zero-shot classification by another CLIP model over the known materials' texts."""

    def __init__(self, name: str, encoder: Encoder, known: Sequence[str]) -> None:
        self.name, self.size = name, encoder.size
        self._encoder, self._known = encoder, list(known)
        rows = [unit(encoder.embed_texts(_prompts(each))).mean(0) for each in known]
        self._anchors = unit(torch.stack(rows))

    def materials(self, views: Tensor) -> list[tuple[str, float]]:
        """Return the materials of views; probabilities at CLIP's usual temperature."""
        embedding = unit(unit(self.embed(views)).mean(0))
        shares = (100 * self._anchors.cpu() @ embedding).softmax(0)
        order = shares.argsort(descending=True).tolist()
        return [(self._known[at], float(shares[at])) for at in order]

    @torch.no_grad()
    def embed(self, views: Tensor) -> Tensor:
        """Return the embeddings [V, E] of views."""
        device = self._encoder.mean.device
        parts = [self._encoder.embed_images(part.to(device)) for part in views.split(AT_ONCE)]
        return torch.cat(parts).cpu()

    def text(self, text: str) -> Tensor:
        """Return the embedding [E] of a text."""
        return self._encoder.embed_texts([text])[0].cpu()


@dataclass(frozen=True)
class FunctionClassifier:
    """A function that classifies materials and has no text encoder."""

    name: str
    function: Callable[..., list[tuple[str, float]]]
    size: int = 64

    def materials(self, views: Tensor) -> list[tuple[str, float]]:
        """Return the materials of views."""
        return self.function(views)

    def embed(self, views: Tensor) -> None:
        """There is none."""
        return None

    def text(self, text: str) -> None:
        """There is none."""
        return None


def load_classifier(
    name: str, known: Sequence[str], device: torch.device | str
) -> HeldOutClassifier:
    """Return the classifier ``name``: MODEL:FILE as for an encoder, or python:MODULE[:NAME].

    A module has ``name_material(views, NAME)``, most likely first. Raises EngineError where there
    is no such classifier.
    """
    if not name.startswith("python:"):
        return EncoderClassifier(name, load_encoder(name, device), known)
    _, module, *rest = name.split(":")
    try:
        function: Any = importlib.import_module(module).name_material
    except (ImportError, AttributeError) as error:
        message = f"The classifier {name} cannot be loaded: {error}."
        hint = "Name an open_clip model and its weights file, or a module with name_material."
        raise EngineError(Fault.BAD_JOB, message, hint) from error
    if not rest:
        return FunctionClassifier(name, function)
    return FunctionClassifier(name, lambda views: function(views, rest[0]))


def close_views(frames: Tensor, alpha: Tensor, size: int) -> Tensor:
    """Cut the same close views out of any result: [V, 3, S, S].

    ``frames`` [T, H, W, 3] are bytes or floats in [0, 1], ``alpha`` is [T, H, W].
    """
    boxes, seen = object_boxes(alpha)
    shown = seen.nonzero()[:, 0]
    chosen = shown[torch.linspace(0, len(shown) - 1, min(FRAMES, len(shown))).round().long()]
    generator = torch.Generator().manual_seed(0)
    each = replace(CLOSE, local_views=-(-VIEWS // len(chosen)))
    views = []
    for number in chosen.tolist():
        picture = as_colours(frames[number]).permute(2, 0, 1)
        subject = Subject.of(alpha[number] > 0.5, boxes[number], margin=0.0)
        _, close = draw_views(subject, each, generator)
        views.append(crop_views(torch.cat([picture, torch.zeros_like(picture)]), close, size))
    return torch.cat(views)


def same_material(named: str, wanted: str) -> bool:
    """Do two names mean one material? "zebra" is "zebra fur", "wood" is "oak wood"."""
    one, other = ({_stem(word) for word in text.lower().split()} for text in (named, wanted))
    return one <= other or other <= one


def rank(named: list[tuple[str, float]], wanted: str) -> tuple[int, float]:
    """Return at which place, from 1, ``wanted`` was named, and its share; 0 where it was not."""
    for place, (name, share) in enumerate(named, start=1):
        if same_material(name, wanted):
            return place, share
    return 0, 0.0


def _prompts(material: str) -> list[str]:
    return [prefix.format(f"{material} texture") for prefix in PREFIXES]


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] != "s" else word
