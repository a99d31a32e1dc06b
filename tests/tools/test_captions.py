"""The sentences: every one names its material in known words."""

import numpy as np
import pytest

from tools.bank import CLASSES
from tools.captions import PAPER, PREFIXES, WORDS, caption, prompts
from tools.colours import NAMES, UNNAMED, name_colour, recoloured
from tools.materials import MATERIALS, paint


@pytest.mark.parametrize("name", CLASSES)
def test_every_caption_contains_a_word_for_its_material(name):
    rng = np.random.default_rng(0)
    for thing in (None, -2, 0, 5) * 5:
        text = caption(rng, CLASSES.index(name), -1, thing)
        assert any(word in text for word in WORDS[name]), text


def test_a_named_colour_is_in_the_caption():
    text = caption(np.random.default_rng(0), 0, NAMES.index("blue"), None)
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
