"""Texts to embeddings: the paper's prefixes, weighted parts, and warnings before any work."""

from __future__ import annotations

import re

import torch
from torch import Tensor
from torch.nn import functional

from ..contract.events import EngineError, Fault, Report
from ..contract.job import TargetTexts
from ..contract.words.parts import weighted_parts
from .encoder import Encoder

# Sec. 6.3; the first four are the "4-prefix" setting of sec. 4.3.
PREFIXES = (
    "a photo of a {}",
    "a {}",
    "an image of a {}",
    "the {}",
    "image of a {}",
    "image of the {}",
    "photo of a {}",
    "photo of the {}",
)


def with_prefixes(text: str, count: int, *, strip_articles: bool = True) -> list[str]:
    """Return ``text`` behind the first ``count`` prefixes; 0 gives the bare text.

    A leading article goes first, so that no "photo of a A swan" arises.
    """
    bare = text.strip()
    if count == 0:
        return [bare]
    if strip_articles:
        bare = re.sub(r"^(a|an|the)\s+", "", bare, flags=re.IGNORECASE)
    return [prefix.format(bare) for prefix in PREFIXES[:count]]


def embed_text(
    text: str, encoder: Encoder, *, prefixes: int, strip_articles: bool = True
) -> Tensor:
    """Return unit directions [P, E] of ``text`` behind each of its prefixes.

    Of several parts it is the sum, each as long as its weight: the cosine with it is the weighted
    mean of the parts' cosines but for a factor.
    """
    total = torch.zeros(())
    for part, weight in weighted_parts(text):
        shown = with_prefixes(part, prefixes, strip_articles=strip_articles)
        total = total + weight * unit(encoder.embed_texts(shown))
    return unit(total)


def unit(embeddings: Tensor) -> Tensor:
    """Return ``embeddings`` [..., E] at length 1."""
    return functional.normalize(embeddings, dim=-1)


def check_texts(texts: TargetTexts, encoder: Encoder, report: Report) -> None:
    """Warn of texts that are too long for the encoder; of their words `contract.words` reports.

    Raises EngineError (BAD_JOB) where there is neither a text nor a picture.
    """
    if texts.empty:
        hint = 'Say what the object should become, for example "a swan with zebra fur".'
        raise EngineError(Fault.BAD_JOB, "There is neither a text nor a picture.", hint)
    whole = (texts.global_text, texts.local, texts.avoid)
    parts = [part for text in whole for part, _ in weighted_parts(text)]
    for text in dict.fromkeys(parts):
        _check_length(text, encoder, report)


def _check_length(text: str, encoder: Encoder, report: Report) -> None:
    count = max(encoder.count_tokens(shown) for shown in with_prefixes(text, len(PREFIXES)))
    if count > encoder.context_length:
        report.warning(
            f'"{_short(text)}" takes {count} tokens, the encoder reads {encoder.context_length}: '
            "the rest of the text is cut.",
            "Make the text shorter, and put first what matters most.",
        )


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
