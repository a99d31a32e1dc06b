"""Captions say what their direction is: made concepts are nearly orthogonal, so it can be told."""

import pytest
import torch

from training.captions import STREWN, Captions
from training.directions import Directions

COUNT = 600


@pytest.fixture(scope="module")
def directions(student, vocabulary):
    return Directions(student, vocabulary)


@pytest.fixture(scope="module")
def drawn(directions, vocabulary):
    captions = Captions(vocabulary, directions, seed=4)
    return [captions.draw() for _ in range(COUNT)]


def named(text, vocabulary, names):
    """Numbers of those of ``names`` of which a word is in ``text``."""
    plain = f" {text} "
    return [
        number
        for number, name in enumerate(names)
        if any(f" {word} " in plain for word in vocabulary.concepts[name].words)
    ]


def test_the_seed_alone_decides(directions, vocabulary, drawn):
    again, other = (Captions(vocabulary, directions, seed) for seed in (4, 5))
    assert [again.draw().text for _ in range(40)] == [each.text for each in drawn[:40]]
    assert [other.draw().text for _ in range(40)] != [each.text for each in drawn[:40]]


def test_every_direction_has_length_one(drawn):
    lengths = torch.stack([each.direction for each in drawn]).norm(dim=1)
    assert torch.allclose(lengths, torch.ones(COUNT), atol=1e-5)


def test_a_caption_of_one_look_alone_has_its_number_and_its_direction(
    drawn, directions, vocabulary
):
    alone = [each for each in drawn if each.look >= 0]
    assert COUNT / 5 < len(alone) < COUNT / 1.2
    for each in alone:
        assert torch.allclose(each.direction, directions.looks[each.look], atol=1e-6)
        assert each.look in named(each.text, vocabulary, directions.look_names), each.text


def test_a_direction_is_near_a_look_that_the_text_names(drawn, directions, vocabulary):
    for each in drawn:
        found = named(each.text, vocabulary, directions.look_names)
        assert found, each.text
        assert float((directions.looks[found] @ each.direction).max()) > 0.7, each.text


def test_what_the_object_is_counts_less_than_its_look(drawn, directions, vocabulary):
    shares = []
    for each in drawn:
        things = named(each.text, vocabulary, directions.thing_names)
        looks = named(each.text, vocabulary, directions.look_names)
        if each.look < 0 and len(looks) == 2 and len(things) == 1:
            shares.append(float((directions.things[things] @ each.direction).max()))
    assert len(shares) > 20
    assert 0.15 < sorted(shares)[len(shares) // 2] < 0.7


def test_words_without_a_look_are_strewn_in_now_and_then(drawn):
    strewn = [each for each in drawn if set(each.text.split()) & set(STREWN)]
    assert COUNT / 50 < len(strewn) < COUNT / 2
