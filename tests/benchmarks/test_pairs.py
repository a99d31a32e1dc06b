"""The command line of the pairs: lists have commas, and CLIPS may stand anywhere."""

from pathlib import Path

import pytest

from benchmarks import pairs


def test_clips_may_come_last():
    words = ["--out", "o", "--set", "seed=1", "--judge", "a", "--judge", "b"]
    words += ["--materials", "zebra fur, gold", "--clips", "boat,wolf", "clips"]
    options = pairs.arguments(words)
    assert options.footage == Path("clips")
    assert options.clips == ["boat", "wolf"] and options.materials == ["zebra fur", "gold"]
    assert options.judge == ["a", "b"] and options.assignments == ["seed=1"]


def test_without_lists_all_materials_are_taken():
    options = pairs.arguments(["clips", "--out", "o"])
    assert options.clips == [] and options.materials == list(pairs.MATERIALS)


def test_a_clip_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit):
        pairs.arguments(["clips", "--out", "o", "--clips", "boat,swan"])
    assert "swan is none of the clips" in capsys.readouterr().err
