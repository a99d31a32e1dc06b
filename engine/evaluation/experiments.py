"""The paper's experiments as lists of variants: which texts, which settings, what to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..contract.events import EngineError, Fault
from ..contract.job import TargetTexts
from .paper import VARIED, ZEBRA, Style, of_object, styles

OURS = "ours"
MATERIALS = ("zebra fur", "gold", "brick", "oak wood", "leopard fur")
PREFIX_COUNTS = ((0, 0), (4, 0), (0, 4), (4, 4), (8, 8))  # global, local; sec. 4.3
# Sec. 4.4. In the first all four terms have a say, whatever the preset.
ABLATED = ("local_similarity", "global_similarity", "temporal", "sparsity")
WHOLE = {"temporal": 1.0, "sparsity": 1.0}


@dataclass(frozen=True)
class Variant:
    """One stylization of an experiment; ``material`` is what a classifier should name."""

    name: str
    texts: TargetTexts
    material: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    per_frame: bool = False  # the image baseline

    @property
    def method(self) -> str:
        """What people and other methods are told apart by: ours, or ours with other settings."""
        return f"{OURS}, {self.name}" if self.changes else OURS


@dataclass(frozen=True)
class Experiment:
    """A question and the variants that answer it."""

    name: str
    question: str
    variants: tuple[Variant, ...]


def experiment(
    name: str,
    *,
    thing: str,
    materials: Sequence[str],
    own: Mapping[str, Sequence[Style]] | None = None,
) -> Experiment:
    """Return the experiment ``name`` for a ``thing`` ("swan") and some ``materials``.

    Without ``materials`` the paper's texts are varied; ``own`` has other styles by experiment.
    Raises EngineError (BAD_JOB) where there is no such experiment, or where two variants share a
    name.
    """
    if name not in EXPERIMENTS:
        raise EngineError(
            Fault.BAD_JOB, f"There is no experiment {name}.", f"There are: {', '.join(NAMES)}."
        )
    question, variants = EXPERIMENTS[name]
    replaced = (own or {}).get(name)
    found = _of_styles(replaced, thing) if replaced else variants(thing, list(materials))
    names = [file_name(each.name) for each in found]
    for each in found:
        if names.count(file_name(each.name)) > 1:
            raise EngineError(
                Fault.BAD_JOB,
                f"Two texts of the experiment {name} are called {each.name!r}.",
                'Give each a "name" of its own.',
            )
    return Experiment(name, question, tuple(found))


def file_name(name: str) -> str:
    """Return what the folder of a variant is called."""
    return "".join(each if each.isalnum() else "-" for each in name)


def texts_for(thing: str, material: str) -> TargetTexts:
    """Return the texts of ``thing`` in ``material``: the whole object, and its surface."""
    return TargetTexts(f"{thing} with {material}", f"{material} texture")


def _of_styles(found: Sequence[Style], thing: str) -> list[Variant]:
    return [Variant(each.name_in_tables(thing), each.texts(thing), each.material) for each in found]


def _variants(thing: str, materials: list[str]) -> list[Variant]:
    return [Variant(each, texts_for(thing, each), each) for each in materials or MATERIALS]


def _examples(thing: str, materials: list[str]) -> list[Variant]:
    return _of_styles(styles("examples", thing), thing)


def _specificity(thing: str, materials: list[str]) -> list[Variant]:
    return _of_styles(styles("specificity", thing), thing)


def _wordings(thing: str, materials: list[str]) -> list[Variant]:
    return _of_styles(styles("wording", thing), thing)


def _one(thing: str, materials: list[str]) -> tuple[TargetTexts, str]:
    """Return the texts and the material that one setting after the other is tried with."""
    if materials:
        return texts_for(thing, materials[0]), materials[0]
    style = of_object(VARIED, thing, ZEBRA)
    return style.texts(thing), style.material


def _prefixes(thing: str, materials: list[str]) -> list[Variant]:
    return [
        Variant(
            f"{whole}/{close}",
            *_one(thing, materials),
            {"stylization.global_prefixes": whole, "stylization.local_prefixes": close},
        )
        for whole, close in PREFIX_COUNTS
    ]


def _ablation(thing: str, materials: list[str]) -> list[Variant]:
    one = _one(thing, materials)
    whole = {f"stylization.weights.{term}": value for term, value in WHOLE.items()}
    variants = [Variant("all terms", *one, whole)]
    for term in ABLATED:
        changes = {**whole, f"stylization.weights.{term}": 0.0}
        variants.append(Variant(f"without {term.replace('_', ' ')}", *one, changes))
    return variants


def _texts(thing: str, materials: list[str]) -> list[Variant]:
    both, material = _one(thing, materials)
    return [
        Variant("global and local", both, material),
        Variant("global text for both", TargetTexts(both.global_text, both.global_text), material),
        Variant("local text for both", TargetTexts(both.local_text, both.local_text), material),
    ]


def _baseline(thing: str, materials: list[str]) -> list[Variant]:
    return [
        variant
        for each in materials or MATERIALS
        for variant in (
            Variant(f"{each}, atlas", texts_for(thing, each), each),
            Variant(f"{each}, each frame alone", texts_for(thing, each), each, per_frame=True),
        )
    ]


Variants = Callable[[str, list[str]], list[Variant]]
EXPERIMENTS: dict[str, tuple[str, Variants]] = {
    "varied": ("Many styles of one object: does a classifier name them?", _variants),
    "examples": ("The paper's own texts (fig. 4).", _examples),
    "specificity": ("Does a more exact text give more detail?", _specificity),
    "prefixes": ("How many prefixes, global/local?", _prefixes),
    "ablation": ("What does each term do? Same seed.", _ablation),
    "wording": ("What does another local text change, and another global one?", _wordings),
    "texts": ("What do two texts give that one does not?", _texts),
    "baseline": ("The atlas against editing each frame alone.", _baseline),
}
NAMES = tuple(EXPERIMENTS)
