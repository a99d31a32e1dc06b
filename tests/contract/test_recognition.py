"""Which thing of a text can be pointed at, and what is said where none can."""

import pytest

from engine.contract.events import EngineError, Fault
from engine.contract.job import TargetTexts
from engine.contract.words.recognition import noun_of, seen_as


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("Swan with cactus skin", "swan"),
        ("Boat made of dark walnut wood", "boat"),
        ("red brick bear", "bear"),
        ("gold: 2 | dog with zebra fur", "dog"),
        ("man with zebra fur", ""),
        ("gold", ""),
        ("", ""),
    ],
)
def test_the_noun_of_a_text_is_its_object(text, noun):
    assert noun_of(TargetTexts(text)) == noun


def test_a_group_is_seen_as_all_of_its_kinds():
    dogs = seen_as("dog")
    assert len(dogs) > 100 and "dog" in dogs and "dalmatian" in dogs
    assert "wolf" not in dogs and seen_as("a black swan") == ("swan",)


@pytest.mark.parametrize(
    ("name", "said"),
    [("person", 'no picture of "person"'), ("gold", "no picture"), ("", "No text names a thing")],
)
def test_what_cannot_be_seen_is_refused_with_a_way_out(name, said):
    with pytest.raises(EngineError, match=said) as caught:
        seen_as(name)
    assert caught.value.fault is Fault.BAD_JOB and "box" in caught.value.hint
