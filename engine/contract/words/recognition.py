"""Which things the embedded encoder can point at in pictures: those of ImageNet's classes."""

from __future__ import annotations

from ..events import EngineError, Fault
from ..job import TargetTexts
from .concepts import Concept, Vocabulary, load_vocabulary
from .reading import read_parts

UNSEEN = 'The embedded encoder knows no picture of "{name}"'
UNNAMED = "No text names a thing that the embedded encoder knows by sight"
KNOWN = (
    "It knows animals, vehicles, plants, food and household things, but no persons. Name another "
    "thing, or let it be found automatically, by a box or by strokes"
)


def noun_of(texts: TargetTexts) -> str:
    """Return the first thing in the texts that can be pointed at, "" where there is none.

    Of "swan with cactus skin" that is the swan.
    """
    vocabulary = load_vocabulary()
    for text in (texts.global_text, texts.local_text):
        for reading in read_parts(text, vocabulary):
            for subject in reading.subjects:
                if subject.classes:
                    return subject.name
    return ""


def seen_as(name: str) -> tuple[str, ...]:
    """Return the words whose pictures, taken together, are those of ``name``.

    A dog is any of its breeds. Raises EngineError (BAD_JOB) where nothing of it is known.
    """
    vocabulary = load_vocabulary()
    concept = _thing(name, vocabulary)
    if concept is None:
        said = UNSEEN.format(name=name) if name.strip() else UNNAMED
        raise EngineError(Fault.BAD_JOB, f"{said}.", f"{KNOWN}.")
    own = set(concept.classes)
    kinds = [each for each in vocabulary.concepts.values() if each.classes]
    return tuple(each.words[0] for each in kinds if own.issuperset(each.classes))


def _thing(name: str, vocabulary: Vocabulary) -> Concept | None:
    """Return the last known thing of a name such as "big black dog"."""
    found = [span.concept for span in vocabulary.spans(name)]
    things = [concept for concept in found if concept is not None and concept.classes]
    return things[-1] if things else None
