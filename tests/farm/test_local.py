"""A job by several processes of this computer."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from engine import __main__ as command_line
from engine.contract.folder import JobFolder
from engine.contract.settings import replace_setting
from engine.contract.tasks import divide, restyled_numbers
from engine.farm.local import Crew

from ..synthetic import moving_sprite
from .compiling import compile_job
from .jobs import FRAMES, HEIGHT, ROOT, WIDTH, contents, write_job


@pytest.fixture
def job(tmp_path):
    clip = moving_sprite(frames=FRAMES, width=WIDTH, height=HEIGHT).write(tmp_path / "footage")
    return write_job(clip, tmp_path / "job")


@pytest.mark.parametrize(("objects", "candidates", "frames"), [(0, 1, 0), (1, 2, 100), (2, 1, 8)])
def test_the_tasks_are_those_of_the_job_type(objects, candidates, frames, job):
    spec = JobFolder(job).read_spec()
    settings = replace_setting(spec.settings, "stylization.candidates", candidates)
    spec = replace(spec, settings=settings, objects=spec.objects * objects)
    tasks = divide(spec, frames, 48)
    compiled = compile_job(
        job_folder="/j", objects=objects, restyled=",".join(map(str, restyled_numbers(spec))),
        frames=frames, candidates=candidates,
    )  # fmt: skip
    assert {task.name: [each.name for each in needed] for task, needed in tasks.items()} == {
        each["name"]: each["dependencies"] for each in compiled
    }
    for task, other in zip(tasks, compiled, strict=True):
        words = other["commands"][0]["parameters"]["args"][1:]
        options = command_line.parser().parse_args(["stage", *words])
        mine = command_line.parser().parse_args(["stage", *task.words(options.job)])
        assert vars(mine) == vars(options)


def test_two_workers_give_the_bits_of_one_process(job, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert command_line.main(["farm", str(job), "--workers", "2"]) == 0
    assert "stylize-background is done." in capfd.readouterr().out
    alone = write_job(tmp_path / "footage", tmp_path / "alone")
    run = ["run", str(alone), "--cache", str(tmp_path / "cache"), "--quiet"]
    assert command_line.main(run) == 0
    assert contents(job / "result") == contents(alone / "result")


def test_a_failed_task_ends_the_others_with_its_exit_code(job, capfd):
    for mask in (job.parent / "footage" / "masks").iterdir():
        mask.write_bytes(b"no image")
    assert command_line.main(["farm", str(job), "--workers", "2"]) == 2
    said = capfd.readouterr().err
    assert "prepare failed (exit code 2)" in said and "mask" in said


def test_what_is_stopped_leaves_no_process(job):
    words = [sys.executable, "-m", "engine", "farm", str(job), "--workers", "2"]
    farm = subprocess.Popen(words, cwd=ROOT)
    events = job / "farm" / "prepare" / "events.jsonl"
    while not events.exists():
        assert farm.poll() is None
        time.sleep(0.05)
    farm.send_signal(signal.SIGINT)
    assert farm.wait(300) == 130
    lines = events.read_text().splitlines()
    assert '"cancelled"' in lines[-1] or '"finished"' in lines[-1]


def test_each_worker_has_a_graphics_card_or_its_part_of_the_cores(job, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    cards = [Crew(JobFolder(job), job, 3, 2).environment(each) for each in range(3)]
    assert [each["CUDA_VISIBLE_DEVICES"] for each in cards] == ["4", "6", "4"]
    monkeypatch.setattr("engine.cores.count", lambda: 8)
    plain = Crew(JobFolder(job), job, 3, 0).environment(1)
    assert plain["OMP_NUM_THREADS"] == "2"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == plain["CUDA_VISIBLE_DEVICES"]
