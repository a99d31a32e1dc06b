"""The engine as another program starts, stops and loses it. Uses the rehearsal: no torch."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import commands
from engine.client import process
from engine.client.status import JobReader, Phase, Status, crash_status
from engine.contract.events import Fault
from engine.contract.folder import EXIT_UNHEARD, JobFolder
from engine.contract.job import Footage, FootageKind, Stage, TargetTexts, single

ROOT = Path(__file__).parents[2]
REHEARSAL = process.Launch(Path(sys.executable), ROOT, verb="rehearse")


def start(folder, text):
    JobFolder(folder).write_spec(
        single(Footage(FootageKind.MOVIE, "/movie.mp4"), TargetTexts(text))
    )
    return process.start(REHEARSAL, folder)


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_a_rehearsed_job_says_and_writes_what_a_real_one_does(tmp_path):
    engine = start(tmp_path, "a swan")
    assert engine.wait(20) == 0
    status = JobReader(tmp_path).read_to_end()
    assert status.phase is Phase.FINISHED
    assert set(status.stage_seconds) == {stage.value for stage in Stage}
    assert len(list((tmp_path / "result").glob("*.png"))) == status.frames == 24
    assert (tmp_path / status.previews["frame"]).is_file()
    assert not process.is_alive(tmp_path)


def test_a_stop_request_cancels_the_job(tmp_path):
    engine = start(tmp_path, "slow swan")
    wait_for(lambda: process.is_alive(tmp_path))
    process.request_stop(tmp_path)
    assert engine.wait(20) == 130
    assert JobReader(tmp_path).read_to_end().phase is Phase.CANCELLED
    assert not (tmp_path / "result").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_engine_whose_terminal_goes_away_says_so(tmp_path):
    engine = start(tmp_path, "slow swan")
    wait_for(lambda: JobReader(tmp_path).read_to_end().stage is not None)
    engine.send_signal(signal.SIGHUP)
    assert engine.wait(20) == 130
    assert JobReader(tmp_path).read_to_end().phase is Phase.CANCELLED


def test_a_stopped_job_can_be_run_again(tmp_path):
    engine = start(tmp_path, "slow swan")
    process.request_stop(tmp_path)
    assert engine.wait(20) == 130
    engine = process.start(REHEARSAL, tmp_path)
    assert engine.wait(60) == 0
    assert JobReader(tmp_path).read_to_end().phase is Phase.FINISHED


def test_a_failure_is_a_sentence_and_a_remedy(tmp_path):
    engine = start(tmp_path, "fail")
    assert engine.wait(20) == 1
    status = JobReader(tmp_path).read_to_end()
    assert status.phase is Phase.FAILED
    assert status.message == "The rehearsal failed, as its text asked."
    assert status.hint == "Change the text."


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_engine_shows_no_sign_of_life(tmp_path):
    engine = start(tmp_path, "slow swan")
    wait_for(lambda: JobReader(tmp_path).read_to_end().phase is Phase.RUNNING)
    os.killpg(engine.pid, signal.SIGKILL)
    assert engine.wait(20) == -9
    assert not JobReader(tmp_path).read_to_end().ended
    assert not process.is_alive(tmp_path)  # at once
    engine = process.start(REHEARSAL, tmp_path)
    assert engine.wait(60) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_stopped_engine_keeps_its_folder_from_a_second_one(tmp_path):
    first = start(tmp_path, "slow swan")
    wait_for(lambda: JobReader(tmp_path).read_to_end().phase is Phase.RUNNING)
    os.killpg(first.pid, signal.SIGSTOP)
    said = (tmp_path / "events.jsonl").read_bytes()
    try:
        with pytest.raises(OSError, match="another engine"):
            process.start(REHEARSAL, tmp_path)
        words = [*REHEARSAL.command(["rehearse", str(tmp_path)]), "--quiet"]
        second = subprocess.run(
            words, env=REHEARSAL.environment(), cwd=tmp_path, capture_output=True, text=True
        )
        assert second.returncode == 1 and "Another engine works" in second.stderr
        assert (tmp_path / "events.jsonl").read_bytes() == said
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    assert first.wait(60) == 0
    assert JobReader(tmp_path).read_to_end().phase is Phase.FINISHED


@pytest.mark.parametrize("name", ["engine.log", "events.jsonl", "report.json", "preview", "stop"])
def test_nothing_is_written_through_a_link(tmp_path, name):
    job, outside = tmp_path / "job", tmp_path / "outside"
    outside.mkdir()
    job.mkdir()
    (job / name).symlink_to(outside / "elsewhere")
    with pytest.raises(OSError, match="link"):
        start(job, "a swan")
    words = [*REHEARSAL.command(["rehearse", str(job)]), "--quiet"]
    ended = subprocess.run(
        words, env=REHEARSAL.environment(), cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 1 and "is a link" in ended.stderr
    assert not list(outside.iterdir())


def test_a_log_with_a_second_name_is_not_written(tmp_path):
    outside = tmp_path / "outside.pth"
    outside.write_text("kept")
    (tmp_path / "job").mkdir()
    os.link(outside, tmp_path / "job" / "engine.log")
    with pytest.raises(OSError, match="second name"):
        start(tmp_path / "job", "a swan")
    assert outside.read_text() == "kept"


def test_a_message_cannot_begin_a_line_of_the_log(tmp_path):
    try:
        raise ValueError("no\nimport os\x1b[2J\u2028end")
    except ValueError:
        commands._write_log(JobFolder(tmp_path))
    lines = (tmp_path / "engine.log").read_text().splitlines()
    assert len(lines) > 3 and all(line.startswith("| ") for line in lines)
    assert "\x1b" not in "".join(lines) and "import os" in "".join(lines)


def test_secrets_of_package_tools_do_not_reach_a_job(monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@example.org")
    assert "PIP_INDEX_URL" not in process.environment(ROOT)


def test_a_broken_job_file_is_refused_with_exit_code_2(tmp_path):
    (tmp_path / "job.json").write_text('{"footage": {"kind": "movie"}}')
    engine = process.start(REHEARSAL, tmp_path)
    assert engine.wait(20) == 2
    assert "job.footage.path: is missing" in JobFolder(tmp_path).log.read_text()
    status = JobReader(tmp_path).read_to_end()
    assert status.fault is Fault.BAD_JOB and "job.footage.path" in status.message


def test_the_hosts_python_does_not_leak_into_the_engine(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/blender")
    monkeypatch.setenv("VIRTUAL_ENV", "/other")
    clean = process.environment(ROOT)
    assert "PYTHONHOME" not in clean and "VIRTUAL_ENV" not in clean
    assert clean["PYTHONPATH"] == str(ROOT)


def test_a_paused_job_waits_and_goes_on(tmp_path):
    engine = start(tmp_path, "slow swan")
    reader = JobReader(tmp_path)
    wait_for(lambda: reader.read_to_end().step > 0)
    process.pause(tmp_path)
    wait_for(lambda: reader.read_to_end().paused)
    step = reader.read_to_end().step
    time.sleep(0.6)
    assert reader.read_to_end().step == step and reader.status.label == "Paused"
    assert process.is_alive(tmp_path)
    process.go_on(tmp_path)
    wait_for(lambda: reader.read_to_end().step > step)
    assert not reader.status.paused
    process.pause(tmp_path)
    wait_for(lambda: reader.read_to_end().paused)
    process.request_stop(tmp_path)
    assert engine.wait(20) == 130


def test_an_engine_keeps_what_it_compiled_for_the_next_one(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "bytecode"))
    assert start(tmp_path / "job", "a swan").wait(60) == 0
    assert list((tmp_path / "bytecode").rglob("rehearsal.*.pyc"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_engine_outlives_its_host_and_is_known_to_live(tmp_path):
    host = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.client.test_process import start
start(Path({str(tmp_path)!r}), "slow swan")
"""
    subprocess.run([sys.executable, "-c", host], check=True)
    wait_for(lambda: process.is_alive(tmp_path))
    with pytest.raises(OSError, match="another engine"):
        process.start(REHEARSAL, tmp_path)
    wait_for(lambda: not process.is_alive(tmp_path), 60)
    assert JobReader(tmp_path).read_to_end().phase is Phase.FINISHED


@pytest.mark.skipif(sys.platform == "win32", reason="open folders are not deleted")
def test_an_engine_whose_folder_is_deleted_says_so_by_its_exit_code(tmp_path):
    engine = start(tmp_path / "job", "slow swan")
    wait_for(lambda: JobReader(tmp_path / "job").read_to_end().phase is Phase.RUNNING)

    def deleted() -> bool:  # while it is, the engine may write into it
        shutil.rmtree(tmp_path / "job", ignore_errors=True)
        return not (tmp_path / "job").exists()

    wait_for(deleted)
    assert engine.wait(20) == EXIT_UNHEARD
    status = crash_status(Status(), EXIT_UNHEARD)
    assert (
        status.fault is Fault.DISK_FULL and "disk is full or the folder is gone" in status.message
    )


def test_what_fails_before_the_first_event_is_told_too(tmp_path):
    (tmp_path / "events.old.jsonl").mkdir()  # so that the run before cannot be put aside
    words = [*REHEARSAL.command(["rehearse", str(tmp_path)]), "--quiet"]
    subprocess.run(words, env=REHEARSAL.environment(), cwd=tmp_path, capture_output=True)
    assert JobReader(tmp_path).read_to_end().fault is Fault.FOLDER_UNWRITABLE
