"""What the user is told of texts that the embedded encoder cannot read, before a job starts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ..events import EngineError, Fault, Report
from ..job import JobSpec, TargetTexts
from ..settings import EMBEDDED
from .concepts import ENDINGS, Vocabulary, forms_of, load_vocabulary
from .reading import Reading, read_parts

UNKNOWN = "The embedded encoder does not know {words}"
NO_LOOK = 'The embedded encoder knows no look in "{said}"'
NO_CHANGE = '"{said}" says what the object is, and not what it is to look like'
NEAR = "Near words that it knows: {near}"
ADD = 'Add a look, as in "{said} with zebra fur", or write one as the detail text'
REAL = (
    "Any other text needs real CLIP weights, such as ViT-B-32:openai; `python -m engine knows` "
    "lists what is known without"
)
SENTENCES = (UNKNOWN, NO_LOOK, NO_CHANGE, NEAR, ADD, REAL)
ALIKE = 0.75  # a smaller ratio of difflib is another word, not a typing error
OFFERED = 3
LONGEST = 40


@dataclass(frozen=True)
class Sentence:
    """Words with places in braces and what fills these, so that a host can translate them."""

    words: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.words.format(**self.values) + "."


@dataclass(frozen=True)
class Remark:
    """What is wrong with a target's texts, and what to do; ``refuses`` where no job can help.

    ``unknown`` are the words that mean nothing to the embedded encoder.
    """

    message: Sentence
    hints: tuple[Sentence, ...]
    refuses: bool = False
    unknown: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        """What to do."""
        return " ".join(map(str, self.hints))


def check_words(spec: JobSpec, report: Report) -> None:
    """Warn of each word that the embedded encoder does not know; other encoders read any text.

    Raises EngineError (BAD_JOB) where it knows no look in what an object is to become.
    """
    for remark in remarks_on(spec):
        if remark.refuses:
            raise EngineError(Fault.BAD_JOB, str(remark.message), remark.hint)
        report.warning(str(remark.message), remark.hint)


def remarks_on(spec: JobSpec) -> list[Remark]:
    """Return what is to be said of the texts of a request."""
    if spec.settings.stylization.encoder != EMBEDDED or not spec.needs_encoder:
        return []
    return [each for texts in spec.targets for each in remarks_on_texts(texts)]


@lru_cache(maxsize=64)
def remarks_on_texts(texts: TargetTexts) -> tuple[Remark, ...]:
    """Return what is to be said of one target's texts with the embedded encoder that is here."""
    return tuple(remarks(texts, load_vocabulary()))


def unknown_words(texts: TargetTexts) -> tuple[str, ...]:
    """Return the words of one target's texts that mean nothing to the embedded encoder."""
    return tuple(word for remark in remarks_on_texts(texts) for word in remark.unknown)


def remarks(texts: TargetTexts, vocabulary: Vocabulary) -> list[Remark]:
    """Return what is to be said of one target's texts: a refusal, a warning, or nothing."""
    whole = read_parts(texts.global_text, vocabulary, local=False)
    close = read_parts(texts.local_text, vocabulary, local=True)
    avoid = read_parts(texts.avoid, vocabulary, local=True)
    said = [*whole, *close, *avoid]
    unknown = tuple(dict.fromkeys(word for reading in said for word in reading.unknown))
    near = _near_words(unknown, vocabulary)
    if refused := _refusal(texts, whole, close):
        return [Remark(refused, (*near, *_way_out(refused)), refuses=True, unknown=unknown)]
    if not unknown:
        return []
    words = Sentence(UNKNOWN, {"words": ", ".join(f'"{word}"' for word in unknown)})
    return [Remark(words, (*near, Sentence(REAL)), unknown=unknown)]


def near(word: str, vocabulary: Vocabulary) -> list[str]:
    """Return known words of nearly the same meaning, or else of nearly the same spelling."""
    for form in forms_of(word, (*ENDINGS["plural"], *ENDINGS["adjective"])):
        names = [each for each in vocabulary.near.get(form, ()) if each in vocabulary.concepts]
        if found := [each for each in names if vocabulary.concepts[each].has_look]:
            return found
    alike = difflib.get_close_matches(word, vocabulary.looks, n=OFFERED, cutoff=ALIKE)
    by_name = {vocabulary.looks[each].name: each for each in reversed(alike)}
    return list(reversed(by_name.values()))


def _refusal(
    texts: TargetTexts, whole: Sequence[Reading], close: Sequence[Reading]
) -> Sentence | None:
    """Say which text leaves nothing to become, None where each says something."""
    if texts.picture:
        return None
    if close and not _has_look(close):
        return Sentence(NO_LOOK, {"said": _short(texts.local_text)})
    if not whole or _has_look(whole):
        return None
    is_named = any(reading.subjects for reading in whole)
    if close and is_named:
        return None
    has_more = any(reading.unknown for reading in whole)
    words = NO_CHANGE if is_named and not has_more else NO_LOOK
    return Sentence(words, {"said": _short(texts.global_text)})


def _has_look(readings: Iterable[Reading]) -> bool:
    return any(reading.has_look for reading in readings)


def _way_out(refused: Sentence) -> tuple[Sentence, ...]:
    return (Sentence(ADD, refused.values), Sentence(REAL))[refused.words != NO_CHANGE :]


def _near_words(unknown: Sequence[str], vocabulary: Vocabulary) -> tuple[Sentence, ...]:
    found = {word: near(word, vocabulary) for word in unknown}
    lines = [f"{word}: {', '.join(names)}" for word, names in found.items() if names]
    return (Sentence(NEAR, {"near": "; ".join(lines)}),) if lines else ()


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
