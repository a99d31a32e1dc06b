"""Texts of several parts with weights: "gold: 2 | zebra fur"."""

from __future__ import annotations

import re

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
