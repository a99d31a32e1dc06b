"""A job in tasks: any order and division of them gives the bits of one machine's job."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from engine import __main__ as command_line
from engine.contract.folder import JobFolder
from engine.contract.job import BACKGROUND
from engine.contract.locks import Lock
from engine.contract.tasks import Task, TaskVerb
from engine.video.images import read_rgb, write_png

from ..synthetic import moving_sprite
from .jobs import FRAMES, HEIGHT, WIDTH, contents, write_job


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    clip = moving_sprite(frames=FRAMES, width=WIDTH, height=HEIGHT)
    return clip.write(tmp_path_factory.mktemp("footage"))


@pytest.fixture(scope="module")
def alone(footage, tmp_path_factory):
    """The job as one machine does it."""
    out = write_job(footage, tmp_path_factory.mktemp("alone") / "job")
    assert command_line.main(["run", str(out), "--cache", str(out / "cache"), "--quiet"]) == 0
    return out


@pytest.fixture(scope="module")
def divided(footage, tmp_path_factory):
    """The same job in tasks, some of them done twice."""
    out = write_job(footage, tmp_path_factory.mktemp("divided") / "job")
    for words in (
        ("check",), ("prepare",), ("decompose", "--object=0"), ("decompose", "--object=0"),
        ("stylize", "--object=-1"), ("stylize", "--object=0"), ("render", "--frames=5:9"),
        ("render", "--frames=0:4"), ("render", "--frames=100:120"), ("assemble",), ("assemble",),
    ):  # fmt: skip
        assert command_line.main(["stage", words[0], str(out), *words[1:], "--quiet"]) == 0
    return out


def test_tasks_give_the_bits_of_one_machine(alone, divided):
    assert contents(divided / "result") == contents(alone / "result")
    reports = [json.loads((out / "report.json").read_text()) for out in (alone, divided)]
    for name in ("metrics", "keys", "texts", "candidates", "result"):
        assert reports[0][name] == reports[1][name], name
    assert set(reports[0]["warnings"]) == set(reports[1]["warnings"])


def test_the_last_task_finds_all_that_the_others_made(divided):
    events = JobFolder(divided).events.read_text().splitlines()
    finished = [json.loads(line) for line in events if '"stage_finished"' in line]
    assert [each["reused"] for each in finished] == [True] * 5 + [False]
    assert json.loads(events[-1])["frames"] == FRAMES


def test_each_task_reports_in_a_folder_of_its_own(divided):
    told = {path.parent.name for path in divided.glob("farm/*/events.jsonl")}
    assert told >= {"check", "prepare", "decompose-0", "stylize-background", "render-5-9"}
    assert Task(TaskVerb.STYLIZE, BACKGROUND).name == "stylize-background"


def test_a_task_alone_makes_what_it_needs(footage, alone, tmp_path):
    out = write_job(footage, tmp_path / "job")
    assert command_line.main(["stage", "assemble", str(out), "--quiet"]) == 0
    assert contents(out / "result") == contents(alone / "result")


def test_a_moved_job_folder_goes_on(footage, alone, tmp_path):
    out = write_job(footage, tmp_path / "here")
    assert command_line.main(["stage", "stylize", str(out), "--quiet"]) == 0
    moved = tmp_path / "there"
    shutil.move(out, moved)
    assert command_line.main(["stage", "assemble", str(moved), "--quiet"]) == 0
    assert contents(moved / "result") == contents(alone / "result")
    events = JobFolder(moved).events.read_text()
    assert events.count('"reused": true') == 5


def test_two_workers_may_do_the_same_task(footage, tmp_path):
    out = write_job(footage, tmp_path / "job")
    command = [sys.executable, "-m", "engine", "stage", "decompose", str(out), "--object=0"]
    workers = [subprocess.Popen([*command, "--quiet"]) for _ in range(2)]
    assert [worker.wait(300) for worker in workers] == [0, 0]
    assert len(list((out / "cache").glob("decomposition-*"))) == 1


def test_a_task_waits_for_as_long_as_another_worker_has_its_folder(footage, tmp_path):
    out = write_job(footage, tmp_path / "job")
    folder = Task(TaskVerb.CHECK).folder(JobFolder(out))
    folder.path.mkdir(parents=True)
    lock = Lock(folder.lock)
    assert lock.take()
    command = [sys.executable, "-m", "engine", "stage", "check", str(out), "--quiet"]
    worker = subprocess.Popen(command)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(5)
    lock.free()
    assert worker.wait(60) == 0


def test_the_decision_of_the_first_task_holds_for_all(footage, tmp_path):
    out = write_job(footage, tmp_path / "job", "--set", "flow.quality=automatic")
    assert command_line.main(["stage", "check", str(out), "--quiet"]) == 0
    kept = out / "farm" / "decided.json"
    decided = json.loads(kept.read_text())
    assert decided["spec"]["settings"]["flow"]["quality"] == "medium"
    decided["spec"]["settings"]["flow"]["quality"] = "fast"  # as if another machine had said so
    kept.write_text(json.dumps(decided))
    assert command_line.main(["stage", "check", str(out), "--quiet"]) == 0
    assert json.loads(kept.read_text()) == decided


def test_another_request_is_decided_anew(footage, tmp_path):
    out = write_job(footage, tmp_path / "job")
    assert command_line.main(["stage", "check", str(out), "--quiet"]) == 0
    write_job(footage, out, "--local-text", "stripes")
    assert command_line.main(["stage", "check", str(out), "--quiet"]) == 0
    decided = json.loads((out / "farm" / "decided.json").read_text())
    assert decided["spec"]["objects"][0]["texts"]["local_text"] == "stripes"


def test_what_a_user_must_change_has_an_exit_code_of_its_own(footage, tmp_path, capsys):
    out = write_job(footage, tmp_path / "job")
    assert command_line.main(["stage", "decompose", str(out), "--object=3"]) == 2
    assert "3 is none of them" in capsys.readouterr().err
    assert command_line.main(["stage", "check", str(tmp_path / "nowhere")]) == 2
    assert not (tmp_path / "nowhere").exists()
    broken = tmp_path / "broken"
    shutil.copytree(footage, broken)
    for path in (broken / "frames").iterdir():
        path.write_bytes(b"no image")
    assert command_line.main(["stage", "check", str(write_job(broken, tmp_path / "two"))]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("frames", ["3", "5:2", "-1:3", "a:b"])
def test_a_range_that_is_none_is_refused(tmp_path, frames):
    with pytest.raises(SystemExit) as ended:
        command_line.main(["stage", "render", str(tmp_path), f"--frames={frames}"])
    assert ended.value.code == 2


def test_frames_with_alpha_and_sixteen_bits_are_the_same_in_blocks(footage, tmp_path):
    clear = tmp_path / "footage"
    shutil.copytree(footage, clear)
    for index, path in enumerate(sorted((clear / "frames").iterdir())):
        colours = read_rgb(path)
        alpha = colours[..., :1] // 2 + 90 + index
        has_alpha = index == 0  # what the first frame has counts for all
        write_png(path, np.concatenate([colours, alpha], axis=2) if has_alpha else colours)
    one = write_job(clear, tmp_path / "one", "--set", "render.format=png16")
    two = write_job(clear, tmp_path / "two", "--set", "render.format=png16")
    cache = str(tmp_path / "cache")
    assert command_line.main(["run", str(one), "--cache", cache, "--quiet"]) == 0
    render = ["stage", "render", str(two), "--cache", cache, "--frames", "8:9", "--quiet"]
    assert command_line.main(render) == 0
    assert command_line.main(["stage", "assemble", str(two), "--cache", cache, "--quiet"]) == 0
    assert contents(two / "result") == contents(one / "result")


def test_candidates_that_train_apart_are_ranked_as_on_one_machine(footage, tmp_path):
    several = ("--set", "stylization.candidates=3", "--set", "stylization.snapshot_every=1")
    alone = write_job(footage, tmp_path / "alone", *several)
    out = write_job(footage, tmp_path / "job", *several)
    assert command_line.main(["run", str(alone), "--cache", str(alone / "cache"), "--quiet"]) == 0
    stylize = ["stage", "stylize", str(out), "--quiet"]
    for words in (["--candidate=2"], ["--object=0", "--candidate=3"], ["--candidate=1"]):
        assert command_line.main([*stylize, *words]) == 0
    assert command_line.main([*stylize, "--object=0"]) == 0
    told = (Task(TaskVerb.STYLIZE, 0).folder(JobFolder(out)).events).read_text()
    assert not any(
        '"progress"' in line and '"stylization"' in line for line in told.splitlines()
    )  # all three were there
    assert command_line.main(["stage", "assemble", str(out), "--quiet"]) == 0
    assert contents(out / "result") == contents(alone / "result")
    reports = [json.loads((each / "report.json").read_text()) for each in (alone, out)]
    assert len(reports[0]["candidates"][0]) == 3
    assert reports[0]["candidates"] == reports[1]["candidates"]
    for key in reports[0]["keys"]["stylization"]:
        folders = [each / "cache" / f"stylization-{key}" for each in (alone, out)]
        assert contents(folders[1]) == contents(folders[0])


@pytest.mark.parametrize(
    ("words", "said"),
    [(("stylize", "--candidate=2"), "2 is none of them"),
     (("stylize", "--candidate=0"), "0 is none of them"),
     (("render", "--candidate=1"), "render has no candidates")],
)  # fmt: skip
def test_a_candidate_that_there_is_not_is_refused(words, said, footage, tmp_path, capsys):
    out = write_job(footage, tmp_path / "job")
    assert command_line.main(["stage", words[0], str(out), *words[1:], "--quiet"]) == 2
    assert said in capsys.readouterr().err


def test_the_only_candidate_is_the_whole(footage, tmp_path):
    out = write_job(footage, tmp_path / "job")
    words = ["stage", "stylize", str(out), "--object=0", "--quiet"]
    assert command_line.main([*words, "--candidate=1"]) == 0
    assert command_line.main(words) == 0
    assert (
        '"reused": false' not in Task(TaskVerb.STYLIZE, 0).folder(JobFolder(out)).events.read_text()
    )
