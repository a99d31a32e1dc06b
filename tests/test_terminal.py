"""What is printed where nobody sees a terminal: enough for a farm, not every step."""

import pytest

from engine import terminal
from engine.contract.events import Progress, StageStarted
from engine.contract.job import Stage


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = [1000.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    return now


def test_a_log_has_a_line_for_each_tenth_and_for_each_minute(clock, capsys):
    bar = terminal.Bar(quiet=False)
    bar.show(StageStarted(Stage.STYLIZATION))
    for step in range(1, 200):
        clock[0] += 1
        bar.show(Progress(Stage.STYLIZATION, step, 1000))
    lines = capsys.readouterr().out.splitlines()
    steps = [int(line.split("] ")[1].split("/")[0]) for line in lines]
    assert steps == [1, 62, 100, 161]


def test_a_quiet_bar_prints_no_progress(clock, capsys):
    bar = terminal.Bar(quiet=True)
    bar.show(Progress(Stage.STYLIZATION, 500, 1000))
    assert capsys.readouterr().out == ""
