"""The cache: what is being built belongs to one job until it is finished."""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine import workspace
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


def abandoned(cache):
    """Leave the claim of a job that died long ago."""
    part = cache.part(Stage.FLOW, KEY)
    part.mkdir()
    (part / "checkpoint").touch()
    stale = part / "claim-1"
    stale.touch()
    os.utime(stale, (0, 0))


def test_a_stale_claim_is_taken_over_with_what_was_made(cache):
    abandoned(cache)
    with building(cache) as folder:
        assert (folder / "checkpoint").exists()
    assert [path.name for path in cache.folder(Stage.FLOW, KEY).iterdir()] == ["checkpoint"]


def test_of_two_that_find_a_stale_claim_at_once_one_builds(cache, monkeypatch):
    abandoned(cache)
    both, inside = threading.Barrier(2, timeout=20), threading.Barrier(2, timeout=1)
    age, built = workspace._age, []

    def seen_together(path):
        found = age(path)
        if found >= workspace.CLAIM_SECONDS:
            both.wait()
        return found

    monkeypatch.setattr(workspace, "_age", seen_together)

    def build():
        with building(cache) as folder:
            if folder is not None:
                built.append(folder)
                (folder / "made").touch()
                with contextlib.suppress(threading.BrokenBarrierError):
                    inside.wait()  # the other one comes in, too, if anything lets it

    with ThreadPoolExecutor(2) as jobs:
        for job in [jobs.submit(build) for _ in range(2)]:
            job.result()
    assert len(built) == 1
    assert (cache.folder(Stage.FLOW, KEY) / "made").exists()


def test_who_claims_too_late_gives_way_to_who_claimed_since(cache, monkeypatch):
    abandoned(cache)
    created = workspace._created

    def after_the_next(path):
        """Someone else takes over twice while this one hesitates, and lives."""
        (path.parent / "claim-3").touch()
        return created(path)

    monkeypatch.setattr(workspace, "_created", after_the_next)
    with pytest.raises(Stopped), building(cache, stopping=lambda: True):
        pytest.fail("two would build at once")
    assert not (cache.part(Stage.FLOW, KEY) / "claim-2").exists()
