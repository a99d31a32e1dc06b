"""Flamenco's job type: its settings, the tasks it makes, and these run by two workers."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from py_mini_racer import JSEvalException

from engine import __main__ as command_line
from engine.contract.tasks import BLOCK, Task, TaskVerb

from ..synthetic import moving_sprite
from .compiling import SCRIPT, compile_job, job_type
from .jobs import FRAMES, HEIGHT, WIDTH, contents, write_job

ROOT = SCRIPT.parents[2]
TYPES = {"string": str, "int32": int, "float": float, "bool": bool}


def names(tasks):
    return [task["name"] for task in tasks]


def test_settings_are_of_the_types_that_a_manager_knows():
    known = job_type()
    assert known["label"] == "Strip Stylizer"
    for setting in known["settings"]:
        assert setting["type"] in TYPES
        assert setting["description"]
        assert isinstance(setting.get("default", TYPES[setting["type"]]()), TYPES[setting["type"]])


def test_a_job_becomes_tasks_with_their_dependencies():
    tasks = compile_job(
        job_folder="/shared/job", objects=2, restyled="1, -1", frames=100, chunk_size=45
    )
    assert names(tasks) == [
        "check", "prepare", "decompose-0", "decompose-1", "stylize-1", "stylize-background",
        "render-0-47", "render-48-95", "render-96-99", "assemble",
    ]  # fmt: skip
    needed = {task["name"]: task["dependencies"] for task in tasks}
    assert needed["check"] == []
    assert needed["prepare"] == ["check"]
    assert needed["decompose-1"] == ["prepare"]
    assert needed["stylize-1"] == ["decompose-1"]
    assert needed["stylize-background"] == ["decompose-0", "decompose-1"]
    assert needed["render-48-95"] == [
        "decompose-0", "decompose-1", "stylize-1", "stylize-background",
    ]  # fmt: skip
    assert needed["assemble"] == ["render-0-47", "render-48-95", "render-96-99"]


def test_each_candidate_is_a_task_of_its_own():
    tasks = compile_job(job_folder="/j", objects=1, restyled="0,-1", frames=8, candidates=2)
    looks = [each.name for each in
             (Task(TaskVerb.STYLIZE, number, None, candidate)
              for number in (0, -1) for candidate in (1, 2))]  # fmt: skip
    assert names(tasks) == ["check", "prepare", "decompose-0", *looks, "render-0-7", "assemble"]
    needed = {task["name"]: task["dependencies"] for task in tasks}
    assert needed[looks[1]] == ["decompose-0"]
    assert needed["render-0-7"] == ["decompose-0", *looks]
    words = next(each for each in tasks if each["name"] == looks[1])["commands"][0]["parameters"]
    options = command_line.parser().parse_args(["stage", *words["args"][1:]])
    assert (options.target, options.candidate) == (0, 2)


def test_tasks_are_called_as_their_folders():
    tasks = compile_job(job_folder="/j", objects=1, restyled="0,-1", frames=9, chunk_size=8)
    expected = [
        Task(TaskVerb.CHECK), Task(TaskVerb.PREPARE), Task(TaskVerb.DECOMPOSE, 0),
        Task(TaskVerb.STYLIZE, 0), Task(TaskVerb.STYLIZE, -1), Task(TaskVerb.RENDER, None, (0, 7)),
        Task(TaskVerb.RENDER, None, (8, 8)), Task(TaskVerb.ASSEMBLE),
    ]  # fmt: skip
    assert names(tasks) == [each.name for each in expected]
    assert f"const BLOCK = {BLOCK};" in SCRIPT.read_text(encoding="utf-8")


def test_a_command_is_a_program_and_a_list_of_words():
    for task in compile_job(job_folder="/a b/job", objects=1, restyled="0", frames=8, cache="/c"):
        (command,) = task["commands"]
        assert task["type"] == "misc" and command["name"] == "exec"
        assert command["parameters"]["exe"] == "{stripStylizerPython}"
        words = command["parameters"]["args"]
        assert words[0] == "{stripStylizer}/engine/farm/task.py"
        assert words[2] == "/a b/job" and words[-2:] == ["--cache", "/c"]
        options = command_line.parser().parse_args(["stage", *words[1:]])
        assert Task(TaskVerb(options.task), options.target, options.frames).name == task["name"]


def test_a_job_without_objects_or_a_known_length_has_tasks_too():
    tasks = compile_job(job_folder="/j", objects=0, restyled="-1", frames=0)
    expected = ["check", "prepare", "decompose", "stylize-background", "render", "assemble"]
    assert names(tasks) == expected


def test_a_job_that_is_not_divided_is_one_task_after_the_check():
    tasks = compile_job(job_folder="/j", objects=1, restyled="0", frames=50, divide=False)
    assert [(each["name"], each["dependencies"]) for each in tasks] == [
        ("check", []), ("assemble", ["check"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"job_folder": ""}, "job_folder is empty"), ({"restyled": "4"}, "names 4"),
     ({"restyled": "x"}, "names x")],
)  # fmt: skip
def test_settings_that_mean_nothing_are_refused_with_a_sentence(wrong, words):
    with pytest.raises(JSEvalException, match=words):
        compile_job(**{"job_folder": "/j", "objects": 1, "frames": 8, **wrong})


class Farm:
    """Two workers on one list of tasks; a task whose process was killed is given out again."""

    def __init__(self, tasks):
        self.waiting = {task["name"]: task for task in tasks}
        self.done, self.running = [], {}
        self.killed = ""

    def run(self, kill):
        """Run all tasks, and kill the first process of the task ``kill`` in its work."""
        while self.waiting or self.running:
            self._begin()
            time.sleep(0.05)
            for name, process in list(self.running.items()):
                if name == kill and not self.killed and self._works(name):
                    os.killpg(process.pid, signal.SIGKILL)
                    self.killed = name
                if process.poll() is None:
                    continue
                del self.running[name]
                if process.returncode == -signal.SIGKILL:
                    continue
                assert process.returncode == 0, name
                self.done.append(self.waiting.pop(name)["name"])

    def _begin(self):
        for name, task in self.waiting.items():
            ready = set(task["dependencies"]) <= set(self.done) and name not in self.running
            if ready and len(self.running) < 2:
                parameters = task["commands"][0]["parameters"]
                words = [parameters["exe"], *parameters["args"]]
                places = {"{stripStylizerPython}": sys.executable, "{stripStylizer}": str(ROOT)}
                for variable, place in places.items():
                    words = [word.replace(variable, place) for word in words]
                self.job = Path(parameters["args"][2])
                self.running[name] = subprocess.Popen(
                    words, cwd="/", start_new_session=True,
                    env={"PATH": "", "OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL,
                )  # fmt: skip

    def _works(self, name):
        events = self.job / "farm" / name / "events.jsonl"
        return events.is_file() and '"event": "progress", ' in events.read_text()


def test_two_workers_give_the_bits_of_one_machine_though_one_is_killed(tmp_path):
    clip = moving_sprite(frames=FRAMES, width=WIDTH, height=HEIGHT).write(tmp_path / "footage")
    alone, job = write_job(clip, tmp_path / "alone"), write_job(clip, tmp_path / "job")
    run = ["run", str(alone), "--cache", str(tmp_path / "cache"), "--quiet"]
    assert command_line.main(run) == 0
    farm = Farm(compile_job(
        job_folder=str(job), objects=1, restyled="0,-1", frames=FRAMES, chunk_size=8
    ))  # fmt: skip
    farm.run(kill="decompose-0")
    assert farm.killed == "decompose-0"
    assert contents(job / "result") == contents(alone / "result")
