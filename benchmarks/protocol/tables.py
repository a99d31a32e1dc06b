"""From the numbers of many looks to one table, with one number first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.evaluation.warping_error import QUOTED

from .looks import FAMILIAR, HELD_OUT, MATERIAL, SPLITS, TUNE, Look, familiar

CALM_ENOUGH = 1.1  # warping error, in that of the footage
Row = Mapping[str, Any]


def row(look: Look, seed: int, numbers: Row) -> dict[str, Any]:
    """Return the numbers of one look with what it is."""
    facts = {"look": look.name, "clip": look.clip.name, "text": look.whole, "kind": look.kind}
    kept = {name: value for name, value in numbers.items() if name != "request"}
    return {**facts, "split": look.split, "seed": seed, **kept}


def first_number(rows: Sequence[Row], split: str = HELD_OUT) -> tuple[int, int, int]:
    """Return how many familiar looks of a split are seen, of how many, how many were not run.

    Of those held out there are twelve. Each seed counts by itself. A look that failed is not seen.
    """
    names = {each.name for each in familiar(split)}
    seeds = {each["seed"] for each in rows}
    found = [each for each in rows if each["look"] in names]
    wanted = len(names) * max(1, len(seeds))
    return sum(bool(each.get("seen")) for each in found), wanted, wanted - len(found)


def headline(rows: Sequence[Row]) -> str:
    """Return the one number as a sentence; that of the tuning looks where no other was run."""
    seen, wanted, missing = first_number(rows)
    said, ending = "held-out", ""
    if missing == wanted:
        seen, wanted, missing = first_number(rows, TUNE)
        said, ending = "tuning", ": a number to choose by, not to report"
    unrun = f" ({missing} of them were not run)" if missing else ""
    return f"**{seen} of {wanted} {said} looks are seen**{unrun}{ending}."


def markdown(facts: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Return the whole table; ``facts`` are lines that say how it was made."""
    lines = ["# Looks", "", headline(rows), ""]
    lines += [f"* {name}: {value}" for name, value in facts.items()]
    lines += ["", "| | held out | tuning |", "| --- | ---: | ---: |"]
    for said, tell in SUMMARY:
        cells = [tell([each for each in rows if each["split"] == split]) for split in SPLITS[::-1]]
        lines.append(f"| {said} | {' | '.join(cells)} |")
    for split, title in ((HELD_OUT, "Held out"), (TUNE, "Tuning")):
        found = [each for each in rows if each["split"] == split]
        if found:
            lines += ["", f"## {title}", "", *table(found)]
    return "\n".join(lines) + "\n"


def table(rows: Sequence[Row]) -> list[str]:
    """Return one line for each look."""
    lines = [f"| {' | '.join(COLUMNS)} |", "| --- " * len(COLUMNS) + "|"]
    for each in rows:
        cells = [_cell(tell(each)) for tell in COLUMNS.values()]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _said(row: Row) -> str:
    if row.get("failed"):
        return "failed"
    return {True: "yes", False: "no", None: ""}[row.get("seen")]


def _view(row: Row, view: str) -> str:
    found = row.get(view)
    return f"{found['place']}. {found['probability']:.2f}" if found else ""


def _calm(row: Row, region: str) -> float | None:
    return row.get("calm", {}).get(region)


COLUMNS: dict[str, Callable[[Row], Any]] = {
    "look": lambda row: row["look"],
    "seed": lambda row: row["seed"],
    "seen": lambda row: _said(row),
    "whole": lambda row: _view(row, "whole"),
    "close": lambda row: _view(row, "close"),
    "footage, whole": lambda row: _view(row.get("footage", {}), "whole"),
    "footage, close": lambda row: _view(row.get("footage", {}), "close"),
    "judge": lambda row: row.get("judged_by", ""),
    "object's place": lambda row: row.get("own_place"),
    "in footage": lambda row: row.get("footage", {}).get("own_place"),
    "warping": lambda row: _calm(row, QUOTED),
    "with rim": lambda row: _calm(row, "own motion"),
    "along the source": lambda row: _calm(row, "alone"),
    "drift 10": lambda row: row.get("uv_drift_10"),
    "background PSNR": lambda row: row.get("background_psnr"),
    "stylization, s": lambda row: row.get("seconds", {}).get("stylization"),
    "render, s": lambda row: row.get("seconds", {}).get("render"),
}  # fmt: skip


def _seen(kind: str, judge: str) -> Callable[[Sequence[Row]], str]:
    def tell(rows: Sequence[Row]) -> str:
        alike = [row for row in rows if row["kind"] == kind]
        found = [row for row in alike if row.get("judged_by") == judge]
        if kind == FAMILIAR:
            found += [row for row in alike if row.get("failed")]
        seen = sum(bool(row.get("seen")) for row in found)
        return f"{seen} of {len(found)}" if found else ""

    return tell


def _by_eye(rows: Sequence[Row]) -> str:
    return str(sum(row.get("judged_by") == "eye" for row in rows))


def _still(rows: Sequence[Row]) -> str:
    found = [row["still"] for row in rows if row.get("still") is not None]
    return f"{sum(found)} of {len(found)}" if found else ""


def _failed(rows: Sequence[Row]) -> str:
    return str(sum(bool(row.get("failed")) for row in rows))


def _median(view: str) -> Callable[[Sequence[Row]], str]:
    def tell(rows: Sequence[Row]) -> str:
        found = [
            row[view]["probability"] for row in rows if row["kind"] == FAMILIAR and view in row
        ]
        return f"{np.median(found):.2f}" if found else ""

    return tell


def _warping(region: str) -> Callable[[Sequence[Row]], str]:
    def tell(rows: Sequence[Row]) -> str:
        found = [ratio for row in rows if (ratio := _calm(row, region)) is not None]
        if not found:
            return ""
        fine = sum(ratio <= CALM_ENOUGH for ratio in found)
        return f"{np.median(found):.2f}; {fine} of {len(found)}; {max(found):.2f}"

    return tell


SUMMARY: tuple[tuple[str, Callable[[Sequence[Row]], str]], ...] = (
    ("familiar looks that are seen", _seen(FAMILIAR, "imagenet")),
    ("their probability on the whole object, median", _median("whole")),
    ("on close views, median", _median("close")),
    ("materials that are seen, by ImageNet", _seen(MATERIAL, "imagenet")),
    ("materials that are seen, by photographs", _seen(MATERIAL, "photographs")),
    ("looks that only the eye can judge", _by_eye),
    ("still the object", _still),
    ("failed jobs", _failed),
    (f"warping error: median; at most {CALM_ENOUGH}; most", _warping(QUOTED)),
    ("the same with the object's rim", _warping("own motion")),
    ("inside the rim", _warping("own motion, within")),
    ("along the source's motion, object alone", _warping("alone")),
    ("along the source's motion, with its rim", _warping("object")),
)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
