"""What a sweep leaves in its folder: pictures of its cells, and which request each stands for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import codec, files
from .job import JobSpec
from .settings import replace_setting

CELLS_FILE = "cells.json"
SHEET_FILE = "sheet.png"


@dataclass(frozen=True)
class Cell:
    """One text with one seed at one strength; ``score`` is that of the candidate.

    ``candidate`` counts the seeds of a text from 1; ``picture`` is a file beside the list.
    """

    text: str
    seed: int
    candidate: int
    strength: float
    score: float
    picture: str

    @property
    def caption(self) -> str:
        """The cell in one line."""
        return f"{self.score:.3f}  {self.text}, seed {self.seed}, {100 * self.strength:.0f} %"


def best_first(cells: Sequence[Cell]) -> list[Cell]:
    """Return ``cells``, the best first; what differs in strength alone, the strongest first."""
    return sorted(cells, key=lambda each: (-each.score, each.text, -each.strength))


def write_cells(cells: Sequence[Cell], folder: Path) -> None:
    """Write the list of ``cells``, the best first."""
    text = json.dumps(codec.to_json(best_first(cells)), indent=1, ensure_ascii=False)
    files.write_text(folder / CELLS_FILE, text)


def read_cells(folder: Path) -> tuple[Cell, ...]:
    """Return what `write_cells` wrote, () where nothing can be read."""
    try:
        data = files.read_json(folder / CELLS_FILE)
        return tuple(codec.from_json(Cell, each, "cell") for each in data)
    except (OSError, ValueError, TypeError, files.Refusal):
        return ()


def request_of(spec: JobSpec, cell: Cell) -> JobSpec:
    """Return the request whose frames look like ``cell`` of the sweep that ``spec`` asks for.

    All stages before its render are those of the sweep.
    """
    several = spec.settings.stylization.candidates > 1
    settings = replace_setting(spec.settings, "render.strength", cell.strength)
    settings = replace_setting(settings, "render.candidate", cell.candidate if several else 0)
    settings = replace_setting(settings, "render.snapshot", 0)
    return replace(spec.with_front_text(cell.text), settings=settings)
