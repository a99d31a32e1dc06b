"""The reviewed list of concepts, and which of their words a text holds.

Words are found in lower case and in their usual forms: plurals, and "wooden", "rusty", "striped",
"reddish" for materials and colours.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("concepts.json")
ENDINGS = {
    "plural": (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", "")),
    "adjective": (
        *(("y", ""), ("y", "e"), ("ed", ""), ("ed", "e"), ("en", ""), ("en", "e")),
        *(("ish", ""), ("ish", "e"), ("like", "")),
    ),
}
SHORTEST_STEM = 3


Colour = tuple[float, float, float]


class Kind(Enum):
    """What a concept is; a subject is a word for the object that has no direction of its own."""

    THING = "thing"
    MATERIAL = "material"
    COLOUR = "colour"
    SUBJECT = "subject"


@dataclass(frozen=True)
class Concept:
    """One thing, material or colour, with its words, the usual one first.

    Its direction as a look is ``1 - share`` of the weighted mean of ImageNet ``classes`` and
    ``share`` of the weighted mean of ``materials``; weights sum to 1. What an object is, its
    classes alone say. A colour's direction goes by its name. ``texture``: a thing whose surface
    can be had without its form.
    """

    name: str
    kind: Kind
    words: tuple[str, ...]
    classes: Mapping[int, float] = field(default_factory=dict)
    materials: Mapping[str, float] = field(default_factory=dict)
    share: float = 0.0
    texture: bool = False
    note: str = ""

    @property
    def has_look(self) -> bool:
        """Can it be what an object is to look like?"""
        return self.kind is not Kind.SUBJECT

    @property
    def is_surface(self) -> bool:
        """Is it a look rather than an object, where nothing else tells?"""
        return self.texture or self.kind in (Kind.MATERIAL, Kind.COLOUR)


@dataclass(frozen=True)
class Span:
    """Words of a text that belong together: of one concept, or one word without."""

    text: str
    concept: Concept | None = None


@dataclass(frozen=True)
class Vocabulary:
    """All concepts; words that carry no look; nouns for a surface; near meanings of other words.

    ``surroundings`` are looks that photographs of these ImageNet classes show beside the thing.
    ``mean_colours`` are RGB in [0, 1], of colours by name and of the materials that have one.
    """

    concepts: Mapping[str, Concept]
    filling: frozenset[str]
    surfaces: frozenset[str]
    near: Mapping[str, tuple[str, ...]]
    surroundings: Mapping[str, frozenset[int]] = field(default_factory=dict)
    mean_colours: Mapping[str, Colour] = field(default_factory=dict)

    def spans(self, text: str) -> list[Span]:
        """Return ``text`` word by word, the words of the longest known phrases together."""
        words = words_of(text)
        return list(self._spans(words))

    def surroundings_of(self, concept: Concept) -> list[str]:
        """Return what most photographs of ``concept`` show beside it; of most things nothing."""
        shares = {
            word: sum(weight for index, weight in concept.classes.items() if index in classes)
            for word, classes in self.surroundings.items()
        }
        return [word for word, share in shares.items() if share > 0.5]

    @cached_property
    def looks(self) -> dict[str, Concept]:
        """Every word for a look, with its concept."""
        return {word: each for word, each in self._words.items() if each.has_look}

    def _spans(self, words: list[str]) -> Iterator[Span]:
        at = 0
        while at < len(words):
            for end in range(min(len(words), at + self._longest), at, -1):
                if concept := self._find(words[at:end]):
                    yield Span(" ".join(words[at:end]), concept)
                    at = end
                    break
            else:
                yield Span(words[at])
                at += 1

    def _find(self, words: list[str]) -> Concept | None:
        """Return the concept that all ``words`` together mean."""
        plain = [self._known_forms(word, ENDINGS["plural"]) for word in words]
        for tried in itertools.product(*plain):
            if found := self._words.get(" ".join(tried)):
                return found
        if len(words) == 1 and words[0] in self.filling:
            return None
        derived = [
            [*forms, *self._known_forms(word, ENDINGS["adjective"])]
            for word, forms in zip(words, plain, strict=True)
        ]
        for tried in itertools.product(*derived):
            found = self._words.get(" ".join(tried))
            if found and found.is_surface:
                return found
        return None

    def _known_forms(self, word: str, endings: tuple[tuple[str, str], ...]) -> list[str]:
        """Return the forms of ``word`` that are part of any known phrase."""
        return [form for form in forms_of(word, endings) if form in self._parts]

    @cached_property
    def _words(self) -> dict[str, Concept]:
        return {word: each for each in self.concepts.values() for word in each.words}

    @cached_property
    def _parts(self) -> frozenset[str]:
        return frozenset(part for word in self._words for part in word.split())

    @cached_property
    def _longest(self) -> int:
        return max((len(word.split()) for word in self._words), default=0)


def words_of(text: str) -> list[str]:
    """Return the words of ``text`` in lower case, and commas.

    Hyphens part them; a possessive 's goes, and "like" of "zebra-like".
    """
    plain = re.sub(r"['\u2019]s\b|['\u2019]|-(like|style|colou?red|shaped)\b", "", text.lower())
    return re.findall(r"[^\W\d_]+|,", plain)


def forms_of(word: str, endings: tuple[tuple[str, str], ...]) -> list[str]:
    """Return ``word`` and what it may come from: strawberry of strawberries, rust of rusty."""
    found = [word]
    for ending, instead in endings:
        stem = word.removesuffix(ending)
        if stem == word or word.endswith("ss") or len(stem) < SHORTEST_STEM - bool(instead):
            continue
        found.append(stem + instead)
        if len(stem) > SHORTEST_STEM and stem[-1] == stem[-2] and not instead:
            found.append(stem[:-1])
    return found


@lru_cache(maxsize=1)
def load_vocabulary() -> Vocabulary:
    """Read the reviewed list that comes with the engine."""
    return vocabulary_from(json.loads(LIST.read_text(encoding="utf-8")))


def vocabulary_from(entries: Mapping[str, Any]) -> Vocabulary:
    """Return the vocabulary of a list in the form of ``concepts.json``."""
    concepts = [_concept(entry) for entry in entries["concepts"]]
    concepts += [Concept(word, Kind.SUBJECT, (word,)) for word in entries["subjects"]]
    colours = entries.get("mean_colours", {})
    return Vocabulary(
        {concept.name: concept for concept in concepts},
        frozenset(entries["filling"]),
        frozenset(entries["surfaces"]),
        {word: tuple(names) for word, names in entries["near"].items()},
        {
            word: frozenset(itertools.chain.from_iterable(map(_range, keys)))
            for word, keys in entries.get("surroundings", {}).items()
        },
        {name: (red, green, blue) for name, (red, green, blue) in colours.items()},
    )


def _concept(entry: Mapping[str, Any]) -> Concept:
    classes = {
        index: weight for key, weight in entry.get("classes", {}).items() for index in _range(key)
    }
    return Concept(
        entry["name"],
        Kind(entry["kind"]),
        tuple(entry["words"]),
        _shares(classes),
        _shares(entry.get("materials", {})),
        entry.get("share", 0.0 if classes else 1.0),
        entry.get("texture", False),
        entry.get("note", ""),
    )


def _range(key: str) -> range:
    """Return the classes of "281" or "281-285"."""
    first, _, last = key.partition("-")
    return range(int(first), int(last or first) + 1)


def _shares(weights: Mapping[Any, float]) -> dict[Any, float]:
    whole = sum(weights.values())
    return {key: weight / whole for key, weight in weights.items()}
