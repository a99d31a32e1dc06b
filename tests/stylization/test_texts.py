import pytest
import torch

from engine.contract.events import EngineError, Fault
from engine.contract.job import TargetTexts
from engine.stylization.texts import (
    PREFIXES,
    check_texts,
    embed_text,
    with_prefixes,
)


def test_there_are_eight_prefixes_and_the_first_four_are_the_small_setting():
    assert len(PREFIXES) == 8
    assert with_prefixes("swan", 4) == [
        "a photo of a swan",
        "a swan",
        "an image of a swan",
        "the swan",
    ]


@pytest.mark.parametrize("text", ["A swan", "the swan", " an  swan ", "swan"])
def test_a_leading_article_is_stripped(text):
    assert with_prefixes(text, 1) == ["a photo of a swan"]


def test_words_that_only_begin_like_an_article_stay():
    assert with_prefixes("antelope fur", 2)[1] == "a antelope fur"


def test_no_prefixes_leave_the_bare_text():
    assert with_prefixes("A swan ", 0) == ["A swan"]


def test_an_article_stays_where_the_literal_reading_is_wanted():
    assert with_prefixes("A swan", 1, strip_articles=False) == ["a photo of a A swan"]


def test_the_direction_of_two_parts_weighs_their_cosines(encoder):
    gold, ice = (embed_text(text, encoder, prefixes=0)[0] for text in ("gold", "ice"))
    both = embed_text("gold: 3 | ice", encoder, prefixes=0)[0]
    other = torch.randn(24, generator=torch.Generator().manual_seed(0))
    cosines = [float(other @ each) for each in (both, gold, ice)]
    length = float((3 * gold + ice).norm())
    assert cosines[0] == pytest.approx((3 * cosines[1] + cosines[2]) / length, abs=1e-5)


def test_an_empty_text_is_a_bad_job(encoder, listener):
    with pytest.raises(EngineError) as caught:
        check_texts(TargetTexts("  "), encoder, listener)
    assert caught.value.fault is Fault.BAD_JOB


def test_a_text_over_the_context_length_warns_with_the_count(encoder, listener):
    check_texts(TargetTexts("gold " * 30), encoder, listener)
    assert "the encoder reads 20" in listener.warnings[0] and "36 tokens" in listener.warnings[0]


def test_a_short_text_warns_of_nothing(encoder, listener):
    check_texts(TargetTexts("a golden swan"), encoder, listener)
    assert listener.warnings == []
