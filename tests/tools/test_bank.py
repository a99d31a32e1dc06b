"""The bank: what its negatives are made of."""

import numpy as np
import pytest

from tools import bank
from tools.bank import METALS, SIDE, make_bank, negatives


@pytest.fixture(scope="module")
def tiles():
    return make_bank(41, 1).tiles


def test_the_soft_colours_of_a_metal_are_not_wrong(tiles):
    without = {name: None if name in METALS else tile for name, tile in tiles.items()}
    assert negatives("blur", np.random.default_rng(1), without, 120).shape == (120, SIDE, SIDE, 3)


def test_half_of_what_is_partly_metal_has_flat_brown(tiles, monkeypatch):
    monkeypatch.setattr(bank, "COLOURED", METALS[:1])
    golden = tiles | {"gold": np.full((1, SIDE, SIDE, 3), (230, 180, 30), np.uint8)}
    found = negatives("partly", np.random.default_rng(1), golden, 40).astype(float)
    is_brown = (found.max(axis=3) < 150) & (found[..., 2] < 0.5 * found[..., 0])
    assert 0.3 < (is_brown.mean(axis=(1, 2)) > 0.1).mean() < 0.7
