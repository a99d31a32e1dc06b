"""Each scenario ends with exit code 0: everything that it asserts held in a real window."""

from pathlib import Path

import pytest

SCENARIOS = sorted(Path(__file__).with_name("scenarios").glob("[!_]*.py"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_plays_to_its_end(window, scenario):
    ended = window.play(scenario, seconds=300)
    assert ended.code == 0, ended.output[-4000:]
