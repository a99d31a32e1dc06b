from dataclasses import replace

import pytest
import torch

from engine.checkpoint import Checkpoint
from engine.contract import seals
from engine.contract.events import EngineError, Stopped
from engine.stylization.atlas_files import load_atlas
from engine.stylization.candidates import (
    RankingEntry,
    choose,
    folder_of,
    read_ranking,
    saved_steps,
    snapshot_of,
    write_ranking,
)

from .test_train import run, same


@pytest.fixture
def stage(tmp_path):
    write_ranking([RankingEntry(1, 5, 0.3, 100), RankingEntry(2, 6, 0.5, 100)], tmp_path)
    for step in (50, 100):
        snapshot = snapshot_of(tmp_path, 2, step)
        snapshot.mkdir(parents=True)
        seals.seal(snapshot)
    return tmp_path


def test_the_best_candidate_is_first_and_is_the_one_to_show(stage):
    assert [each.candidate for each in read_ranking(stage)] == [2, 1]
    assert choose(stage, candidate=0, snapshot=0) == folder_of(stage, 2)
    assert choose(stage, candidate=1, snapshot=0) == folder_of(stage, 1)


def test_the_snapshot_next_to_the_wanted_step_is_shown(stage):
    names = [choose(stage, candidate=2, snapshot=step).name for step in (1, 60, 80, 999)]
    assert names == ["000050", "000050", "000100", "000100"]


def test_a_candidate_that_was_not_made_is_told(stage):
    with pytest.raises(EngineError, match="Candidate 3 is wanted, but the stylization made 2"):
        choose(stage, candidate=3, snapshot=0)


def test_all_candidates_are_kept_and_the_best_is_returned(layers, settings, tmp_path, listener):
    settings = replace(settings, candidates=3)
    atlas = run(layers, settings, Checkpoint(tmp_path / "c.pt", seconds=1e9), listener)
    ranking = read_ranking(tmp_path)
    kept = [load_atlas(folder_of(tmp_path, number)) for number in (1, 2, 3)]
    assert same(atlas, kept[ranking[0].candidate - 1])
    assert not same(kept[0], kept[1]) and not same(kept[0], kept[2])
    assert sorted(each.seed for each in ranking) == [0, 1, 2]
    assert [each.score for each in ranking] == sorted((e.score for e in ranking), reverse=True)
    assert listener.steps[-1] == 18 and saved_steps(tmp_path, 3) == [3, 6]


def test_the_first_of_several_candidates_is_the_only_one_of_a_job_with_one(
    layers, settings, tmp_path, make_listener
):
    for name, count in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        checkpoint = Checkpoint(tmp_path / name / "c.pt", seconds=1e9)
        run(layers, replace(settings, candidates=count), checkpoint, make_listener())
    first = [load_atlas(folder_of(tmp_path / name, 1)) for name in ("one", "two")]
    assert same(*first)


def test_candidates_go_on_after_a_stop_as_if_there_had_been_none(
    layers, settings, tmp_path, make_listener
):
    settings = replace(settings, candidates=2)
    for name in ("whole", "parted"):
        (tmp_path / name).mkdir()
    whole, parted = (Checkpoint(tmp_path / n / "c.pt", seconds=1e9) for n in ("whole", "parted"))
    run(layers, settings, whole, make_listener())
    with pytest.raises(Stopped):
        run(layers, settings, parted, make_listener(stop_after=8))
    torch.manual_seed(99)
    run(layers, settings, parted, make_listener())
    assert read_ranking(tmp_path / "whole") == read_ranking(tmp_path / "parted")
    both = [load_atlas(folder_of(tmp_path / name, 2)) for name in ("whole", "parted")]
    assert same(*both)
