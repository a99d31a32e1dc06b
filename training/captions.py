"""Captions for the text tower, and the direction that each should have.

A caption names a look, and perhaps a colour and the object that has it; what the object is counts
less than what it should look like. Words that carry no look are strewn in, so that they move
nothing.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.contract.words.concepts import Concept, Kind, Vocabulary
from engine.stylization.texts import PREFIXES
from training.directions import Directions

OBJECT_SHARE = 0.35  # of what the object is, beside what it should look like
COLOUR_SHARE = 0.6  # of a colour beside a material
SURFACES = (
    "{}", "{}", "{}", "{} texture", "{} surface", "{} pattern", "{} skin", "{} fur", "{} material",
    "texture of {}", "surface of {}", "surface made of {}", "close up of {}", "made of {}",
    "covered in {}", "{} all over",
)  # fmt: skip
OBJECTS = (
    "{thing} with {look}", "{thing} with {look} skin", "{thing} with {look} fur",
    "{thing} with {look} texture", "{thing} with {look} pattern", "{thing} with {look} scales",
    "{thing} made of {look}", "{thing} made out of {look}", "{thing} made from {look}",
    "{thing} covered in {look}", "{thing} covered with {look}", "{thing} of {look}",
    "{thing} in {look}", "{look} {thing}", "{look} {thing}", "{look} on {thing}",
    "{thing} in the style of {look}", "{thing} that looks like {look}", "{thing} has {look}",
    "{thing} carved from {look}", "{thing} built of {look}",
)  # fmt: skip
ALONE = ("{}", "{}", "one {}", "a single {}", "{} in a landscape", "picture of {}")
STREWN = (
    "shiny", "medieval", "futuristic", "old", "beautiful", "detailed", "big", "small", "real",
    "new", "rough", "smooth", "polished", "photo", "high quality", "solid", "very",
)  # fmt: skip


@dataclass(frozen=True)
class Caption:
    """A text, its direction [F] and, where it names one look alone, that look's number, else -1."""

    text: str
    direction: Tensor
    look: int


class Captions:
    """Draws captions of everything in a vocabulary."""

    def __init__(self, vocabulary: Vocabulary, directions: Directions, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.directions = directions
        concepts = vocabulary.concepts.values()
        self.surfaces = [each for each in concepts if each.has_look and each.is_surface]
        self.materials = [each for each in concepts if each.kind is Kind.MATERIAL]
        self.colours = [each for each in concepts if each.kind is Kind.COLOUR]
        self.things = [each for each in concepts if each.classes]
        self.subjects = [each for each in concepts if each.kind is Kind.SUBJECT]
        self.usual = [each for each in self.things if len(each.classes) > 1 or each.texture]

    def draw(self) -> Caption:
        """Return one caption."""
        kind = self.rng.random()
        if kind < 0.25:
            return self._thing()
        if kind < 0.5:
            return self._surface()
        if kind < 0.58:
            return self._colour()
        return self._object()

    def _thing(self) -> Caption:
        concept = self._pick(self.things)
        number = self.directions.look_names.index(concept.name)
        text = self._pick(ALONE).format(self._word(concept))
        return Caption(self._prefixed(text), self.directions.looks[number], number)

    def _surface(self) -> Caption:
        pool = self.surfaces if self.rng.random() < 0.8 else self.things
        concept = self._pick(pool)
        number = self.directions.look_names.index(concept.name)
        text, direction = self._word(concept), self.directions.looks[number]
        if concept.kind is Kind.MATERIAL and self.rng.random() < 0.2:
            colour = self._pick(self.colours)
            text = f"{self._word(colour)} {text}"
            direction = direction + COLOUR_SHARE * self.directions.look(colour)
            number = -1
        text = self._strewn(self._pick(SURFACES).format(text))
        return Caption(self._prefixed(text), functional.normalize(direction, dim=0), number)

    def _colour(self) -> Caption:
        colour = self._pick(self.colours)
        number = self.directions.look_names.index(colour.name)
        if self.rng.random() < 0.5:
            text = self._pick(("{}", "{} surface", "{} texture", "something {}", "{} colour"))
            return Caption(
                self._prefixed(text.format(self._word(colour))),
                self.directions.looks[number],
                number,
            )
        thing, own = self._subject()
        direction = self.directions.looks[number] + OBJECT_SHARE * own
        text = f"{self._word(colour)} {thing}"
        return Caption(self._prefixed(text), functional.normalize(direction, dim=0), -1)

    def _object(self) -> Caption:
        pool = self.surfaces if self.rng.random() < 0.85 else self.things
        look = self._pick(pool)
        words = self._word(look)
        direction = self.directions.look(look)
        if self.rng.random() < 0.15:
            colour = self._pick(self.colours)
            words = f"{self._word(colour)} {words}"
            direction = functional.normalize(
                direction + COLOUR_SHARE * self.directions.look(colour), dim=0
            )
        thing, own = self._subject()
        text = self._strewn(self._pick(OBJECTS).format(thing=thing, look=words))
        direction = functional.normalize(direction + OBJECT_SHARE * own, dim=0)
        return Caption(self._prefixed(text), direction, -1)

    def _subject(self) -> tuple[str, Tensor]:
        """Return a word for an object and its direction, 0 where it has none."""
        kind = self.rng.random()
        if kind < 0.3:
            subject = self._pick(self.subjects)
            return self._word(subject), torch.zeros_like(self.directions.things[0])
        thing = self._pick(self.usual if kind < 0.65 else self.things)
        return self._word(thing), self.directions.thing(thing)

    def _pick(self, choices):
        return choices[int(self.rng.integers(len(choices)))]

    def _word(self, concept: Concept) -> str:
        """Return the usual word or, half of the time, any."""
        return concept.words[0] if self.rng.random() < 0.5 else self._pick(concept.words)

    def _prefixed(self, text: str) -> str:
        return self._pick(PREFIXES).format(text) if self.rng.random() < 0.75 else text

    def _strewn(self, text: str) -> str:
        """Return ``text``, now and then with words before it that carry no look."""
        while self.rng.random() < 0.2:
            text = f"{self._pick(STREWN)} {text}"
        return text
