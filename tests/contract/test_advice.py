"""What the user is told of texts that the embedded encoder cannot read."""

import dataclasses

import pytest

from engine.contract.events import EngineError, Fault
from engine.contract.job import Footage, FootageKind, Stage, TargetTexts, single
from engine.contract.settings import preset, replace_setting
from engine.contract.words.advice import check_words, near, remarks
from engine.contract.words.concepts import load_vocabulary
from engine.contract.words.parts import weighted_parts

VOCABULARY = load_vocabulary()


class Listener:
    """A report that remembers warnings."""

    def __init__(self):
        self.warnings = []

    def warning(self, message, hint=""):
        self.warnings.append((message, hint))


def request(*texts, encoder="embedded", **more):
    settings = replace_setting(preset("draft"), "stylization.encoder", encoder)
    footage = Footage(FootageKind.MOVIE, "/movie.mp4")
    return single(footage, TargetTexts(*texts, **more), settings=settings)


def said(*texts, **more):
    return remarks(TargetTexts(*texts, **more), VOCABULARY)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("gold", [("gold", 1.0)]),
        ("a 16:9 grid", [("a 16:9 grid", 1.0)]),
        ("gold: 2 | zebra fur", [("gold", 2.0), ("zebra fur", 1.0)]),
        ("gold:.5|ice : 1.5|", [("gold", 0.5), ("ice", 1.5)]),
        ("  ", []),
    ],
)
def test_a_text_with_bars_has_parts_with_weights(text, parts):
    assert weighted_parts(text) == parts


@pytest.mark.parametrize(
    "texts",
    [
        ("Swan with cactus skin",),
        ("Swan with cactus skin", "cactus skin"),
        ("a swan", "zebra fur"),
        ("", "zebra fur"),
        ("red swan",),
        ("a zebra",),
        ("gold: 2 | zebra fur",),
        ("swan | gold",),
        ("Suit of shiny medieval iron armor", "shiny medieval iron armor"),
        ("gold", "", "fur"),
    ],
)
def test_of_known_words_nothing_is_said(texts):
    assert said(*texts) == []


def test_a_word_that_is_not_known_is_named_beside_others_that_are():
    (remark,) = said("jellyfish ice membrane")
    assert str(remark.message) == 'The embedded encoder does not know "membrane".'
    assert remark.hint.startswith("Near words that it knows: membrane: jellyfish, bubble. ")
    assert "ViT-B-32:openai" in remark.hint and not remark.refuses


def test_words_of_all_texts_are_named_once():
    (remark,) = said("wet gold | icy membrane", "wet gold", "blurred")
    assert '"wet", "membrane", "blurred"' in str(remark.message)


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (("hippogriff scream",), '"hippogriff scream"'),
        (("Swan with zerba fur",), '"Swan with zerba fur"'),
        (("swan with zebra fur", "mucous membrane"), '"mucous membrane"'),
        (("hippogriff", "zebra fur"), '"hippogriff"'),
        (("skin",), '"skin"'),
    ],
)
def test_a_text_without_a_known_look_is_refused(texts, named):
    (remark,) = said(*texts)
    assert remark.refuses
    assert str(remark.message) == f"The embedded encoder knows no look in {named}."
    assert "real CLIP weights, such as ViT-B-32:openai" in remark.hint


def test_a_typing_error_is_refused_with_the_right_word():
    assert "zerba: zebra" in said("Swan with zerba fur")[0].hint


@pytest.mark.parametrize("text", ["a swan", "black swan", "two dogs", "woman in a dress"])
def test_a_text_that_names_the_object_alone_is_refused(text):
    (remark,) = said(text)
    assert remark.refuses
    assert str(remark.message).startswith(f'"{text}" says what the object is')
    assert f'"{text} with zebra fur"' in remark.hint


def test_a_picture_is_a_look():
    assert said("a swan", picture="starry-night.png") == []
    (remark,) = said("hippogriff", picture="starry-night.png")
    assert not remark.refuses


def test_a_long_text_is_shortened():
    assert "…" in str(said("scream " * 20)[0].message)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("aluminium", "silver"),
        ("porcelain", "marble"),
        ("tweed", "knit"),
        ("obsidian", "onyx"),
        ("emeralds", "crystal"),
        ("strawbery", "strawberry"),
        ("crocodil", "crocodile"),
    ],
)
def test_near_words_are_offered(word, expected):
    assert expected in near(word, VOCABULARY)


def test_far_words_are_not_offered():
    assert near("xyzzy", VOCABULARY) == []


def test_a_job_warns_before_its_first_stage():
    listener = Listener()
    check_words(request("swan with wet zebra fur"), listener)
    ((message, hint),) = listener.warnings
    assert '"wet"' in message and "water" in hint


def test_a_job_without_a_known_look_is_a_bad_job():
    with pytest.raises(EngineError) as caught:
        check_words(request("hippogriff scream"), Listener())
    assert caught.value.fault is Fault.BAD_JOB and "CLIP" in caught.value.hint


def test_other_encoders_and_jobs_without_texts_are_not_asked():
    listener = Listener()
    check_words(request("hippogriff", encoder="ViT-B-32:openai"), listener)
    check_words(dataclasses.replace(request("hippogriff"), until=Stage.MASKS), listener)
    assert listener.warnings == []
