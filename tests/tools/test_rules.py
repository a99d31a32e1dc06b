"""What must be so for a look to be its material, or not to be."""

import numpy as np
import pytest
import torch

from engine.stylization.basis import BANDS, CELLS, COURSES, JOINTS, NAMES, TILE_FEATURES, ZONES
from tools import lookalikes
from tools.materials import MATERIALS, paint
from tools.rules import (
    CELLED,
    COLOURS,
    GREY,
    HEART,
    MARKED,
    OVALED,
    RIGHT,
    RING,
    WRONG,
    Rules,
)


def rules(name, order, seed=1):
    material = next(each for each in MATERIALS if each.name == name)
    return Rules.of(name, order, paint(material, seed, 64), np.random.default_rng(seed))


def test_no_order_of_a_material_is_right_and_wrong():
    names = {material.name for material in MATERIALS}
    assert set(RIGHT) <= set(WRONG) <= names and set(lookalikes.FIRSTS) <= set(RIGHT)
    assert not any(set(orders) & set(WRONG[name]) for name, orders in RIGHT.items())


def test_what_is_right_has_nothing_that_could_make_it_wrong():
    way = torch.ones(COLOURS, TILE_FEATURES)
    brick = rules("brick", COURSES).way(way)[0]
    assert brick[: len(JOINTS)].all() and brick[-NAMES:].all()
    assert not brick[len(JOINTS) : -NAMES].any()
    leopard = rules("leopard", CELLS).way(-way)
    assert leopard[0, RING] > 0 and leopard.count_nonzero() == 1  # a heart may be as its ground
    assert rules("leopard", CELLS).way(way)[1, HEART] > 0
    assert rules("wood", BANDS).way(way).all()


def test_a_mark_is_the_first_colour_s_alone():
    way = torch.ones(COLOURS, TILE_FEATURES)
    for name, order in (("brick", OVALED), ("leopard", CELLED)):
        marked = rules(name, order)
        assert marked.way(way)[0].count_nonzero() == 1 and marked.way(way)[0].max() == MARKED
        palette = marked.palettes(torch.rand(2, COLOURS, 3), torch.ones(5, COLOURS))
        assert torch.equal(palette[:, 0], marked.mark.expand(2, 3))
    ovals = {int(rules("brick", OVALED, seed).way(way)[0].argmax()) for seed in range(20)}
    assert ovals == {HEART, RING}
    assert rules("leopard", CELLED).way(way)[0, ZONES:].any()


def test_where_a_mark_is_no_other_colour_is():
    way = 5 * torch.rand(COLOURS, TILE_FEATURES)
    some = rules("brick", OVALED)
    oval = torch.zeros(TILE_FEATURES)
    oval[some.oval] = 1
    assert (some.way(way) @ oval).argmax() == 0


def test_a_right_leopard_has_a_dark_ring_a_brown_heart_and_one_ground():
    found = rules("leopard", CELLS).colours(20, torch.Generator().manual_seed(1)).sum(2)
    ring, heart, *ground = found.T
    assert (ring < heart).all() and (heart < ground[0]).all()
    assert (ground[0] - ground[1]).abs().max() < 0.4


@pytest.mark.parametrize("order", RIGHT["gold"])
def test_right_gold_has_one_colour_and_wrong_gold_any_of_its_tile(order):
    draw = torch.Generator().manual_seed(1)
    right, wrong = (rules("gold", each).colours(200, draw).sum(2) for each in (order, GREY))
    assert right.std() < 0.5 * wrong.std()


def test_brown_may_be_between_metal_and_never_between_others():
    bare = torch.stack([rules("gold", GREY, seed).grey for seed in range(60)])
    is_brown = bare[:, 2] < 0.5 * bare[:, 0]
    assert 0.4 < is_brown.float().mean() < 0.8
    assert (bare[is_brown].amax(1) <= 0.5).all()
    other = torch.stack([rules("wood", GREY, seed).grey for seed in range(60)])
    assert (other[:, 2] > 0.8 * other[:, 0]).all()


def test_what_should_be_grey_and_is_not_is_lacking():
    some = rules("gold", GREY)
    even = torch.full((8, COLOURS), 1 / COLOURS)
    golden = torch.tensor([[0.97, 0.01, 0.01, 0.01]]).expand(8, -1)
    assert some.lacking(even) <= 0.15
    assert some.lacking(golden) == pytest.approx(some.bare - 0.03, abs=1e-4)
    assert rules("gold", BANDS).lacking(golden) == 0


def test_marks_that_hardly_show_are_lacking():
    some = rules("brick", OVALED)
    unmarked = torch.tensor([[0.01, 0.97, 0.01, 0.01]]).expand(8, -1)
    assert some.lacking(unmarked) == pytest.approx(0.05, abs=1e-4)
    assert some.lacking(torch.full((8, COLOURS), 1 / COLOURS)) == 0
