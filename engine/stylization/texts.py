"""Target texts to embeddings: the paper's prefixes, and warnings before anything is computed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from ..contract.events import EngineError, Fault, Report
from ..contract.job import TargetTexts
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


@dataclass(frozen=True)
class TextEmbeddings:
    """Both target texts behind each of their prefixes."""

    global_text: Tensor  # [P, E]
    local_text: Tensor  # [Q, E]

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return one embedding [E] of each text, each behind a random prefix (sec. 6.3)."""
        chosen = [
            embeddings[int(torch.randint(len(embeddings), (), generator=generator))]
            for embeddings in (self.global_text, self.local_text)
        ]
        return chosen[0], chosen[1]


def with_prefixes(text: str, count: int) -> list[str]:
    """Return ``text`` behind the first ``count`` prefixes; 0 gives the bare text.

    A leading article goes first, so that no "photo of a A swan" arises.
    """
    if count == 0:
        return [text.strip()]
    bare = re.sub(r"^(a|an|the)\s+", "", text.strip(), flags=re.IGNORECASE)
    return [prefix.format(bare) for prefix in PREFIXES[:count]]


def embed_targets(
    texts: TargetTexts, encoder: Encoder, *, global_prefixes: int, local_prefixes: int
) -> TextEmbeddings:
    """Embed both texts behind all their prefixes, once for the whole stylization."""
    return TextEmbeddings(
        encoder.embed_texts(with_prefixes(texts.global_text, global_prefixes)),
        encoder.embed_texts(with_prefixes(texts.local, local_prefixes)),
    )


def check_texts(texts: TargetTexts, encoder: Encoder, report: Report) -> None:
    """Warn of texts that the encoder cannot read as they are meant.

    Raises EngineError (BAD_JOB) where there is no text at all.
    """
    if not texts.global_text.strip():
        hint = 'Say what the object should become, for example "a swan with zebra fur".'
        raise EngineError(Fault.BAD_JOB, "The global text is empty.", hint)
    for text in dict.fromkeys((texts.global_text, texts.local)):
        _check_length(text, encoder, report)
        _check_materials(text, encoder, report)


def _check_length(text: str, encoder: Encoder, report: Report) -> None:
    count = max(encoder.count_tokens(shown) for shown in with_prefixes(text, len(PREFIXES)))
    if count > encoder.context_length:
        report.warning(
            f'"{_short(text)}" takes {count} tokens, the encoder reads {encoder.context_length}: '
            "the rest of the text is cut.",
            "Make the text shorter, and put first what matters most.",
        )


def _check_materials(text: str, encoder: Encoder, report: Report) -> None:
    knows = encoder.vocabulary
    if knows is None or knows.materials_in(text):
        return
    unknown = ", ".join(f'"{word}"' for word in knows.unknown_in(text))
    report.warning(
        f'The embedded encoder knows no material in "{_short(text)}"'
        + (f" (unknown: {unknown})." if unknown else "."),
        f"It knows: {', '.join(sorted(knows.materials))}. "
        "For any other text choose a real CLIP model, such as ViT-B-32:openai or ViT-L-14:openai.",
    )


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
