"""The benchmark's numbers as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .contestants import Course

FINAL = (
    "psnr", "psnr_no_gain", "psnr_leak_free", "psnr_object", "psnr_object_no_gain", "mask_iou",
    "alpha_leak", "uv_error_flow", "uv_error_truth", "uv_drift_10", "uv_drift_20", "uv_drift_40",
    "folds", "rigidity",
)  # fmt: skip


def ratios(courses: Sequence[Course]) -> dict[str, float | None]:
    """Return how many times sooner than the baseline's end each engine is as good as that.

    As good: at least its PSNR in the object at that moment, and in the end no more drift over ten
    frames. None where that is never reached.
    """
    named = {course.name: course for course in courses}
    baseline = named.pop("nla", None)
    if baseline is None or not baseline.curve:
        return {}
    last, drift = baseline.curve[-1], baseline.final["uv_drift_10"]
    found: dict[str, float | None] = {}
    for name, course in named.items():
        times = [p["seconds"] for p in course.curve if p["psnr_object"] >= last["psnr_object"]]
        own = course.final["uv_drift_10"]
        sticks = drift is None or (own is not None and own <= drift)
        found[name] = round(last["seconds"] / min(times), 2) if times and sticks else None
    return found


def markdown(found: dict[str, Any]) -> str:
    """Return the tables of one run."""
    courses = found["courses"]
    lines = [
        f"# {found['footage']}",
        "",
        f"{found['machine']}, {found['threads']} thread(s), seconds of the {found['clock']} clock. "
        f"Flow, shared by all: "
        f"{found['flow_seconds']} s. Baseline: {found['baseline_points']} points a step.",
        "",
        f"| | {' | '.join(courses)} |",
        f"| --- |{' ---: |' * len(courses)}",
    ]
    ends = [each["curve"][-1] if each["curve"] else {} for each in courses.values()]
    for name in ("seconds", "steps"):
        lines.append(f"| {name} | {' | '.join(_text(end.get(name)) for end in ends)} |")
    for name in FINAL:
        values = [_text(each["final"].get(name)) for each in courses.values()]
        lines.append(f"| {name} | {' | '.join(values)} |")
    memory = [_text(each["peak_memory_mb"]) for each in courses.values()]
    lines += [f"| peak memory, MB | {' | '.join(memory)} |", ""]
    for name, ratio in found["ratios"].items():
        said = f"{ratio:g} times sooner" if ratio is not None else "not reached"
        lines.append(f"* `{name}` as good as the baseline at its end: {said}.")
    lines += ["", "## PSNR over seconds", "", "| engine | seconds | steps | psnr | psnr_object |"]
    lines.append("| --- | ---: | ---: | ---: | ---: |")
    for name, each in courses.items():
        for point in each["curve"]:
            values = [_text(point[n]) for n in ("seconds", "steps", "psnr", "psnr_object")]
            lines.append(f"| {name} | {' | '.join(values)} |")
    if found["scaling"]:
        names = list(found["scaling"][0])
        lines += ["", "## Scaling of `grid`", "", f"| {' | '.join(names)} |"]
        lines.append(f"|{' ---: |' * len(names)}")
        lines += [f"| {' | '.join(_text(row[n]) for n in names)} |" for row in found["scaling"]]
    return "\n".join(lines) + "\n"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.4g}"
