"""The paper's experiments as lists of variants: which texts, which settings, what to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..contract.events import EngineError, Fault
from ..contract.job import TargetTexts

MATERIALS = ("zebra fur", "gold", "brick", "oak wood", "leopard fur")
# Sec. 4.2: the same thing said more and more exactly.
LEVELS = (
    "armor",
    "iron armor",
    "medieval iron armor",
    "suit of shiny medieval iron armor",
    "full plate shiny medieval iron armor",
)
PREFIX_COUNTS = ((0, 0), (4, 0), (0, 4), (4, 4), (8, 8))  # global, local; sec. 4.3
# Sec. 4.4. In the first all four terms have a say, whatever the preset.
ABLATED = ("local_similarity", "global_similarity", "temporal", "sparsity")
WHOLE = {"temporal": 1.0, "sparsity": 1.0}


@dataclass(frozen=True)
class Variant:
    """One stylization of an experiment; ``material`` is what a judge should name."""

    name: str
    texts: TargetTexts
    material: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    per_frame: bool = False  # the image baseline


@dataclass(frozen=True)
class Experiment:
    """A question and the variants that answer it."""

    name: str
    question: str
    variants: tuple[Variant, ...]


def experiment(name: str, *, thing: str, materials: Sequence[str]) -> Experiment:
    """Return the experiment ``name`` for a ``thing`` ("swan") and some ``materials``.

    Raises EngineError (BAD_JOB) where there is no such experiment.
    """
    if name not in EXPERIMENTS:
        raise EngineError(
            Fault.BAD_JOB, f"There is no experiment {name}.", f"There are: {', '.join(NAMES)}."
        )
    question, variants = EXPERIMENTS[name]
    return Experiment(name, question, tuple(variants(thing, list(materials or MATERIALS))))


def texts_for(thing: str, material: str) -> TargetTexts:
    """Return the texts of ``thing`` in ``material``: the whole object, and its surface."""
    return TargetTexts(f"{thing} with {material}", f"{material} texture")


def _varied(thing: str, materials: list[str]) -> list[Variant]:
    return [Variant(each, texts_for(thing, each), each) for each in materials]


def _specificity(thing: str, materials: list[str]) -> list[Variant]:
    return [
        Variant(level, TargetTexts(f"{thing} with {level}", level), "iron armor")
        for level in LEVELS
    ]


def _prefixes(thing: str, materials: list[str]) -> list[Variant]:
    first = materials[0]
    return [
        Variant(
            f"{whole}/{close}",
            texts_for(thing, first),
            first,
            {"stylization.global_prefixes": whole, "stylization.local_prefixes": close},
        )
        for whole, close in PREFIX_COUNTS
    ]


def _ablation(thing: str, materials: list[str]) -> list[Variant]:
    first = materials[0]
    whole = {f"stylization.weights.{term}": value for term, value in WHOLE.items()}
    variants = [Variant("all terms", texts_for(thing, first), first, whole)]
    for term in ABLATED:
        changes = {**whole, f"stylization.weights.{term}": 0.0}
        name = f"without {term.replace('_', ' ')}"
        variants.append(Variant(name, texts_for(thing, first), first, changes))
    return variants


def _texts(thing: str, materials: list[str]) -> list[Variant]:
    first = materials[0]
    both = texts_for(thing, first)
    return [
        Variant("global and local", both, first),
        Variant("global text for both", TargetTexts(both.global_text, both.global_text), first),
        Variant("local text for both", TargetTexts(both.local_text, both.local_text), first),
    ]


def _baseline(thing: str, materials: list[str]) -> list[Variant]:
    return [
        variant
        for each in materials
        for variant in (
            Variant(f"{each}, atlas", texts_for(thing, each), each),
            Variant(f"{each}, each frame alone", texts_for(thing, each), each, per_frame=True),
        )
    ]


Variants = Callable[[str, list[str]], list[Variant]]
EXPERIMENTS: dict[str, tuple[str, Variants]] = {
    "varied": ("Many looks of one object: does a judge name them?", _varied),
    "specificity": ("Does a more exact text give more detail?", _specificity),
    "prefixes": ("How many prefixes, global/local?", _prefixes),
    "ablation": ("What does each term do? Same seed.", _ablation),
    "texts": ("What do two texts give that one does not?", _texts),
    "baseline": ("The atlas against editing each frame alone.", _baseline),
}
NAMES = tuple(EXPERIMENTS)
