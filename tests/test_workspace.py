"""The cache: one job builds a stage at a time, and what was damaged is made again."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from engine.contract import files, seals
from engine.contract.events import EngineError, Fault, Stopped
from engine.contract.folder import JobFolder
from engine.contract.job import Stage
from engine.contract.locks import Lock, is_held
from engine.reporter import Reporter
from engine.stages import CachedArtifact, Stages
from engine.workspace import Cache

KEY = "0" * 20
ROOT = Path(__file__).parents[1]


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path)


def building(cache, *, waiting=lambda: None, stopping=lambda: False, damaged=lambda text: None):
    return cache.building(Stage.FLOW, KEY, waiting=waiting, stopping=stopping, damaged=damaged)


def make(cache, **said):
    """Make the stage unless it is there; returns whether it was made."""
    with building(cache, **said) as folder:
        if folder is not None:
            (folder / "numbers").write_bytes(bytes(range(200)))
            (folder / "below").mkdir(exist_ok=True)
            (folder / "below" / "text").write_text("text")
    return folder is not None


def test_what_was_built_has_its_name_and_is_sealed(cache):
    assert make(cache)
    there = sorted(path.name for path in cache.folder(Stage.FLOW, KEY).iterdir())
    assert there == ["below", "numbers", seals.SEAL]
    assert sorted(path.name for path in cache.path.iterdir()) == [f"flow-{KEY}"]
    assert not make(cache) and not make(Cache(cache.path))


def test_the_lock_is_held_until_the_folder_has_its_name(cache, monkeypatch):
    lock, held = cache.part(Stage.FLOW, KEY).with_suffix(".lock"), []
    finalize = files.finalize_folder

    def watched(part, final):
        finalize(part, final)
        held.append(is_held(lock))

    monkeypatch.setattr(files, "finalize_folder", watched)
    make(cache)
    assert held == [True] and not lock.exists()


def test_what_was_stopped_stays_for_the_next_one(cache):
    with pytest.raises(Stopped), building(cache) as folder:
        (folder / "checkpoint.pt").touch()
        (folder / "half.npy").touch()
        (folder / ".tmpAb3x").touch()  # what a killed library leaves
        raise Stopped
    assert not cache.has(Stage.FLOW, KEY)
    with building(cache) as folder:
        assert [path.name for path in folder.iterdir()] == ["checkpoint.pt"]


def test_a_job_that_waits_for_another_one_says_so_and_can_be_stopped(cache):
    said = []
    second = building(cache, waiting=lambda: said.append(1), stopping=lambda: True)
    with building(cache), pytest.raises(Stopped), second:
        pytest.fail("two would build at once")
    assert said == [1]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_builder_that_is_killed_is_followed_at_once_one_that_sleeps_is_waited_for(cache):
    program = f"""
        import sys, time
        sys.path.insert(0, {str(ROOT)!r})
        from tests.test_workspace import building, Cache, Path
        with building(Cache(Path({str(cache.path)!r}))) as folder:
            (folder / "checkpoint.pt").touch()
            print("builds", flush=True)
            time.sleep(60)
    """
    words = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"builds\n"
        os.kill(other.pid, signal.SIGSTOP)
        os.utime(cache.part(Stage.FLOW, KEY), (0, 0))  # whatever the clock says
        with pytest.raises(Stopped), building(cache, stopping=lambda: True):
            pytest.fail("two would build at once")
        other.kill()
    with building(cache, waiting=lambda: pytest.fail("it is dead")) as folder:
        assert (folder / "checkpoint.pt").exists()


def damaged_ways():
    chance = random.Random(7)
    for name in ("numbers", "below/text", seals.SEAL):
        yield name, "emptied", lambda path: path.write_bytes(b"")
        yield name, "halved", lambda path: path.write_bytes(path.read_bytes()[:2])
        yield name, "zeroed", lambda path: path.write_bytes(bytes(path.stat().st_size))
        yield name, "removed", lambda path: path.unlink()
        yield name, "linked", lambda path: (path.unlink(), path.symlink_to("/etc/hostname"))
        yield name, "a pipe", lambda path: (path.unlink(), os.mkfifo(path))
        for _ in range(10):
            yield name, "one bit", lambda path: flip(path, chance)


def flip(path, chance):
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_what_is_damaged_is_made_again_and_said(tmp_path):
    for number, (name, how, harm) in enumerate(damaged_ways()):
        cache = Cache(tmp_path / str(number))
        make(cache)
        before = (cache.folder(Stage.FLOW, KEY) / "numbers").read_bytes()
        harm(cache.folder(Stage.FLOW, KEY) / name)
        again, said = Cache(cache.path), []
        assert not again.has(Stage.FLOW, KEY), (name, how)
        assert make(again, damaged=said.append), (name, how)
        assert len(said) == 1 and "made again" in said[0]
        assert (again.folder(Stage.FLOW, KEY) / "numbers").read_bytes() == before
        assert not make(Cache(cache.path), damaged=said.append)


def test_a_damaged_snapshot_of_an_unfinished_training_is_not_gone_on_with(cache):
    with pytest.raises(Stopped), building(cache) as folder:
        (folder / "checkpoint.pt").touch()
        saved = folder / "candidates" / "1"
        saved.mkdir(parents=True)
        (saved / "atlas").write_bytes(b"whole")
        seals.seal(saved)
        raise Stopped
    (saved / "atlas").write_bytes(b"hole")
    with building(cache) as folder:
        assert not list(folder.iterdir())


def test_a_lock_that_its_holder_has_removed_is_taken_anew(tmp_path):
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.take() and not second.take() and is_held(tmp_path / "lock")
    first.free()
    assert not is_held(tmp_path / "lock") and second.take()
    second.free()
    assert not (tmp_path / "lock").exists()


def test_folders_are_private(cache):
    make(cache)
    assert cache.folder(Stage.FLOW, KEY).stat().st_mode & 0o077 == 0


def test_a_job_says_that_it_waits_and_what_it_heals(tmp_path):
    cache, folder = Cache(tmp_path / "cache"), JobFolder(tmp_path / "job")
    artifact = CachedArtifact(
        KEY, lambda part: (part / "n").write_bytes(b"7"), lambda there: there / "n"
    )
    with Reporter(folder) as report:
        files.private_folder(cache.path)
        lock = Lock(cache.part(Stage.FLOW, KEY).with_suffix(".lock"))
        assert lock.take()
        threading.Timer(0.3, lock.free).start()
        path = Stages(cache, report).one(Stage.FLOW, artifact)
        path.write_bytes(b"8")
        assert Stages(Cache(cache.path), report).one(Stage.FLOW, artifact).read_bytes() == b"7"
    said = [json.loads(line)["event"] for line in folder.events.read_text().splitlines()]
    assert said == ["stage_started", "waiting", "stage_finished",
                    "stage_started", "warning", "stage_finished"]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed there")
def test_a_lock_whose_file_cannot_be_removed_is_free_nevertheless(tmp_path, monkeypatch):
    def failing(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    lock = Lock(tmp_path / "lock")
    assert lock.take()
    with monkeypatch.context() as patch, pytest.raises(OSError, match="Input/output"):
        patch.setattr(Path, "unlink", failing)
        lock.free()
    assert Lock(tmp_path / "lock").take()


def test_a_disk_that_fails_to_the_end_is_named_when_a_job_begins(tmp_path, monkeypatch):
    def failing(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "unlink", failing)
    with pytest.raises(EngineError) as caught, Reporter(JobFolder(tmp_path / "job")):
        pass
    assert caught.value.fault is Fault.DISK_FAILED
