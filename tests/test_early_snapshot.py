"""A training that was stopped gives the snapshots that it left, without going on."""

import json
import shutil

import pytest

from engine import __main__ as command_line
from engine import pipeline
from engine.contract.events import Cancelled, Finished
from engine.contract.job import Stage

from .test_pipeline import events_of, footage, reused, stylize

__all__ = ["footage"]  # a fixture
LONG = ("--set", "stylization.steps=12")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def stopped(footage, cache, tmp_path_factory):
    """A cache in which a training was stopped after its first snapshots."""
    out = tmp_path_factory.mktemp("stopped")
    progress, learnt = pipeline.Reporter.progress, []

    def stop_there(self, step, total, terms=None):
        progress(self, step, total, terms)
        if self._stage is Stage.STYLIZATION and terms:  # what is done ahead has none
            learnt.append(step)
            if len(learnt) == 7:
                self.request_stop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline.Reporter, "progress", stop_there)
        assert stylize(footage, out, cache, *LONG) == 130
    assert isinstance(events_of(out)[-1], Cancelled)
    return cache


def early(footage, out, cache, snapshot):
    assert stylize(footage, out, cache, *LONG, "--set", f"render.snapshot={snapshot}") == 0
    assert isinstance(events_of(out)[-1], Finished)


def test_a_snapshot_of_a_stopped_training_is_rendered_at_once(footage, stopped, tmp_path):
    early(footage, tmp_path, stopped, 6)
    assert Stage.STYLIZATION in reused(tmp_path)
    assert list(stopped.glob("stylization-*")) == []
    (entry,) = json.loads((tmp_path / "report.json").read_text())["candidates"][0]
    assert entry["snapshots"][:2] == [3, 6] and entry["score"] is None
    assert len(list((tmp_path / "result").glob("*.png"))) == 6


def test_it_can_be_exported(footage, stopped, tmp_path):
    early(footage, tmp_path / "job", stopped, 6)
    out = tmp_path / "parts"
    words = ["layers", "export", str(tmp_path / "job"), "--out", str(out)]
    assert command_line.main([*words, "--cache", str(stopped)]) == 0
    assert (out / "layers" / "foreground_changed.png").is_file()


def test_it_is_what_the_whole_training_saved_by_then(footage, stopped, tmp_path):
    early(footage, tmp_path / "early", stopped, 3)
    whole = tmp_path / "cache"
    shutil.copytree(stopped, whole, ignore=shutil.ignore_patterns(".stylization-*"))
    assert stylize(footage, tmp_path / "whole", whole, *LONG, "--set", "render.snapshot=3") == 0
    assert Stage.STYLIZATION not in reused(tmp_path / "whole")
    for path in (tmp_path / "whole" / "result").glob("*.png"):
        assert path.read_bytes() == (tmp_path / "early" / "result" / path.name).read_bytes()


def test_a_stylization_that_is_cleared_away_while_it_is_rendered_ends_no_job(
    footage, tmp_path, monkeypatch
):
    progress, cache = pipeline.Reporter.progress, tmp_path / "cache"

    def clear_there(self, step, total, terms=None):
        progress(self, step, total, terms)
        if self._stage is Stage.RENDER:
            for folder in cache.glob("stylization-*"):
                shutil.rmtree(folder)

    monkeypatch.setattr(pipeline.Reporter, "progress", clear_there)
    out = tmp_path / "job"
    assert stylize(footage, out, cache) == 0
    assert isinstance(events_of(out)[-1], Finished)
    assert json.loads((out / "report.json").read_text())["candidates"] == [[]]
    assert len(list((out / "result").glob("*.png"))) == 6
