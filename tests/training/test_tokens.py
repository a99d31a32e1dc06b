"""Merges of our own, read by open_clip's own tokenizer."""

import pytest
from open_clip.tokenizer import SimpleTokenizer

from training import tokens
from training.export import word_counts
from training.text import TextSettings

WORDS = {"zebra": 9, "zeal": 8, "gold": 7, "golden": 6, "ox": 2}


def tokenizer(folder) -> SimpleTokenizer:
    return SimpleTokenizer(bpe_path=str(folder / tokens.FILE))


def test_the_most_frequent_neighbours_are_merged_first():
    merges = tokens.learn_merges({"abab": 3, "ab": 1, "cd": 5}, 3)
    assert merges[0] == ("c", "d</w>") and ("a", "b</w>") in merges
    assert len(tokens.learn_merges({"abab": 3}, 100)) == 3  # then it is one token


def test_words_come_back_as_single_tokens(tmp_path):
    size = tokens.write_merges(tokens.learn_merges(WORDS, 100), tmp_path)
    reads = tokenizer(tmp_path)
    assert size == reads.vocab_size
    for word in WORDS:
        (token,) = reads.encode(word)
        assert reads.decode([token]).strip() == word
    assert len(reads.encode("goldox")) > 1


def test_of_few_merges_the_frequent_words_have_most(tmp_path):
    tokens.write_merges(tokens.learn_merges(WORDS, 4), tmp_path)
    reads = tokenizer(tmp_path)
    assert len(reads.encode("zebra")) < len("zebra") and len(reads.encode("ox")) == 2


def test_any_text_can_be_read(tmp_path):
    tokens.write_merges(tokens.learn_merges(WORDS, 10), tmp_path)
    assert tokenizer(tmp_path).decode(tokenizer(tmp_path).encode("größe 7!")).strip() == "größe 7 !"


def test_equal_merges_are_equal_files(tmp_path):
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        tokens.write_merges(tokens.learn_merges(WORDS, 50), tmp_path / name)
        found.append((tmp_path / name / tokens.FILE).read_bytes())
    assert found[0] == found[1]


@pytest.mark.slow
def test_every_word_that_is_said_often_is_one_token(vocabulary, tmp_path):
    counts = word_counts(vocabulary)
    tokens.write_merges(tokens.learn_merges(counts, TextSettings().merges), tmp_path)
    reads = tokenizer(tmp_path)
    often = [word for word, count in counts.items() if count > 1]
    assert len(often) > 500
    assert [word for word in often if len(reads.encode(word)) > 1] == []
