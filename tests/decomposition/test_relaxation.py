"""The mapping behind all frames evens out the atlas and changes nothing that sticks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.decomposition.grid.crop import Crop
from engine.decomposition.grid.mapping import Background, Foreground
from engine.decomposition.grid.matches import Matches
from engine.decomposition.grid.packing import pack, unpack
from engine.decomposition.grid.relaxation import compute_relaxation
from engine.decomposition.grid.splines import Lattice
from engine.evaluation.drift import determinants

SIDE, FRAMES = 64, 4
LATTICE = Lattice(SIDE, SIDE, 8)


def spots():
    steps = torch.arange(-1, LATTICE.columns - 1) * LATTICE.spacing
    return torch.stack(torch.meshgrid(steps, steps, indexing="xy"), 2)


@pytest.fixture
def turned():
    """Knots of frames of which all but the reference show a side that it has squeezed."""
    x = spots()[..., 0]
    squeezed = torch.where(x > SIDE / 2, SIDE / 2 + (x - SIDE / 2) / 6, x) - x
    knots = torch.stack([squeezed, torch.zeros_like(x)], 2).repeat(FRAMES, 1, 1, 1)
    knots[0] = 0
    return knots


@pytest.fixture
def inside():
    where = np.zeros((FRAMES, SIDE, SIDE), bool)
    where[:, 6:-6, 6:-6] = True
    where[0, :, 40:] = False
    return where


def mapping(knots, relaxation):
    still = Crop(np.full((FRAMES, 2), (SIDE - 1) / 2), np.ones(FRAMES), SIDE, SIDE)
    return Foreground(still, LATTICE, knots, torch.zeros(2), float(SIDE), relaxation)


def places(knots, relaxation):
    every = torch.arange(SIDE).float().expand(FRAMES, -1)
    return mapping(knots, relaxation).place(list(range(FRAMES)), every, every).numpy()


def test_what_is_only_moved_is_left_as_it_is(inside):
    knots = torch.full((FRAMES, LATTICE.rows, LATTICE.columns, 2), 3.0)
    assert compute_relaxation(LATTICE, knots, inside, seed=0) is None


def test_what_is_seen_nowhere_is_left_as_it_is(turned):
    assert compute_relaxation(LATTICE, turned, np.zeros((FRAMES, SIDE, SIDE), bool), seed=0) is None


def test_a_squeezed_side_gets_room_without_folds(turned, inside):
    found = compute_relaxation(LATTICE, turned, inside, seed=0)
    assert found is not None
    before = determinants(places(turned, None)[1])[10:-10, 42:-10]
    after = determinants(places(turned, found)[1])[10:-10, 42:-10]
    assert np.median(after) > 2 * np.median(before)
    for picture, where in zip(places(turned, found), inside, strict=True):
        assert determinants(picture)[where[:-1, :-1]].min() > 0


def test_points_that_shared_a_place_still_share_it(turned, inside):
    found = compute_relaxation(LATTICE, turned, inside, seed=0)
    assert found is not None
    before, after = places(turned, None), places(turned, found)
    assert np.allclose(before[1], before[3]) and np.array_equal(after[1], after[3])
    moved = found(torch.from_numpy(before[1])).numpy()
    assert np.allclose(moved, after[1], atol=1e-4)


def test_a_checkpoint_keeps_it(turned, inside):
    kept = mapping(turned, compute_relaxation(LATTICE, turned, inside, seed=0))
    points = np.arange(6.0).reshape(3, 2)
    tracks = Matches(np.array([0, 1, 1]), np.array([2, 2, 3]), points, points + 1, np.ones(3))
    kept = replace(kept, tracks=tracks)
    nothing = torch.zeros(FRAMES, LATTICE.rows, LATTICE.columns, 2)
    behind = Background(
        torch.eye(3).repeat(FRAMES, 1, 1), LATTICE, nothing, torch.ones(2), torch.zeros(2),
        torch.ones(2),
    )  # fmt: skip
    again, _ = unpack(pack(kept, behind))
    for before, after in zip(kept.tracks.arrays(), again.tracks.arrays(), strict=True):
        assert np.array_equal(before, after)
    every = torch.arange(SIDE).float()[None]
    assert torch.equal(kept.place([2], every, every), again.place([2], every, every))
