"""The `grid` decomposition of real clips, one row each: drift, colours, alpha, folds, cost.

    python -m benchmarks.clips CLIPS [--clips blackswan dog:36 ...] [--out FOLDER]
    python -m benchmarks.clips CLIPS --preset standard --side 768 --device cuda --clock wall

CLIPS holds one folder for each clip with ``frames/`` and ``masks/``; ``dog:36`` are its first 36
frames. Prints a table and writes ``decomposition-clips-PRESET.json`` and ``.md``. Seconds are of
the decomposition alone; "file to atlas" counts decoding, flow and masks as well. Without a GPU they
are the processor's, of one thread. Drift is judged twice: as in `report.json`, and by
`layered.tracker`, which follows more points.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import torch

from engine import cores
from engine import device as devices
from engine.ahead import ahead
from engine.contract.settings import preset
from engine.video.frames import source_frames

from .decomposition import machine
from .layered import clock, contestants, tracker
from .layered.contestants import Course
from .layered.footage import Footage, clip

CLIPS = ("blackswan", "boat", "lucia", "car-turn", "dog:36", "dog")
COLUMNS = {
    "seconds": "seconds",
    "file_to_atlas": "file to atlas",
    "peak_memory_mb": "peak, MB",
    "uv_drift_10": "drift 10",
    "uv_drift_20": "20",
    "uv_drift_40": "40",
    "tracker_10": "tracker 10",
    "tracker_20": "20",
    "tracker_40": "40",
    "tracker_20_points": "points at 20",
    "tracker_40_points": "at 40",
    "psnr_object": "object PSNR",
    "psnr_object_no_gain": "without gain",
    "psnr": "whole PSNR",
    "mask_iou": "IoU",
    "alpha_leak": "leak",
    "folds": "folds",
}


def main(arguments: list[str] | None = None) -> int:
    """Decompose every clip and write the table; returns 0."""
    options = _options(arguments)
    clock.choose(options.clock)
    device = devices.choose(options.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    devices.prove(device)  # the first time takes seconds
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # it imports for a second
    settings = preset(options.preset).decomposition
    # First all decompositions, alone on the machine; then all judgements, side by side.
    done = []
    for name in options.clips:
        footage = _footage(options, name)
        course = contestants.grid_at_once(footage, settings, device)
        print(footage.name, course.curve[-1], file=sys.stderr, flush=True)
        done.append((course, footage))
    rows: dict[str, dict[str, Any]] = {}
    for name, found in ahead(lambda each: (each[1].name, row(*each)), done):
        rows[name] = found
        print(name, found, file=sys.stderr, flush=True)
        _write(rows, options, device)
    print(table(rows))
    return 0


def row(course: Course, footage: Footage) -> dict[str, Any]:
    """Return the scores, seconds and memory of one clip that is decomposed."""
    seconds = course.curve[-1]["seconds"]
    cost = {"seconds": seconds, "file_to_atlas": seconds + footage.seconds}
    cost["peak_memory_mb"] = course.peak_memory_mb
    return cost | contestants.judged(course, footage).final | tracked(course, footage)


def tracked(course: Course, footage: Footage) -> dict[str, float | int | None]:
    """Return the drift of what ``course`` made as the tracker judges it."""
    assert footage.source is not None and course.layers is not None
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in source_frames(footage.source)]
    pairs = tracker.follow(greys, footage.visible)
    return tracker.drift_of(pairs, greys[0].shape, course.layers.uv.numpy())


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return one line for each clip."""
    lines = [f"| clip | {' | '.join(COLUMNS.values())} |", f"| --- |{' ---: |' * len(COLUMNS)}"]
    for name, found in rows.items():
        values = (found[column] for column in COLUMNS)
        cells = ["-" if value is None else f"{value:.3g}" for value in values]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _footage(options: argparse.Namespace, name: str) -> Footage:
    folder, _, count = name.partition(":")
    frames = int(count) if count else None
    return clip(options.footage / folder, longest_side=options.side, frames=frames)


def _write(
    rows: dict[str, dict[str, Any]], options: argparse.Namespace, device: torch.device
) -> None:
    if options.out is None:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    how = "one thread" if device.type == "cpu" else f"{cores.count()} cores"
    said = (
        f"{machine(device)}, {how}, seconds of the {clock.name()} clock, preset {options.preset}."
    )
    found = {"machine": machine(device), "preset": options.preset, "clips": rows}
    path = options.out / (options.name or f"decomposition-clips-{options.preset}")
    path.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    text = f"# Real clips, {options.side} pixels, given masks\n\n{said}\n\n{table(rows)}\n"
    path.with_suffix(".md").write_text(text)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clips")
    parser.add_argument("footage", type=Path, metavar="CLIPS")
    parser.add_argument("--clips", nargs="+", default=CLIPS)
    parser.add_argument("--preset", default="draft")
    parser.add_argument("--side", type=int, default=256, help="longer side, px")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--clock", default="processor", choices=clock.CLOCKS)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--name", help="of the files; otherwise that of the preset")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
