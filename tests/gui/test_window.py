"""Each scenario ends with exit code 0: everything that it asserts held in a real window."""

from pathlib import Path

import pytest

from tools.gui import run

NEWEST = next(iter(run.SUITES))
EVERYWHERE = {"stylize", "cancel", "drawing"}  # the others are played in the newest Blender only
SCENARIOS = sorted(Path(__file__).with_name("scenarios").glob("[!_]*.py"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_plays_to_its_end(window, scenario):
    if window.version != NEWEST and scenario.stem not in EVERYWHERE:
        pytest.skip(f"played in Blender {NEWEST}")
    ended = window.play(scenario, seconds=300)
    assert ended.code == 0, ended.output[-4000:]
