"""Image sequences: the order of their names, and what of it a user should know.

Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

MOST_NAMED = 3


def by_number(names: Iterable[str]) -> list[str]:
    """Return ``names`` in the order of the numbers in them: 2.png comes before 10.png."""
    return sorted(names, key=_order)


def twice(names: Sequence[str]) -> tuple[str, str] | None:
    """Return two names that bear the same number, such as 1.png and 01.png or 1.jpg; or None."""
    found: dict[tuple[str, int], str] = {}
    for name in names:
        start, number, _ = _parts(name)
        if number is not None:
            other = found.setdefault((start, number), name)
            if other != name:
                return other, name
    return None


def oddities(names: Sequence[str]) -> list[str]:
    """Say what is odd about a sequence in the order in which it is shown, one sentence each.

    That is numbers that are left out of an even row, and names of a few kinds.
    """
    parts = [_parts(name) for name in names]
    kinds = dict.fromkeys((start, end) for start, _, end in parts)
    found = []
    if 1 < len(kinds) <= len(names) // 2:
        named = ", ".join(f"{start}#{end}" for start, end in list(kinds)[:MOST_NAMED])
        more = ", ..." * (len(kinds) > MOST_NAMED)
        found.append(f"The images have names of {len(kinds)} kinds: {named}{more}.")
    steps = {
        (name, other): second[1] - first[1]
        for (name, first), (other, second) in pairwise(zip(names, parts, strict=True))
        if first[::2] == second[::2] and first[1] is not None and second[1] is not None
    }
    usual = min((step for step in steps.values() if step > 0), default=1)
    gaps = [pair for pair, step in steps.items() if step > usual]
    if gaps:
        named = ", ".join(f"{name} and {other}" for name, other in gaps[:MOST_NAMED])
        more = f" and in {len(gaps) - MOST_NAMED} other places" * (len(gaps) > MOST_NAMED)
        found.append(f"Numbers are left out between {named}{more}.")
    return found


def _order(name: str) -> tuple[str, list[tuple[int, str]], str]:
    first, *rest = re.split(r"([0-9]+)", name.casefold())
    return (
        first,
        [(int(digits), text) for digits, text in zip(*[iter(rest)] * 2, strict=True)],
        name,
    )


def _parts(name: str) -> tuple[str, int | None, str]:
    """Return what is before the last number of the name, the number, and what is after it."""
    stem, dot, suffix = name.rpartition(".")
    found = re.fullmatch(r"(.*?)([0-9]+)([^0-9]*)", stem, re.DOTALL)
    if found is None:
        return name, None, ""
    return found[1], int(found[2]), f"{found[3]}{dot}{suffix}"
