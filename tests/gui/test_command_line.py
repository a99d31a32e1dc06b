"""``blender --command strip_stylizer`` and the uv of the zip, in Blender 5.2 and 4.3 themselves.

Jobs rehearse and the network is cut off; `test_installation` has the real engine.
"""

import json
import re
from pathlib import Path

import pytest

from tools.gui import run

HERE = Path(__file__).parent
NO_ENGINE = {"STRIP_STYLIZER_PYTHON": "", "STRIP_STYLIZER_REHEARSE": ""}


def command(window, *words, **variables):
    """Run one verb without a screen and without a network."""
    line = ["blender", "--command", "strip_stylizer", *map(str, words)]
    return window.run(line, seconds=120, size="none", variables=variables, network=False)


def script(window, name, *arguments):
    """Run a script in the background; returns what it printed."""
    line = ["blender", "-b", "--python-exit-code", "1", "--python", str(HERE / name), "--"]
    ended = window.run([*line, *map(str, arguments)], seconds=120, size="none", network=False)
    assert ended.code == 0, ended.output
    return ended.output


def test_the_zip_brings_a_uv_that_runs_where_no_network_is(window):
    said = script(window, "carried.py", window.home / "workspace")
    facts = json.loads(re.search(r"^carried (.*)$", said, re.MULTILINE)[1])
    locked = re.search(r"^uv==(\S+)", (run.ROOT / "tools" / "uv.txt").read_text(), re.MULTILINE)[1]
    assert facts["version"] == locked and facts["said"].startswith(f"uv {locked}")
    assert "/extensions/.local/" in facts["found"]
    assert facts["program"].startswith(str(window.home / "workspace"))


def test_info_is_json_for_programs(window):
    ended = command(window, "info", "--json", **NO_ENGINE)
    line = next(line for line in ended.output.splitlines() if line.startswith("{"))
    facts = json.loads(line)
    assert ended.code == 0 and facts["engine"] == "not installed"
    assert facts["blender"].startswith(window.version)


def test_a_strip_of_a_file_gets_its_result(window):
    blend, saved = window.home / "edit.blend", window.home / "stylized.blend"
    script(window, "edit.py", "make", blend)
    words = ["--strip", "disc", "--global-text", "a golden disc", "--save", saved]
    ended = command(window, "stylize", blend, *words)
    assert ended.code == 0 and str(saved) in ended.output, ended.output
    assert "result 5 frames" in script(window, "edit.py", "look", saved)
    assert "result 5 frames" not in script(window, "edit.py", "look", blend)


FAILURES = {
    "no file": (["stylize", "/nowhere.blend"], 1, "/nowhere.blend is not there"),
    "no engine": (["stylize", "/etc", "--global-text", "a", "--out", "/tmp/a"], 1, "not installed"),
    "no network": (["install"], 1, "offline"),
    "nothing to verify": (["verify"], 1, "Install the engine"),
    "no verb": ([], 2, "usage: blender --command strip_stylizer"),
    "a wrong verb": (["sylize"], 2, "invalid choice"),
    "a wrong build": (["install", "--build", "fast"], 2, "invalid choice"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_fails_says_why_and_has_an_exit_code(window, name):
    words, code, sentence = FAILURES[name]
    ended = command(window, *words, **NO_ENGINE)
    assert ended.code == code, ended.output
    assert sentence in ended.output


def test_a_media_file_needs_a_text_and_a_folder(window):
    ended = command(window, "stylize", "/etc")
    assert ended.code == 2 and "--global-text and --out" in ended.output


def test_a_job_that_fails_is_a_failure(window):
    blend = window.home / "edit.blend"
    script(window, "edit.py", "make", blend)
    ended = command(window, "stylize", blend, "--global-text", "fail in gold")
    assert ended.code == 1 and "The rehearsal failed" in ended.output, ended.output


def test_an_interrupted_job_is_stopped(window):
    blend = window.home / "edit.blend"
    script(window, "edit.py", "make", blend)
    line = ["timeout", "--preserve-status", "--signal", "INT", "8", "blender", "--command"]
    line += ["strip_stylizer", "stylize", str(blend), "--global-text", "slow slow swan of bronze"]
    ended = window.run(line, seconds=120, size="none", network=False)
    assert ended.code == 130, ended.output
