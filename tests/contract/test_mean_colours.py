"""The colour that a text asks for."""

import pytest

from engine.contract.job import TargetTexts
from engine.contract.words.concepts import load_vocabulary
from engine.contract.words.mean_colours import mean_colour, mean_colour_of_texts

KNOWN = load_vocabulary().mean_colours


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("gold", ["gold"]),
        ("white marble", ["marble"]),
        ("oak wood", ["wood"]),
        ("zebra fur", ["zebra"]),
        ("blue marble", ["blue"]),
        ("red knitted wool", ["red"]),
        ("gold and ice", ["gold", "ice"]),
        ("gold: 3 | ice", ["gold", "gold", "gold", "ice"]),
    ],
)
def test_it_is_the_mean_of_what_the_text_names(text, names):
    wanted = [sum(channel) / len(names) for channel in zip(*map(KNOWN.get, names), strict=True)]
    assert mean_colour(text, local=True) == pytest.approx(wanted)


@pytest.mark.parametrize("text", ["knitted wool", "jellyfish", "gold and plaid", "Elvis", ""])
def test_there_is_none_where_a_part_may_have_every_colour_or_is_not_known(text):
    assert mean_colour(text, local=True) is None


def test_the_local_text_goes_before_the_global_one():
    assert mean_colour_of_texts(TargetTexts("swan made of ice", "gold")) == KNOWN["gold"]
    assert mean_colour_of_texts(TargetTexts("swan made of ice", "")) == KNOWN["ice"]
    assert mean_colour_of_texts(TargetTexts("swan made of ice", "wool")) == KNOWN["ice"]
    assert mean_colour_of_texts(TargetTexts("swan", "")) is None
