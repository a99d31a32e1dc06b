"""Where concepts lie in the student's feature space, and the smaller space of the encoder.

The encoder's embedding of a picture is its centred features along the axes in which the concepts
differ most: pictures and texts then meet in it.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from engine.contract.words.concepts import Concept, Kind, Vocabulary
from training import colours
from training.robust import Student
from training.surfaces import NAMES


class Directions:
    """Unit directions of concepts among centred features.

    ``looks`` [n, F] and ``things`` [m, F] are in the order of ``look_names`` and ``thing_names``:
    what a concept is as a look, and what an object is.
    """

    def __init__(self, student: Student, vocabulary: Vocabulary) -> None:
        weight = student.network.classifier.weight.detach()
        self._rows = functional.normalize(weight - weight.mean(0), dim=1)
        self._materials = functional.normalize(student.materials.detach(), dim=1)
        self._colours = functional.normalize(student.colours.detach(), dim=1)
        self._looks: dict[str, Tensor] = {}
        self._things: dict[str, Tensor] = {}
        known = vocabulary.concepts.values()
        self.look_names = [each.name for each in known if each.has_look]
        self.thing_names = [each.name for each in known if each.classes]
        concepts = vocabulary.concepts
        self.looks = torch.stack([self.look(concepts[name]) for name in self.look_names])
        self.things = torch.stack([self.thing(concepts[name]) for name in self.thing_names])

    def look(self, concept: Concept) -> Tensor:
        """Return the direction [F] of what ``concept`` looks like, see `Concept`."""
        return self._kept(self._look, concept, self._looks)

    def thing(self, concept: Concept) -> Tensor:
        """Return the direction [F] of a thing: that of its classes."""
        return self._kept(self._thing, concept, self._things)

    def _kept(
        self, made: Callable[[Concept], Tensor], concept: Concept, kept: dict[str, Tensor]
    ) -> Tensor:
        if concept.name not in kept:
            kept[concept.name] = made(concept)
        return kept[concept.name]

    def _look(self, concept: Concept) -> Tensor:
        if concept.kind is Kind.COLOUR:
            return self._colours[colours.NAMES.index(concept.name)]
        parts = []
        if concept.classes:
            parts.append((1 - concept.share) * self.thing(concept))
        if concept.materials:
            own = [self._materials[NAMES.index(name)] * w for name, w in concept.materials.items()]
            parts.append(concept.share * functional.normalize(torch.stack(own).sum(0), dim=0))
        return functional.normalize(torch.stack(parts).sum(0), dim=0)

    def _thing(self, concept: Concept) -> Tensor:
        rows = torch.stack([self._rows[index] * w for index, w in concept.classes.items()])
        return functional.normalize(rows.sum(0), dim=0)

    def axes(self, count: int) -> Tensor:
        """Return the ``count`` orthonormal axes [count, F] in which the directions differ most."""
        every = torch.cat([self._rows, self._materials, self._colours])
        return torch.linalg.svd(every, full_matrices=False).Vh[:count]
