"""Small made things in place of photographs, painted tiles and the trained network."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.contract.words.concepts import Vocabulary, load_vocabulary
from training import colours
from training.photographs import Photographs
from training.surfaces import NAMES, PAINTED, Surfaces

FEATURES = 512


class TinyNetwork(nn.Module):
    """One convolution with its normalisation, and five classes: the shape of the base network."""

    num_features = 8

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.conv = nn.Conv2d(3, 8, 9, stride=16, bias=False)
        self.bn = nn.BatchNorm2d(8)
        self.classifier = nn.Linear(8, 5)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / 4)

    def forward_features(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.bn(self.conv(pictures)).relu()


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return load_vocabulary()


@pytest.fixture(scope="session")
def student() -> Any:
    """What `Directions` reads of a student, drawn at random: kinds are nearly orthogonal."""
    generator = torch.Generator().manual_seed(0)

    def drawn(count: int) -> torch.Tensor:
        return torch.randn(count, FEATURES, generator=generator)

    return SimpleNamespace(
        network=SimpleNamespace(classifier=SimpleNamespace(weight=drawn(1000))),
        materials=drawn(len(NAMES)),
        colours=drawn(len(colours.NAMES)),
        centre=drawn(1)[0],
    )


@pytest.fixture(scope="session")
def photographs() -> Photographs:
    rng = np.random.default_rng(0)
    return Photographs([rng.integers(0, 256, (60, 80, 3), np.uint8) for _ in range(3)], {})


@pytest.fixture(scope="session")
def surfaces() -> Surfaces:
    """One tile of an even grey for each material, whose level is twice the material's number."""
    tiles = {name: np.full((1, 64, 64, 3), 2 * n, np.uint8) for n, name in enumerate(NAMES)}
    masks = np.zeros((2, 2, 64, 64), np.uint8)
    masks[:, :, 16:48, 12:52] = 255
    light = np.ones((2, 32, 32), np.float16)
    return Surfaces(
        {name: tiles[name] for name in PAINTED},
        {name: [tiles[name][0]] for name in NAMES if name not in PAINTED},
        masks,
        light,
    )
