"""What a look should not bring along: the grass around an animal whose fur is wanted.

An encoder that learned from photographs holds what usually stands beside a thing for a part of it:
what it guides to zebra fur becomes a meadow where stripes do not fit.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..job import TargetTexts
from .concepts import Vocabulary, load_vocabulary
from .reading import Reading, read_parts


def surroundings_of_texts(texts: TargetTexts) -> list[str]:
    """Return the `surroundings_of` all that ``texts`` say."""
    vocabulary = load_vocabulary()
    whole = read_parts(texts.global_text, vocabulary)
    close = read_parts(texts.local, vocabulary, local=True)
    return surroundings_of([*whole, *close], vocabulary)


def surroundings_of(readings: Sequence[Reading], vocabulary: Vocabulary) -> list[str]:
    """Return the usual surroundings of the looks in ``readings``, but for those that they name."""
    looks = {look.name: look for reading in readings for look in reading.looks}
    found = [word for look in looks.values() for word in vocabulary.surroundings_of(look)]
    return [word for word in dict.fromkeys(found) if word not in looks]
