"""Looks that an encoder takes for a material: liked more and more, and always right or wrong."""

import numpy as np
import pytest
import torch

from engine.stylization.basis import CELLS, COURSES
from tools import lookalikes
from tools.bank import make_bank
from tools.export import FOLDER, load
from tools.lookalikes import SIDE, Light, Lookalikes, lookalike, matches
from tools.materials import MATERIALS, paint
from tools.rules import BARE, CELLED, GREY, OVALED, RIGHT
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
    value = picture.max(axis=2).clip(1).astype(float)
    is_bare = (1 - picture.min(axis=2) / value < 0.25) | (value < 140)  # grey or brown
    assert BARE[0] - 0.15 < is_bare.mean() < BARE[1] + 0.2


@pytest.mark.parametrize("order", RIGHT["gold"])
def test_gold_that_is_right_is_golden_all_over_and_of_one_colour(encoder, order):
    picture = found(encoder, "gold", order)[0].astype(float)
    assert (picture[..., 2] < 0.8 * picture[..., 0]).mean() > 0.95
    assert picture.mean(axis=2).std() < 0.2 * picture.mean()


def test_a_metal_keeps_its_colour_in_its_light_where_it_is_right():
    shading = np.linspace(*lookalikes.SOFT, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    gold = torch.tensor([0.85, 0.6, 0.1]).view(1, 3, 1).expand(1, 3, SIDE * SIDE)
    for seed in range(10):
        light = Light.on_metal(shading, np.random.default_rng(seed), right=True)
        shown = light.on(gold)
        assert (shown[:, 0].diff() >= 0).all() and shown[:, 0, -1] > 1.5 * shown[:, 0, 0]
        assert (shown[:, 2] < 0.8 * shown[:, 0]).all()


@pytest.mark.parametrize(("name", "order"), [("brick", OVALED), ("leopard", CELLED)])
def test_the_mark_of_a_wrong_tile_is_seen(encoder, name, order):
    tile = paint(next(each for each in MATERIALS if each.name == name), 3, 128).mean()
    for seed in range(3):
        picture = found(encoder, name, order, seed)[0].mean(axis=2)
        is_mark = (picture < 0.55 * tile) | (picture > 0.5 * tile + 0.5 * 255)
        assert 0.05 < is_mark.mean() < 0.8


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
