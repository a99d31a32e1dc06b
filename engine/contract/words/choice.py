"""Which encoder guides a job whose request leaves that open, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from ..job import JobSpec, TargetTexts
from ..settings import AUTOMATIC, EMBEDDED, replace_setting
from .advice import Sentence, unknown_words

QUICK = "ViT-B-32:openai"  # the smallest of CLIP's own models: Draft stays a matter of minutes
KNOWS = "The embedded encoder will look: it knows every word"
ALONE = "The embedded encoder will look: {model} is not on this computer"
READS = "{model} will look: the embedded encoder does not know {words}"
CHOSEN = "{model} will look, as chosen in the settings"
SENTENCES = (KNOWS, ALONE, READS, CHOSEN)


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder's name as in the settings, and why it is this one."""

    encoder: str
    reason: Sentence


def choose_encoder(
    named: str, targets: Collection[TargetTexts], weights: Path | None
) -> EncoderChoice:
    """Return what the settings' encoder ``named`` means for these texts.

    "automatic" is the embedded encoder, which is quick and was made robust, unless a text has a
    word that it does not know and CLIP's own small model is in ``weights``, a host's folder of
    downloads, which is looked at only then.
    """
    if named != AUTOMATIC:
        model = "The embedded encoder" if named == EMBEDDED else named
        return EncoderChoice(named, Sentence(CHOSEN, {"model": model}))
    words = dict.fromkeys(word for texts in targets for word in unknown_words(texts))
    if not words:
        return EncoderChoice(EMBEDDED, Sentence(KNOWS))
    if QUICK not in weights_in(weights):
        return EncoderChoice(EMBEDDED, Sentence(ALONE, {"model": QUICK}))
    said = ", ".join(f'"{word}"' for word in words)
    return EncoderChoice(QUICK, Sentence(READS, {"model": QUICK, "words": said}))


def with_encoder(spec: JobSpec, weights: Path | None) -> JobSpec:
    """Return ``spec`` with the encoder that its settings may leave open, see `choose_encoder`."""
    found = choose_encoder(spec.settings.stylization.encoder, spec.targets, weights)
    return replace(
        spec, settings=replace_setting(spec.settings, "stylization.encoder", found.encoder)
    )


def weights_in(folder: Path | None) -> list[str]:
    """Return MODEL:TAG of all weights that lie in a host's ``folder`` of downloads, complete."""
    try:
        found = sorted(folder.glob("*--*/*")) if folder else []
    except OSError:
        return []
    whole = [file.parent.name for file in found if file.suffix != ".part"]
    return [name.replace("--", ":", 1) for name in dict.fromkeys(whole)]
