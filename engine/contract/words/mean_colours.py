"""The mean colour of what a text names: gold is yellow, walnut dark brown, "blue marble" blue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..job import TargetTexts
from .concepts import Colour, Concept, load_vocabulary
from .parts import weighted_parts
from .reading import Reading, read_parts


def mean_colour_of_texts(texts: TargetTexts) -> Colour | None:
    """Return the mean colour, RGB in [0, 1], that the local text asks for, else the global one.

    None where any of it may have every colour, or is known from photographs alone.
    """
    return mean_colour(texts.local, local=True) or mean_colour(texts.global_text)


def mean_colour(text: str, *, local: bool = False) -> Colour | None:
    """Return the mean of the colours of a text's parts by their weights, see `mean_colour_of`."""
    vocabulary = load_vocabulary()
    readings = read_parts(text, vocabulary, local=local)
    found = [mean_colour_of(reading, vocabulary.mean_colours) for reading in readings]
    return _mean(found, [weight for _, weight in weighted_parts(text)])


def mean_colour_of(reading: Reading, known: Mapping[str, Colour]) -> Colour | None:
    """Return the colour that a part names, or that its materials have if it names none."""
    if reading.colours:
        found = [known.get(colour.name) for colour in reading.colours]
    else:
        found = [_colour_of_concept(look, known) for look in reading.looks]
    return _mean(found, [1.0] * len(found))


def _colour_of_concept(concept: Concept, known: Mapping[str, Colour]) -> Colour | None:
    weights = concept.materials
    return _mean([known.get(name) for name in weights], list(weights.values()))


def _mean(found: Sequence[Colour | None], weights: Sequence[float]) -> Colour | None:
    """Return the weighted mean, None where a colour is not known or nothing has a weight."""
    colours = [colour for colour in found if colour is not None]
    if len(colours) < len(found) or not sum(weights):
        return None
    red, green, blue = (
        sum(weight * value for weight, value in zip(weights, channel, strict=True)) / sum(weights)
        for channel in zip(*colours, strict=True)
    )
    return red, green, blue
