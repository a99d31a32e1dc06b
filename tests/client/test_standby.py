"""An engine that waits: it runs the job that it is given, and goes when nobody gives it one."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from engine.client import process, standby
from engine.client.status import JobReader, Phase
from engine.contract.folder import JobFolder
from engine.contract.job import Footage, FootageKind, Stage, TargetTexts, single

ROOT = Path(__file__).parents[2]


@pytest.fixture
def launch(tmp_path):
    return process.Launch(Path(sys.executable), ROOT, cache=tmp_path / "cache")


@pytest.fixture
def waiting(launch):
    found = standby.prepare(launch)
    yield found
    found.end()


def missing_movie(folder):
    """A job that ends soon, and in words: its movie is not there."""
    spec = single(Footage(FootageKind.MOVIE, "/no/such/movie.mp4"), TargetTexts("a swan"))
    JobFolder(folder).write_spec(replace(spec, until=Stage.FRAMES))


def test_it_runs_the_job_that_it_is_given(waiting, launch, tmp_path):
    missing_movie(tmp_path / "job")
    (tmp_path / "job" / "stop").touch()  # of an earlier run
    assert waiting.fits(launch)
    engine = waiting.give(tmp_path / "job")
    assert engine is not None and engine.wait(120) == 1
    status = JobReader(tmp_path / "job").read_to_end()
    assert status.phase is Phase.FAILED and "/no/such/movie.mp4" in status.message
    assert "Traceback" in JobFolder(tmp_path / "job").log.read_text()


def test_it_ends_when_the_host_is_gone(waiting):
    waiting.process.stdin.close()
    assert waiting.process.wait(120) == 0


def test_a_job_that_starts_otherwise_does_not_fit(waiting, launch, monkeypatch):
    assert not waiting.fits(replace(launch, memory_gb=8.0))
    assert not waiting.fits(replace(launch, online=False))
    monkeypatch.setattr(time, "monotonic", lambda: waiting.began + standby.VALID_FOR + 1)
    assert not waiting.fits(launch)


def test_one_that_has_died_is_not_counted_on(waiting, launch, tmp_path):
    missing_movie(tmp_path / "job")
    waiting.process.kill()
    waiting.process.wait()
    assert not waiting.fits(launch)
    assert waiting.give(tmp_path / "job") is None
