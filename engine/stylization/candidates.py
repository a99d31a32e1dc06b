"""Candidates of one stylization: where each is saved, and their ranking.

A stage's folder holds the best atlas itself and ``candidates/1`` to ``candidates/N`` with one
atlas each; every candidate has its snapshots below it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..contract import files, seals
from ..contract.events import EngineError, Fault

RANKING_FILE = "ranking.json"
SNAPSHOT_NAME = "{:06d}"


@dataclass(frozen=True)
class RankingEntry:
    """One candidate in the ranking: ``score`` is its `validation` score on held-out views.

    ``candidate`` counts from 1, ``steps`` is where its atlas was taken from.
    """

    candidate: int
    seed: int
    score: float
    steps: int


def folder_of(stage: Path, candidate: int) -> Path:
    """Return where the candidate with this number lies below the folder of its stage."""
    return stage / "candidates" / str(candidate)


def snapshot_of(stage: Path, candidate: int, step: int) -> Path:
    """Return where the state of a candidate after ``step`` steps lies."""
    return folder_of(stage, candidate) / "snapshots" / SNAPSHOT_NAME.format(step)


def best_first(entries: Sequence[RankingEntry]) -> list[RankingEntry]:
    """Return ``entries``, the best first."""
    return sorted(entries, key=lambda each: -each.score)


def write_ranking(entries: Sequence[RankingEntry], stage: Path) -> None:
    """Write ``entries``, the best first."""
    text = json.dumps([asdict(each) for each in best_first(entries)], indent=1)
    files.write_text(stage / RANKING_FILE, text)


def read_ranking(stage: Path) -> list[RankingEntry]:
    """Return what `write_ranking` wrote."""
    text = (stage / RANKING_FILE).read_text(encoding="utf-8")
    return [RankingEntry(**each) for each in json.loads(text)]


def take(candidate: int, source: Path, stage: Path) -> RankingEntry:
    """Copy a candidate that was trained alone in ``source`` to ``stage``; return its entry."""
    final = folder_of(stage, candidate)
    if not seals.is_sealed(final):
        with files.whole_folder(final) as part:
            shutil.copytree(folder_of(source, candidate), part, dirs_exist_ok=True)
    (entry,) = read_ranking(source)
    return entry


def saved_steps(stage: Path, candidate: int) -> list[int]:
    """Return after which steps a candidate was saved, in ascending order."""
    folder = folder_of(stage, candidate) / "snapshots"
    there = folder.iterdir() if folder.is_dir() else ()
    return sorted(int(path.name) for path in there if seals.is_sealed(path))


def candidate_reports(stage: Path) -> list[dict[str, Any]]:
    """Return the report's entries of all candidates, the best first, each with its saved steps."""
    return [
        {**asdict(each), "snapshots": saved_steps(stage, each.candidate)}
        for each in read_ranking(stage)
    ]


def saved_early(part: Path, *, snapshot: int) -> Path | None:
    """Return where the first candidate's state after exactly ``snapshot`` steps lies, if anywhere.

    ``part`` is the folder of a training that has not ended: what it saved by then is what it would
    have been saved by then in any case.
    """
    found = snapshot_of(part, 1, snapshot)
    return None if seals.damage(found) else found


def unfinished_report(part: Path, *, seed: int) -> list[dict[str, Any]]:
    """Return what `candidate_reports` does, of a training that has not ended and has no score.

    Nothing where nothing is left of it, for the cache was cleared since.
    """
    steps = saved_steps(part, 1)
    if not steps:
        return []
    return [{"candidate": 1, "seed": seed, "score": None, "steps": steps[-1], "snapshots": steps}]


def check(candidate: int, made: int) -> None:
    """Raise EngineError (BAD_JOB) where ``candidate`` is not one of those that are ``made``."""
    if candidate > made:
        message = f"Candidate {candidate} is wanted, but the stylization made {made}."
        hint = f"Choose one up to {made}, or raise the number of candidates."
        raise EngineError(Fault.BAD_JOB, message, hint)


def choose(stage: Path, *, candidate: int, snapshot: int) -> Path:
    """Return the folder of the atlas to show: ``candidate`` 0 is the best, ``snapshot`` 0 the last.

    Of the snapshots the one next to the wanted step is taken. Raises EngineError (BAD_JOB) where
    there is no such candidate.
    """
    entries = read_ranking(stage)
    check(candidate, len(entries))
    number = candidate or entries[0].candidate
    steps = saved_steps(stage, number)
    if snapshot and steps:
        nearest = min(steps, key=lambda step: abs(step - snapshot))
        return snapshot_of(stage, number, nearest)
    return folder_of(stage, number)
