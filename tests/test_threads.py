"""How many threads compute: all, one beside other programs, and always as many as are asked for."""

from itertools import pairwise

import pytest
import torch

from engine import threads

ALL = 3


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that stands until a test moves it, all cores, and the real number put back."""
    before, now = torch.get_num_threads(), [0.0]
    monkeypatch.setattr(threads.time, "monotonic", lambda: now[0])
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    torch.set_num_threads(ALL)
    yield now
    torch.set_num_threads(before)


def crowding(clock, waited):
    """One whose threads wait for a core for ``waited`` of each second that passes."""
    return threads.ThreadChoice(lambda: (clock[0] * (1 - waited[0]), clock[0] * waited[0]))


def test_beside_other_programs_one_thread_computes_and_all_are_tried_again(clock):
    waited = [0.6]
    rule = crowding(clock, waited)
    clock[0] += threads.WINDOW
    rule.choose()
    assert torch.get_num_threads() == 1
    clock[0] += threads.BACK_AFTER / 2
    rule.choose()
    assert torch.get_num_threads() == 1
    waited[0] = 0.0
    clock[0] += threads.BACK_AFTER / 2
    rule.choose()
    assert torch.get_num_threads() == ALL


def test_a_crowd_that_stays_is_tried_less_and_less_often(clock):
    rule, tried = crowding(clock, [0.6]), []
    for _ in range(600):
        clock[0] += 1.0
        before = torch.get_num_threads()
        rule.choose()
        if torch.get_num_threads() > before:
            tried.append(clock[0])
    waits = [later - earlier for earlier, later in pairwise(tried)]
    assert len(tried) > 2 and waits == sorted(waits) and waits[-1] > 2 * waits[0]


def test_alone_all_threads_go_on(clock):
    rule = crowding(clock, [0.1])
    for _ in range(20):
        clock[0] += threads.WINDOW
        rule.choose()
    assert torch.get_num_threads() == ALL


def test_the_number_that_is_asked_for_stays(clock, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", str(ALL))
    rule = crowding(clock, [0.9])
    clock[0] += threads.WINDOW
    rule.choose()
    assert torch.get_num_threads() == ALL


def test_a_system_without_accounts_leaves_the_number_alone(clock):
    rule = threads.ThreadChoice(lambda: None)
    clock[0] += threads.WINDOW
    rule.choose()
    assert torch.get_num_threads() == ALL


def test_threads_that_compute_are_seen_in_the_accounts():
    before = threads.time_of_threads()
    if before is None:
        pytest.skip("this system does not say how long threads waited")
    numbers = torch.rand(300, 300)
    for _ in range(30):
        numbers = numbers @ numbers / 150
    after = threads.time_of_threads()
    assert after is not None and after[0] > before[0]
