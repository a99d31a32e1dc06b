"""The mean colour of what a text names: gold is yellow, walnut dark brown, "blue marble" blue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..job import TargetTexts
from .concepts import Colour, Concept, load_vocabulary
from .parts import weighted_parts
from .reading import Reading, read


def mean_colour_of_texts(texts: TargetTexts) -> Colour | None:
    """Return the mean colour, RGB in [0, 1], that the local text asks for, else the global one.

    None where any of it may have every colour, or is known from photographs alone.
    """
    return mean_colour(texts.local, local=True) or mean_colour(texts.global_text)


def mean_colour(text: str, *, local: bool = False) -> Colour | None:
    """Return the mean of the colours of a text's parts by their weights, see `mean_colour_of`."""
    vocabulary = load_vocabulary()
    colours, weights = [], []
    for part, weight in weighted_parts(text):
        colour = mean_colour_of(read(part, vocabulary, local=local), vocabulary.mean_colours)
        if colour is None:
            return None
        colours.append(colour)
        weights.append(weight)
    return _mean(colours, weights) if sum(weights) else None


def mean_colour_of(reading: Reading, known: Mapping[str, Colour]) -> Colour | None:
    """Return the colour that a part names, or that its materials have if it names none."""
    if reading.colours:
        found = [known.get(colour.name) for colour in reading.colours]
    else:
        found = [_colour_of_concept(look, known) for look in reading.looks]
    colours = [colour for colour in found if colour is not None]
    return _mean(colours, [1.0] * len(colours)) if colours and len(colours) == len(found) else None


def _colour_of_concept(concept: Concept, known: Mapping[str, Colour]) -> Colour | None:
    if not concept.materials or not all(name in known for name in concept.materials):
        return None
    weights = concept.materials
    return _mean([known[name] for name in weights], list(weights.values()))


def _mean(colours: Sequence[Colour], weights: Sequence[float]) -> Colour:
    red, green, blue = (
        sum(weight * value for weight, value in zip(weights, channel, strict=True)) / sum(weights)
        for channel in zip(*colours, strict=True)
    )
    return red, green, blue
