"""A judge of materials that ImageNet has no class for, trained on labelled photographs alone.

One linear layer on the pooled features of each network of `networks`, trained anew by whoever asks:
from one half of the photographs, and tried on the other half. Nothing of it is stored with the
project, and no picture that the product painted is in it. Most of the photographs are flat views of
a surface, so what it says of a swan made of marble is a hint; the eye decides.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from engine.video.images import read_rgb

from . import networks
from .views import cut

# What each material is called in labels.csv. Gold, cactus and knitted wool have no photographs
# there, lava one and rust three: these are judged by eye, and so is what `knows` refuses.
LABELS: dict[str, tuple[str, ...]] = {
    "ice": ("ice", "ice_frost"),
    "brick": ("brick",),
    "wood": ("wood",),
    "marble": ("marble",),
}
DECAY = 0.1  # of the layer's squared weights, for features of unit deviation
ROUNDS = 60
LEAST_UNSEEN = 5
NUMBERED = re.compile(r"^\w+?__(\d+_)?")


@dataclass(frozen=True)
class Photograph:
    """One labelled picture."""

    path: Path
    label: str
    group: str  # pictures of one group show the same thing: they stay in one half


@dataclass(frozen=True)
class Layer:
    """Names materials by the features of one network."""

    mean: torch.Tensor  # [F]
    deviation: torch.Tensor  # [F]
    weights: torch.Tensor  # [F, labels]
    biases: torch.Tensor  # [labels]

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return the probabilities [V, labels] of ``features`` [V, F]."""
        seen = (torch.from_numpy(features) - self.mean) / self.deviation
        return (seen @ self.weights + self.biases).softmax(dim=1).numpy()


@dataclass(frozen=True)
class MaterialJudge:
    """A judging for `judge.judge_frames`, and how well it does on photographs it has not seen."""

    labels: tuple[str, ...]
    layers: dict[str, Layer]
    unseen: dict[str, tuple[int, int]]  # rightly named first, of how many; "all" for all of them

    def __call__(self, variant: str, views: np.ndarray) -> np.ndarray:
        """Return the probabilities [V, labels] of ``views``, as in `networks.probabilities`."""
        return self.layers[variant](networks.features(variant, views))

    def classes(self, material: str) -> tuple[int, ...]:
        """Return the places in `labels` that stand for a material in `LABELS`."""
        return tuple(self.labels.index(label) for label in LABELS[material])

    def knows(self, material: str) -> bool:
        """Does it name at least half of `LEAST_UNSEEN` or more unseen photographs rightly?"""
        right, of = self.unseen.get(material, (0, 0))
        return of >= LEAST_UNSEEN and 2 * right >= of

    def told(self) -> str:
        """Return how well it does, as a sentence."""
        each = [f"{name} {right} of {of}" for name, (right, of) in self.unseen.items()]
        return f"Materials named first in photographs never trained on: {', '.join(each)}."


def read_labels(folder: Path) -> list[Photograph]:
    """Return the pictures that ``folder``/labels.csv lists (columns file, label).

    A file's name is SOURCE__NUMBER_WHAT: pictures with the same WHAT are one group.
    """
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as table:
        return [
            Photograph(folder / row["file"], row["label"], NUMBERED.sub("", Path(row["file"]).stem))
            for row in csv.DictReader(table)
        ]


def halves(photographs: Sequence[Photograph], seed: int = 0) -> np.ndarray:
    """Return which photographs are trained on, bool [N]: half of the groups of each label.

    Where a label has an odd number of groups one more is trained on.
    """
    random = np.random.default_rng(seed)
    training: set[tuple[str, str]] = set()
    for label in sorted({each.label for each in photographs}):
        groups = sorted({each.group for each in photographs if each.label == label})
        order = random.permutation(len(groups))[: (len(groups) + 1) // 2]
        training |= {(label, groups[at]) for at in order}
    return np.array([(each.label, each.group) in training for each in photographs])


def features_of(photographs: Sequence[Photograph], keep: Path | None = None) -> dict:
    """Return the features [N, F] of all ``photographs`` for each network.

    ``keep`` is a file that holds them for the next time.
    """
    names = [each.path.name for each in photographs]
    if keep and keep.exists():
        with np.load(keep) as kept:
            if kept["names"].tolist() == names:
                return {variant: kept[variant] for variant in networks.SIDES}
    found: dict[str, list[np.ndarray]] = {variant: [] for variant in networks.SIDES}
    for each in photographs:
        picture = read_rgb(each.path)
        height, width = picture.shape[:2]
        short = min(height, width)
        middle = (width - short) // 2, (height - short) // 2, short
        for variant, side in networks.SIDES.items():
            found[variant].append(networks.features(variant, cut(picture, middle, side)[None])[0])
    features = {variant: np.stack(rows) for variant, rows in found.items()}
    if keep:
        keep.parent.mkdir(parents=True, exist_ok=True)
        np.savez(keep, names=names, **features)
    return features


def train(photographs: Sequence[Photograph], features: dict[str, np.ndarray]) -> MaterialJudge:
    """Return the judge that one half teaches, with what it names rightly in the other half."""
    labels = tuple(sorted({each.label for each in photographs}))
    wanted = np.array([labels.index(each.label) for each in photographs])
    training = halves(photographs)
    layers = {
        variant: fit(rows[training], wanted[training], len(labels))
        for variant, rows in features.items()
    }
    said = np.mean([layers[variant](features[variant][~training]) for variant in layers], axis=0)
    right = said.argmax(axis=1) == wanted[~training]
    unseen = {"all": (int(right.sum()), len(right))}
    judge = MaterialJudge(labels, layers, unseen)
    for material in LABELS:
        of = np.isin(wanted[~training], judge.classes(material))
        named = np.isin(said.argmax(axis=1), judge.classes(material))
        unseen[material] = int((named & of).sum()), int(of.sum())
    return judge


def fit(features: np.ndarray, wanted: np.ndarray, count: int) -> Layer:
    """Fit one layer to features [N, F] and labels [N] below ``count``; each label weighs alike."""
    seen, truth = torch.from_numpy(features), torch.from_numpy(wanted)
    mean, deviation = seen.mean(dim=0), seen.std(dim=0) + 1e-3
    seen = (seen - mean) / deviation
    shares = 1 / torch.bincount(truth, minlength=count).clamp(min=1)
    weights = torch.zeros(seen.shape[1], count, requires_grad=True)
    biases = torch.zeros(count, requires_grad=True)
    parts, search = [weights, biases], "strong_wolfe"
    solver = torch.optim.LBFGS(parts, max_iter=ROUNDS, line_search_fn=search)

    def slope() -> torch.Tensor:
        solver.zero_grad()
        loss = functional.cross_entropy(seen @ weights + biases, truth, shares)
        loss = loss + DECAY * weights.square().sum()
        loss.backward()
        return loss

    solver.step(slope)
    return Layer(mean, deviation, weights.detach(), biases.detach())
