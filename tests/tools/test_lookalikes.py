"""Looks that an encoder takes for a material: liked more and more, and always right or wrong."""

import numpy as np
import pytest
import torch

from engine.stylization.basis import BANDS, CELLS, COURSES, JOINTS, NAMES, TILE_FEATURES, ZONES
from tools import lookalikes
from tools.bank import make_bank
from tools.export import FOLDER, load
from tools.lookalikes import (
    BARE,
    GREY,
    RIGHT,
    SIDE,
    WRONG,
    Lookalikes,
    Rules,
    lookalike,
    matches,
)
from tools.materials import MATERIALS, paint
from tools.score import text_anchors


@pytest.fixture(scope="module")
def encoder():
    return load(FOLDER)


def found(encoder, name, order, seed=5):
    clip, tokenizer = encoder
    with torch.no_grad():
        anchor = text_anchors(clip, tokenizer, (name,))[0]
    tile = paint(next(each for each in MATERIALS if each.name == name), 3, 128)
    picture, score = lookalike(clip, anchor, tile, name, order, np.random.default_rng(seed))
    seen = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        assert float(matches(clip, anchor, seen)[0]) == pytest.approx(score, abs=0.02)
    return picture, score


@pytest.mark.parametrize(("name", "order"), [("brick", CELLS), ("leopard", COURSES)])
def test_a_search_makes_wrong_looks_more_liked_and_follows_from_its_seed(
    encoder, monkeypatch, name, order
):
    picture, score = found(encoder, name, order)
    assert np.array_equal(picture, found(encoder, name, order)[0])
    for number, value in {"FIRST_WAYS": 1, "FIRST_PALETTES": 1, "ROUNDS": 0, "STEPS": 0}.items():
        monkeypatch.setattr(lookalikes, number, value)
    assert score > found(encoder, name, order)[1] + 0.05


@pytest.mark.parametrize("seed", range(3))
def test_where_gold_should_be_bare_a_part_of_it_is(encoder, seed):
    picture, _ = found(encoder, "gold", GREY, seed)
    dull = 1 - picture.min(axis=2) / picture.max(axis=2).clip(1).astype(float) < 0.25
    assert BARE[0] - 0.15 < dull.mean() < BARE[1] + 0.2


def test_gold_that_is_right_is_golden_all_over(encoder):
    picture, _ = found(encoder, "gold", BANDS)
    assert (picture[..., 2] < 0.8 * picture[..., 0]).mean() > 0.95


def test_no_order_of_a_material_is_right_and_wrong():
    names = {material.name for material in MATERIALS}
    assert set(RIGHT) <= set(WRONG) <= names and set(lookalikes.FIRSTS) <= set(RIGHT)
    assert not any(set(orders) & set(WRONG[name]) for name, orders in RIGHT.items())


def test_what_is_right_has_nothing_that_could_make_it_wrong():
    way = torch.ones(4, TILE_FEATURES)
    of = {
        (name, order): Rules(name, order, torch.zeros(3), 0.5).way(way)[0]
        for name, order in (("brick", COURSES), ("leopard", CELLS), ("wood", BANDS))
    }
    joints, marks = slice(0, len(JOINTS)), slice(len(JOINTS), ZONES)
    brick, leopard, wood = of.values()
    assert brick[joints].all() and brick[-NAMES:].all() and not brick[len(JOINTS) : -NAMES].any()
    assert leopard[marks].all() and not leopard[joints].any() and not leopard[ZONES:].any()
    assert wood.all()


def test_they_are_looked_for_once(monkeypatch, tmp_path):
    monkeypatch.setattr(lookalikes, "FIRST_WAYS", 2)
    monkeypatch.setattr(lookalikes, "ROUNDS", 1)
    monkeypatch.setattr(lookalikes, "_started", lambda jobs: [run(*rest) for run, *rest in jobs])
    bank = make_bank(41, 1)
    first = lookalikes.load_lookalikes(FOLDER, bank, 4, 7, tmp_path)
    monkeypatch.setattr(lookalikes, "find_lookalikes", None)
    again = lookalikes.load_lookalikes(FOLDER, bank, 4, 7, tmp_path)
    assert np.array_equal(first.pictures, again.pictures)
    assert first.names.tolist() == again.names.tolist()
    assert first.pictures.shape == (4, SIDE, SIDE, 3)


def test_right_looks_are_their_material_and_wrong_ones_are_not():
    bank = make_bank(41, 1)
    orders = np.array([CELLS, GREY, COURSES])
    pictures = (
        np.full((3, SIDE, SIDE, 3), 7, np.uint8)
        * np.arange(1, 4, dtype=np.uint8)[:, None, None, None]
    )
    mixed = Lookalikes(pictures, np.array(["brick"] * 3), orders, np.zeros(3)).among(bank)
    for kind, value in (("tiling", 7), ("partly", 14), ("brick", 21)):
        assert (mixed.tiles[kind][-1] == value).all()
        assert np.array_equal(mixed.tiles[kind][:-1], bank.tiles[kind])
    assert np.array_equal(mixed.tiles["gold"], bank.tiles["gold"])
