"""What the finished encoder knows, for its card: measured through the engine's own loader.

Photographs of one of each of ImageNet's classes, which were never trained on; the half of the
material pictures that was kept aside; painted materials of other seeds; and photographs under
attack.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from timm.data import ImageNetInfo
from torch import Tensor
from torch.nn import functional

from engine.contract.words.concepts import Vocabulary
from engine.stylization.encoder import Encoder
from engine.stylization.texts import embed_text
from training.materials import MATERIALS, paint
from training.photographs import LABELS, material_rows, read_picture
from training.robust import lengths, projected

AT_ONCE = 50
RADIUS, ATTACK_STEPS, ATTACK_RATE = 1.5, 10, 0.4
PREFIXES = 4  # of which the mean direction of a name is taken
UNSEEN_SEED = 99  # of painted tiles
EACH = 4  # painted tiles of each material


def square(picture: np.ndarray, side: int) -> np.ndarray:
    """Return the middle square of ``picture`` [H, W, 3], [side, side, 3]."""
    extent = min(picture.shape[:2])
    top, left = ((length - extent) // 2 for length in picture.shape[:2])
    part = picture[top : top + extent, left : left + extent]
    return cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)


def stacked(pictures: Sequence[np.ndarray]) -> Tensor:
    """Return pictures [S, S, 3] of bytes as [N, 3, S, S] in [0, 1]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def names_of(encoder: Encoder, names: Sequence[str]) -> Tensor:
    """Return the unit direction [n, E] of each name, the mean over prefixes."""
    means = [embed_text(name, encoder, prefixes=PREFIXES).mean(0) for name in names]
    return functional.normalize(torch.stack(means), dim=1)


@torch.no_grad()
def right(encoder: Encoder, pictures: Tensor, labels: Tensor, names: Tensor) -> float:
    """Return the part of ``pictures`` [N, 3, S, S] whose name ``labels`` [N] comes first."""
    hits = [
        (functional.normalize(encoder.embed_images(some), dim=1) @ names.T).argmax(1) == label
        for some, label in zip(pictures.split(AT_ONCE), labels.split(AT_ONCE), strict=True)
    ]
    return float(torch.cat(hits).float().mean())


def attacked(encoder: Encoder, pictures: Tensor, labels: Tensor, names: Tensor) -> Tensor:
    """Return ``pictures`` [N, 3, S, S] after steps of gradient ascent within `RADIUS`."""
    radius = torch.full((len(pictures), 1, 1, 1), RADIUS)
    attack = torch.zeros_like(pictures)
    for _ in range(ATTACK_STEPS):
        attack.requires_grad_()
        seen = functional.normalize(encoder.embed_images((pictures + attack).clamp(0, 1)), dim=1)
        loss = functional.cross_entropy(20 * seen @ names.T, labels)
        (slope,) = torch.autograd.grad(loss, attack)
        attack = projected(attack.detach() + ATTACK_RATE * slope / lengths(slope), radius)
    return (pictures + attack).clamp(0, 1)


def class_words(vocabulary: Vocabulary) -> dict[int, str]:
    """Return the usual word of each class that a concept stands for alone."""
    found: dict[int, str] = {}
    for concept in vocabulary.concepts.values():
        if len(concept.classes) == 1:
            found.setdefault(next(iter(concept.classes)), concept.words[0])
    return found


def measure(encoder: Encoder, vocabulary: Vocabulary, root: Path) -> dict[str, Any]:
    """Return all scores; ``root`` is the folder `photos`."""
    scores: dict[str, Any] = {}
    words, numbers = class_words(vocabulary), ImageNetInfo().label_names()
    files = sorted((root / "one-of-each-class").iterdir())
    shown = stacked([square(read_picture(file), encoder.size) for file in files])
    labels = torch.tensor([numbers.index(file.name.split("_")[0]) for file in files])
    known = torch.tensor(sorted(words))
    names = torch.zeros(len(numbers), encoder.embed_texts(["a"]).shape[1])
    names[known] = names_of(encoder, [words[int(index)] for index in known])
    scores["photographs"] = {"top1": right(encoder, shown, labels, names), "count": len(files)}
    some = slice(None, None, 5)
    hit = attacked(encoder, shown[some], labels[some], names)
    scores["attacked photographs"] = {
        "clean": right(encoder, shown[some], labels[some], names),
        "attacked": right(encoder, hit, labels[some], names),
        "radius": RADIUS, "count": len(hit),
    }  # fmt: skip
    scores["material photographs"] = _material_photographs(encoder, root)
    scores["painted materials"] = _painted(encoder)
    return scores


def _material_photographs(encoder: Encoder, root: Path) -> dict[str, Any]:
    rows = [row for row in material_rows(root, held_out=True) if row["label"] in LABELS]
    kinds = sorted(set(LABELS.values()))
    pictures = [
        square(read_picture(root / "materials" / row["file"]), encoder.size) for row in rows
    ]
    labels = torch.tensor([kinds.index(LABELS[row["label"]]) for row in rows])
    top = right(encoder, stacked(pictures), labels, names_of(encoder, kinds))
    return {"top1": top, "count": len(rows), "names": len(kinds)}


def _painted(encoder: Encoder) -> dict[str, Any]:
    names = [material.name for material in MATERIALS]
    tiles = [
        paint(material, UNSEEN_SEED * 100_000 + zlib.crc32(bytes([seed])) % 1000, 2 * encoder.size)
        for material in MATERIALS
        for seed in range(EACH)
    ]
    pictures = stacked([square(tile, encoder.size) for tile in tiles])
    labels = torch.arange(len(names)).repeat_interleave(EACH)
    top = right(encoder, pictures, labels, names_of(encoder, names))
    return {"top1": top, "count": len(tiles), "names": len(names)}
