"""The reviewed list of what the embedded encoder knows, and how texts are read against it."""

import itertools

import pytest

from engine.contract.words.concepts import Kind, load_vocabulary
from engine.contract.words.reading import read
from training.materials import MATERIALS

COLOURS = (
    "red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "brown", "white",
    "grey", "black", "maroon", "navy", "olive", "lime", "teal", "lavender", "beige", "magenta",
)  # fmt: skip
PHOTOGRAPHED = (
    "cardboard", "carpet", "fabric", "forest floor", "glass", "metal", "mud", "onyx",
    "paving stone", "pebbles", "rock", "roof tiles", "soil", "terrazzo", "tiles", "travertine",
)  # fmt: skip
VOCABULARY = load_vocabulary()
CONCEPTS = VOCABULARY.concepts.values()

# Text: object | look | colours | unknown words.
GLOBAL = {
    "Swan with cactus skin": "swan | cactus | |",
    "Boat made of dark walnut wood": "boat | walnut | |",
    "Suit of shiny medieval iron armor": "suit | armor | |",
    "Swan with crocodile skin": "swan | crocodile | |",
    "Dog with zebra fur": "dog | zebra | |",
    "bear with strawberry skin": "bear | strawberry | |",
    "red brick bear": "bear | brick | |",
    "jellyfish ice membrane": "| jellyfish, ice | | membrane",
    "Van Gogh starry night bear": "bear | painting | |",
    "bear in the style of Van Gogh": "bear | painting | |",
    "a bear as an oil painting": "bear | painting | |",
    "watercolor painting of a bear": "bear | watercolour | |",
    "a swan": "swan | | |",
    "a zebra": "| zebra | |",
    "strawberry": "| strawberry | |",
    "gold": "| gold | |",
    "red": "| | red |",
    "zebra-striped camel": "camel | zebra | |",
    "zebra-like camel": "camel | zebra | |",
    "zebra with tiger fur": "zebra | tiger | |",
    "zebra fur on a dog": "dog | zebra | |",
    "leopard print on the dress": "dress | leopard | |",
    "a golden swan": "swan | gold | |",
    "an icy wooden boat": "boat | ice, wood | |",
    "rusty car": "car | rust | |",
    "snow-covered house": "house | snow | |",
    "bear covered in moss": "bear | moss | |",
    "house wrapped in newspaper": "house | newspaper | |",
    "crocheted swan": "swan | knit | |",
    "hippogriff with zebra fur": "| zebra | | hippogriff",
    "white swan with cactus skin": "swan | cactus | |",
    "red swan": "swan | | red |",
    "red swan with blue stripes": "swan | stripes | blue |",
    "woman in a blue velvet dress": "woman, dress | velvet | blue |",
    "the striped coat of a zebra": "| zebra | |",
    "texture of marble": "| marble | |",
    "swan with the skin of a crocodile": "swan | crocodile | |",
    "a stone statue of a bear": "statue, bear | stone wall | |",
    "bear statue made of marble": "bear, statue | marble | |",
    "man with umbrella made of gold": "man, umbrella | gold | |",
    "bear with jellyfish": "bear | jellyfish | |",
    "jellyfish bear": "bear | jellyfish | |",
    "swan with rhino skin": "swan | | | rhino",
    "orange swan": "swan | | orange |",
    "swan with orange peel": "swan | orange fruit | |",
    "bear made of oranges": "bear | orange fruit | |",
    "crane with tiger fur": "crane | tiger | |",
    "swan turned to stone": "swan | stone wall | |",
    "bear, red brick": "bear | brick | |",
    "ice bear": "bear | ice | |",
    "gold fish": "fish | gold | |",
    "swan made of strawberries and honeycomb": "swan | strawberry, honeycomb | |",
    "swan with cactus skin and golden beak": "swan, beak | cactus, gold | |",
    "a photo of a swan made out of lava": "swan | lava | |",
    "dog with zerba fur": "dog | | | zerba",
    "aluminium car": "car | | | aluminium",
    "": "| | |",
    "with": "| | |",
    "123 !": "| | |",
}  # fmt: skip
LOCAL = {
    "cactus skin": "| cactus | |",
    "dark walnut wood": "| walnut | |",
    "shiny medieval iron armor": "| armor | |",
    "zebra fur": "| zebra | |",
    "strawberry skin": "| strawberry | |",
    "a swan": "| swan | |",
    "spotted leopard hide": "| leopard | |",
    "reddish fur": "| fur | red |",
    "rough grey stone": "| stone wall | |",
    "mossy stone wall": "| moss, stone wall | |",
    "honeycombs and strawberries": "| honeycomb, strawberry | |",
    "zebra with tiger fur": "zebra | tiger | |",
    "rhinoceros hide": "| | | rhinoceros",
    "wet mud": "| mud | | wet",
    "daisies": "| daisy | |",
}


def names(text):
    return [name.strip() for name in text.split(",") if name.strip()]


def written(reading):
    groups = (reading.subjects, reading.looks, reading.colours)
    return [*([each.name for each in group] for group in groups), list(reading.unknown)]


@pytest.mark.parametrize(("text", "expected"), GLOBAL.items())
def test_a_text_is_read(text, expected):
    assert written(read(text, VOCABULARY)) == [names(part) for part in expected.split("|")]


@pytest.mark.parametrize(("text", "expected"), LOCAL.items())
def test_a_text_for_close_views_is_read(text, expected):
    reading = read(text, VOCABULARY, local=True)
    assert written(reading) == [names(part) for part in expected.split("|")]


def test_every_class_of_imagenet_and_no_other_is_known():
    assert set().union(*(each.classes for each in CONCEPTS)) == set(range(1000))


def test_every_material_and_every_colour_is_known():
    materials = {material.name for material in MATERIALS} | set(PHOTOGRAPHED)
    assert set().union(*(each.materials for each in CONCEPTS)) == materials
    assert {each.name for each in CONCEPTS if each.kind is Kind.COLOUR} == set(COLOURS)


def test_no_word_means_two_concepts():
    words = [word for each in CONCEPTS for word in each.words]
    assert len(words) == len(set(words))
    assert len(VOCABULARY.concepts) == len(set(VOCABULARY.concepts))


@pytest.mark.parametrize("kind", list(Kind))
def test_every_word_is_found_as_its_own_concept(kind):
    chosen = [each for each in CONCEPTS if each.kind is kind]
    assert chosen
    for concept, word in ((each, word) for each in chosen for word in each.words):
        assert [span.concept for span in VOCABULARY.spans(word)] == [concept], word


@pytest.mark.parametrize("kind", [Kind.THING, Kind.MATERIAL])
def test_every_word_for_a_look_is_read_as_its_look(kind):
    chosen = [each for each in CONCEPTS if each.kind is kind]
    for concept, word in ((each, word) for each in chosen for word in each.words):
        assert read(f"bear made of {word}", VOCABULARY).looks == (concept,), word


def test_weights_are_shares_of_one():
    for concept in CONCEPTS:
        for weights in (concept.classes, concept.materials):
            assert not weights or sum(weights.values()) == pytest.approx(1), concept.name
        assert 0 < concept.share < 1 or not (concept.classes and concept.materials), concept.name
        is_empty = concept.kind in (Kind.COLOUR, Kind.SUBJECT)
        assert bool(concept.classes or concept.materials) != is_empty, concept.name


def test_near_meanings_are_names_of_looks_and_are_needed():
    for word, near in VOCABULARY.near.items():
        assert all(VOCABULARY.concepts[name].has_look for name in near), word
        found = [span.concept for span in VOCABULARY.spans(word)]
        assert not any(concept and concept.has_look for concept in found), word


def test_words_are_lower_case_and_plain():
    for word in itertools.chain.from_iterable(each.words for each in CONCEPTS):
        assert word == " ".join(word.lower().split()) and "-" not in word
