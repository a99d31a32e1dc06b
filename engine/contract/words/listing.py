"""The list of what the embedded encoder knows, and one text's reading, for people to read."""

from __future__ import annotations

from .concepts import Concept, Kind, Vocabulary
from .reading import Reading
from .surroundings import surroundings_of

SHOWN = (Kind.MATERIAL, Kind.COLOUR, Kind.THING)


def plain(vocabulary: Vocabulary) -> str:
    """Return all that can be a look: one line each, its other words behind it."""
    lines = []
    for kind in SHOWN:
        found = [each for each in vocabulary.concepts.values() if each.kind is kind]
        lines += [f"{kind.value}s: {len(found)}", *sorted(f"    {_line(each)}" for each in found)]
    return "\n".join(lines)


def describe_reading(reading: Reading, vocabulary: Vocabulary) -> str:
    """Return what a text was read as: one line for each kind of word.

    Surroundings are what photographs of the looks usually show beside them.
    """
    groups = {
        "object": [each.name for each in reading.subjects],
        "look": [each.name for each in reading.looks],
        "colour": [each.name for each in reading.colours],
        "unknown": list(reading.unknown),
        "surroundings": surroundings_of([reading], vocabulary),
    }
    return "\n".join(f"{name}: {', '.join(words) or '-'}" for name, words in groups.items())


def _line(concept: Concept) -> str:
    others = [word for word in concept.words if word != concept.name]
    return f"{concept.name} ({', '.join(others)})" if others else concept.name
