import pytest

from engine.contract.job import TargetTexts
from engine.contract.words import listing
from engine.contract.words.concepts import load_vocabulary
from engine.contract.words.reading import read
from engine.contract.words.surroundings import surroundings_of_texts


def of(whole: str, close: str = "") -> list[str]:
    return surroundings_of_texts(TargetTexts(global_text=whole, local_text=close))


@pytest.mark.parametrize("look", ["zebra", "leopard", "tiger", "polar bear", "golden retriever"])
def test_the_fur_of_land_animals_brings_no_grass(look):
    assert of(f"swan with {look} fur") == ["grass"]
    assert of("", f"{look} fur") == ["grass"]


@pytest.mark.parametrize(
    "whole",
    ["dog made of gold", "zebra made of red brick", "swan with strawberry skin", ""],
)
def test_other_looks_and_the_object_itself_have_no_surroundings(whole):
    assert of(whole) == []


def test_each_word_of_the_list_is_a_look_that_the_encoder_knows():
    vocabulary = load_vocabulary()
    assert vocabulary.surroundings
    for word, classes in vocabulary.surroundings.items():
        assert word in vocabulary.looks and classes <= set(range(1000))


def test_knows_says_what_surrounds_an_animal():
    vocabulary = load_vocabulary()
    said = listing.describe_reading(read("dog with zebra fur", vocabulary), vocabulary)
    assert said.splitlines()[-1] == "surroundings: grass"


def test_what_a_text_names_is_not_avoided():
    assert of("dog with zebra fur and grass") == []
    assert of("dog with zebra fur", "grass") == []
