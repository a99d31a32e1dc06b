"""The cache: what is being built belongs to one job until it is finished."""

import contextlib

import pytest

from engine.contract.events import Stopped
from engine.contract.job import Stage
from engine.workspace import Cache

KEY = "0" * 20


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path)


def building(cache, touching=None, *, stopping=lambda: False):
    return cache.building(Stage.FLOW, KEY, touching=touching or claimed, stopping=stopping)


@contextlib.contextmanager
def claimed(path):
    path.touch()
    yield
    path.unlink(missing_ok=True)


def test_what_was_built_has_its_name_and_holds_nothing_else(cache):
    with building(cache) as folder:
        (folder / "made").touch()
    assert [path.name for path in cache.folder(Stage.FLOW, KEY).iterdir()] == ["made"]
    assert not cache.part(Stage.FLOW, KEY).exists()


def test_the_claim_is_held_until_the_folder_has_its_name(cache):
    there = []

    @contextlib.contextmanager
    def watched(path):
        with claimed(path):
            yield
            there.append(cache.has(Stage.FLOW, KEY))

    with building(cache, watched) as folder:
        (folder / "made").touch()
    assert there == [True]


def test_what_was_stopped_stays_for_the_next_one(cache):
    with pytest.raises(Stopped), building(cache) as folder:
        (folder / "checkpoint").touch()
        raise Stopped
    assert not cache.has(Stage.FLOW, KEY)
    with building(cache) as folder:
        assert (folder / "checkpoint").exists()


def test_a_job_that_waits_for_another_one_can_be_stopped(cache):
    with building(cache), pytest.raises(Stopped), building(cache, stopping=lambda: True):
        pass
