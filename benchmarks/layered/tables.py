"""The benchmark's numbers as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .contestants import Course

FINAL = (
    "psnr", "psnr_no_gain", "psnr_leak_free", "psnr_object", "psnr_object_no_gain", "mask_iou",
    "alpha_leak", "uv_error_flow", "uv_error_truth", "uv_drift_10", "uv_drift_20", "uv_drift_40",
    "folds", "rigidity",
)  # fmt: skip
CURVE = ("seconds", "steps", "psnr", "psnr_object", "uv_drift_10")


def ratios(courses: Sequence[Course]) -> dict[str, float | None]:
    """Return how many times sooner than the baseline's end each engine is as good as its best.

    As good: at a moment that was looked at, at least the best PSNR in the object that the
    baseline ever had, and no more drift over ten frames than its least. None where that is never
    reached.
    """
    named = {course.name: course for course in courses}
    baseline = named.pop("nla", None)
    if baseline is None or not baseline.curve:
        return {}
    best = max(point["psnr_object"] for point in baseline.curve)
    least = min(_drift(point) for point in baseline.curve)
    found: dict[str, float | None] = {}
    for name, course in named.items():
        times = [
            point["seconds"]
            for point in course.curve
            if point["psnr_object"] >= best and _drift(point) <= least
        ]
        found[name] = round(baseline.curve[-1]["seconds"] / min(times), 2) if times else None
    return found


def _drift(point: Mapping[str, Any]) -> float:
    drift = point["uv_drift_10"]
    return float("inf") if drift is None else drift


def markdown(found: dict[str, Any]) -> str:
    """Return the tables of one run."""
    lines = [
        f"# {found['footage']}",
        "",
        f"{found['machine']}, {found['threads']} thread(s), seconds of the {found['clock']} clock. "
        f"Flow, shared by all: "
        f"{found['flow_seconds']} s. Baseline: {found['baseline_points']} points a step.",
    ]
    if found["courses"]:
        lines += _compared(found["courses"], found["ratios"])
    if found["scaling"]:
        names = list(found["scaling"][0])
        lines += ["", "## Scaling of `grid`", "", f"| {' | '.join(names)} |"]
        lines.append(f"|{' ---: |' * len(names)}")
        lines += [f"| {' | '.join(_text(row[n]) for n in names)} |" for row in found["scaling"]]
    return "\n".join(lines) + "\n"


def _compared(
    courses: Mapping[str, Mapping[str, Any]], ratios: Mapping[str, float | None]
) -> list[str]:
    """Return how each engine ended, and how it came there."""
    lines = ["", f"| | {' | '.join(courses)} |", f"| --- |{' ---: |' * len(courses)}"]
    ends = [each["curve"][-1] if each["curve"] else {} for each in courses.values()]
    for name in ("seconds", "steps"):
        lines.append(f"| {name} | {' | '.join(_text(end.get(name)) for end in ends)} |")
    for name in FINAL:
        values = [_text(each["final"].get(name)) for each in courses.values()]
        lines.append(f"| {name} | {' | '.join(values)} |")
    memory = [_text(each["peak_memory_mb"]) for each in courses.values()]
    lines += [f"| peak memory, MB | {' | '.join(memory)} |", ""]
    for name, ratio in ratios.items():
        said = f"{ratio:g} times sooner" if ratio is not None else "not reached"
        lines.append(f"* `{name}` as good as the best of the baseline, against its end: {said}.")
    lines += ["", "## PSNR over seconds", "", f"| engine | {' | '.join(CURVE)} |"]
    lines.append(f"| --- |{' ---: |' * len(CURVE)}")
    for name, each in courses.items():
        for point in each["curve"]:
            values = [_text(point[n]) for n in CURVE]
            lines.append(f"| {name} | {' | '.join(values)} |")
    return lines


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.4g}"
