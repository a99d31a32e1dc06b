"""How one setting is declared: a dataclass field that carries all that is known about it."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def setting(
    default: Any,
    label: str,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    unit: str = "",
    advanced: bool = True,
    paper: str = "",
) -> Any:
    """Declare one setting: a dataclass field that carries all that is known about it.

    ``low`` and ``high`` are inclusive. Settings that are not ``advanced`` are shown up front.
    """
    metadata = {
        "label": label,
        "help": help,
        "low": low,
        "high": high,
        "choices": choices,
        "unit": unit,
        "advanced": advanced,
        "paper": paper,
    }
    return field(default=default, metadata=metadata)


def weight(default: float, label: str, help: str, *, paper: str = "") -> Any:
    """Declare the weight of one loss term; 0 switches the term off."""
    return setting(default, label, help, low=0.0, high=1e6, paper=paper)


def section(kind: type) -> Any:
    """Declare a nested group of settings."""
    return field(default_factory=kind)
