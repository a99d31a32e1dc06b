"""The sentences: every one names its material in known words."""

import numpy as np
import pytest

from tools import silhouettes
from tools.bank import CLASSES
from tools.captions import (
    PAPER,
    PREFIXES,
    SOME_THING,
    SURFACES,
    THINGS,
    UNKNOWN,
    UNNAMED,
    WORDS,
    caption,
    prompts,
    with_fillers,
)
from tools.colours import NAMES, name_colour, name_tone, recoloured
from tools.materials import MATERIALS, paint
from tools.paraphrases import FRAMES, PARAPHRASES


@pytest.mark.parametrize("name", CLASSES)
def test_every_caption_contains_a_word_for_its_material(name):
    rng = np.random.default_rng(0)
    for thing in (UNNAMED, SOME_THING, 0, 5) * 5:
        text = caption(rng, CLASSES.index(name), -1, thing)
        assert any(word in text for word in WORDS[name]), text


def test_a_named_colour_is_in_the_caption():
    text = caption(np.random.default_rng(0), 0, NAMES.index("blue"), -1)
    assert "blue" in text


def test_the_prompts_have_the_eight_prefixes_of_the_paper():
    assert len(PREFIXES) == len(prompts("zebra")) == 8
    assert prompts("zebra", "swan with {}")[0] == "a photo of a swan with zebra"


def test_the_prompts_of_the_paper_speak_of_materials_that_we_paint():
    assert set(PAPER.values()) <= {material.name for material in MATERIALS}
    for text, name in PAPER.items():
        assert any(word in text for word in WORDS[name]), text


def test_no_word_stands_for_two_materials():
    words = [word for several in WORDS.values() for word in several]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("name", NAMES)
def test_a_recoloured_surface_gets_the_name_of_its_colour(name):
    knit = next(material for material in MATERIALS if material.name == "plastic")
    named = [
        name_colour(recoloured(paint(knit, seed, 48), name, np.random.default_rng(seed)))
        for seed in range(12)
    ]
    assert named.count(NAMES.index(name)) >= 6


def test_a_zebra_has_no_one_colour():
    assert name_colour(paint(MATERIALS[0], 1, 48)) == UNNAMED


@pytest.mark.parametrize("tone", [(0.115, 0.9, 0.9), (0.6, 0.15, 0.5), (0.05, 0.8, 0.6)])
def test_a_colour_between_two_names_has_none(tone):
    assert name_tone(*tone) is None


def test_a_caption_may_name_only_an_object_and_its_colour():
    swan = silhouettes.OBJECTS.index("swan")
    for seed in range(20):
        text = caption(np.random.default_rng(seed), UNNAMED, NAMES.index("red"), swan)
        assert "red swan" in text or "red goose" in text
        words = text.split()
        assert not any(word[0] in words for word in WORDS.values()), text


def test_fillers_add_words_and_take_none_away():
    for seed in range(20):
        text = with_fillers(np.random.default_rng(seed), "a swan with zebra fur")
        words = [word for word in text.split() if word != UNKNOWN]
        assert words == ["a", "swan", "with", "zebra", "fur"]


def test_every_material_has_a_paraphrase_that_training_never_says():
    assert set(PARAPHRASES) == {material.name for material in MATERIALS}
    taught = {word for words in WORDS.values() for word in words}
    assert not taught & set(PARAPHRASES.values())
    forms = {form.format("").strip() for form in SURFACES}
    forms |= {form.format(thing="", material="").strip() for form in THINGS}
    assert not forms & {frame.format("").strip() for frame in FRAMES if frame != "{}"}
