"""Texts of several parts with weights: "gold: 2 | zebra fur"."""

from __future__ import annotations

import re

LEAST_WEIGHT, MOST_WEIGHT = 0.001, 1000.0  # of the part that counts most; of any part
WEIGHTED = re.compile(r"(.*?)\s*:\s*(\d+(?:\.\d+)?|\.\d+)", re.DOTALL)


def weighted_parts(text: str) -> list[tuple[str, float]]:
    """Split "gold: 2 | zebra fur" into its parts with their weights, 1 where none is said.

    A text without a bar is one part, colons and all.
    """
    parts = [part.strip() for part in text.split("|") if part.strip()]
    if len(parts) < 2:
        return [(part, 1.0) for part in parts]
    found = [WEIGHTED.fullmatch(part) for part in parts]
    return [
        (match[1], float(match[2])) if match else (part, 1.0)
        for part, match in zip(parts, found, strict=True)
    ]


def unusable(text: str) -> str:
    """Return why ``text`` is no target although letters are in it, or an empty string."""
    parts = weighted_parts(text)
    if text.strip() and not any(part for part, _ in parts):
        return "holds no words between its bars"
    for part, weight in parts:
        if not part:
            return "has a weight without words before it"
        if weight > MOST_WEIGHT:
            return f'gives "{part}" a weight of more than {MOST_WEIGHT:.0f}'
    if parts and max(weight for _, weight in parts) < LEAST_WEIGHT:
        return f"gives no part a weight of {LEAST_WEIGHT} or more"
    return ""
