"""Computes what comes next on the other cores, while what is there is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from . import cores

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 8  # workers; more only hold more pictures at a time


def ahead(
    work: Callable[[Item], Result], items: Iterable[Item], *, most: int = MOST
) -> Iterator[Result]:
    """Yield ``work(item)`` of all ``items``, in their order, ``most`` at a time.

    For work that lets go of the interpreter, as OpenCV does, and that needs no other item's. Two
    results for each worker are held at most. What fails is raised in its turn.
    """
    workers = min(most, MOST, cores.requested_threads() or cores.count())
    if workers <= 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(workers)
    begun: deque[Future[Result]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) == 2 * workers:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
