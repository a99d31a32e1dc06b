import threading

import pytest

from engine import cores as allowed
from engine.ahead import MOST, ahead


@pytest.fixture(params=[1, 3])
def cores(request, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(allowed, "count", lambda: request.param)
    return request.param


def test_results_come_in_order(cores):
    assert list(ahead(lambda number: number * number, range(50))) == [n * n for n in range(50)]


def test_as_many_work_at_a_time_as_there_are_cores(cores):
    together = threading.Barrier(cores)
    assert list(ahead(lambda number: together.wait(timeout=20) >= 0, range(2 * cores)))


def test_no_more_is_begun_than_is_soon_wanted(cores):
    begun = []
    results = ahead(begun.append, range(1000))
    next(results)
    assert len(begun) <= 2 * MOST
    results.close()
    assert len(begun) < 1000


def test_what_fails_is_raised_in_its_turn(cores):
    def work(number):
        if number == 2:
            raise ValueError(number)
        return number

    results = ahead(work, range(9))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="2"):
        next(results)
