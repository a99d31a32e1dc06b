"""Verbs of ``blender --command strip_stylizer``; with the installed Blender see ``tests/gui``."""

import os
import signal
import sys
import threading
import time

import pytest

WORKING = """
import pathlib, sys, time
job = pathlib.Path(sys.argv[1])
(job / "working").touch()
while not (job / "stop").exists():
    time.sleep(0.02)
time.sleep(1.0)  # what it takes to reach the next step and to write a checkpoint
(job / "checkpoint").touch()
sys.exit(130)
"""


@pytest.fixture
def ctrl_c():
    """Let Ctrl-C be what it is while a verb runs; returns what presses it once a file is there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press(path):
        while not path.exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    yield lambda path: threading.Thread(target=press, args=(path,), daemon=True).start()
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_lets_the_engine_reach_its_checkpoint(part, scene, tmp_path, ctrl_c):
    run_engine = part("operators.command_line.stylizing").run_engine
    ctrl_c(tmp_path / "working")
    line = [sys.executable, "-c", WORKING, str(tmp_path)]
    assert run_engine(line, tmp_path) == 130
    assert (tmp_path / "checkpoint").exists()


def test_a_file_that_is_not_there_is_a_sentence(part, scene, tmp_path, capsys):
    run = part("operators.command_line").run
    assert run(["stylize", str(tmp_path / "none.blend")]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'none.blend'} is not there")


def test_a_verb_without_what_it_needs_is_bad_usage(part, scene, tmp_path, capsys):
    run = part("operators.command_line").run
    assert run(["stylize"]) == run(["dance"]) == run(["stylize", str(tmp_path)]) == 2
    assert "needs --global-text and --out" in capsys.readouterr().err
