"""Our decompositions against Layered Neural Atlases: one process, one machine, the same footage.

    python -m benchmarks.decomposition [--size 192x108] [--frames 24] [--clip FOLDER]
        [--engines grid mlp nla] [--seconds 300] [--scaling frames|size|both] [--out FOLDER]

Prints a table and writes ``NAME.json`` and ``NAME.md``. Without ``--clip`` the footage is made and
its truth known; FOLDER holds ``frames/`` and ``masks/``. ``grid`` runs to its end, ``mlp`` and
``nla`` (the baseline) for ``--seconds`` of training each. Looking at results is on nobody's clock.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from engine import device as devices
from engine.contract.settings import DecompositionSettings, preset
from engine.evaluation import drift

from .layered import clock, contestants
from .layered.contestants import Course
from .layered.footage import Footage, clip, made
from .layered.tables import markdown, ratios

SCALING_FRAMES = (24, 70, 140, 280)
SCALING_SIZES = ("192x108", "384x216", "768x432", "1920x1080")


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; returns 0."""
    options = _options(arguments)
    device = devices.choose(options.device)
    settings = preset(options.preset).decomposition
    if options.steps is not None:
        settings = replace(settings, grid=replace(settings.grid, steps=options.steps))
    clock.choose(options.clock)
    if options.quick:
        quick = replace(settings.mlp, points=500, pretrain_rounds=1, width=64)
        settings = replace(settings, mlp=quick)
    # Nobody judges the picture of the atlas that mlp paints at its end.
    settings = replace(settings, mlp=replace(settings.mlp, atlas_size=256))
    footage = _footage(options, options.clip_frames, options.size)
    courses = compared(footage, settings, device, options)
    for path in options.beside:
        courses += run_before(path, footage)
    found: dict[str, Any] = {
        "footage": footage.name,
        "machine": machine(device),
        "clock": options.clock,
        "threads": torch.get_num_threads(),
        "flow_seconds": round(footage.flow_seconds, 2),
        "baseline_points": options.points,
        "courses": {
            course.name: {
                "curve": course.curve,
                "final": course.final,
                "peak_memory_mb": course.peak_memory_mb,
            }
            for course in courses
        },
        "ratios": ratios(courses),
        "scaling": scaling(options, settings, device),
    }
    text = markdown(found)
    print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        name = options.name or footage.name.replace(" ", "-")
        (options.out / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
        (options.out / f"{name}.md").write_text(text)
    return 0


def compared(
    footage: Footage,
    settings: DecompositionSettings,
    device: torch.device,
    options: argparse.Namespace,
) -> list[Course]:
    """Run every engine that is asked for."""
    works = {
        "grid": lambda course: contestants.grid(footage, settings, device, course),
        "mlp": lambda course: contestants.mlp(
            footage, settings, device, course, seconds=options.seconds
        ),
        "nla": lambda course: contestants.nla(
            footage, device, course, seconds=options.seconds, points=options.points,
            pretrain_rounds=options.pretrain_rounds, patience=options.patience,
        ),
    }  # fmt: skip
    courses = []
    for name in options.engines:
        print(f"{footage.name}: {name} ...", file=sys.stderr, flush=True)
        courses.append(contestants.run(name, works[name], footage, device))
    return courses


def run_before(path: Path, footage: Footage) -> list[Course]:
    """Return the courses that an earlier run on the same footage wrote to ``path``."""
    found = json.loads(path.read_text())
    assert found["footage"] == footage.name, f"{path} is about {found['footage']}"
    assert found["clock"] == clock.name(), f"{path} has the {found['clock']} clock"
    return [Course(name, **course) for name, course in found["courses"].items()]


def scaling(
    options: argparse.Namespace, settings: DecompositionSettings, device: torch.device
) -> list[dict[str, Any]]:
    """Return how the grid engine's time, memory and drift grow with frames and with size."""
    cases: list[tuple[int, str]] = []
    if options.scaling in ("frames", "both"):
        cases += [(count, options.size) for count in options.scaling_frames]
    if options.scaling in ("size", "both"):
        cases += [(options.frames, size) for size in options.scaling_sizes]
    rows = []
    for count, size in cases:
        footage = _footage(options, count, size)
        print(f"{footage.name}: grid ...", file=sys.stderr, flush=True)
        course = contestants.judged(contestants.grid_at_once(footage, settings, device), footage)
        rows.append(
            {
                "frames": count,
                "size": size,
                "seconds": course.curve[-1]["seconds"],
                "seconds_per_frame": course.curve[-1]["seconds"] / count,
                "peak_memory_mb": course.peak_memory_mb,
                "bytes_per_pixel": course.peak_memory_mb * 2**20 / footage.frames[..., 0].size,
                **{name: course.final[name] for name in ("psnr_object", "uv_error_truth")},
                **{f"uv_drift_{gap}": course.final[f"uv_drift_{gap}"] for gap in drift.GAPS},
                "mask_iou": course.final["mask_iou"],
            }
        )
    return rows


def machine(device: torch.device) -> str:
    """Describe what computes."""
    facts = devices.describe(device)
    return f"{facts.kind} ({facts.name}), {platform.system()} {platform.machine()}"


def _footage(options: argparse.Namespace, frames: int | None, size: str) -> Footage:
    if options.clip is None:
        return made(frames=frames or options.frames, size=_size(size))
    return clip(options.clip, longest_side=max(_size(size)), frames=frames)


def _size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decomposition")
    parser.add_argument("--clip", type=Path, help="a folder with frames/ and masks/")
    parser.add_argument("--clip-frames", type=int, help="only the first so many frames")
    parser.add_argument("--frames", type=int, default=24, help="of made footage")
    parser.add_argument("--size", default="192x108", help="WIDTHxHEIGHT; of a clip the longer side")
    parser.add_argument("--engines", nargs="*", choices=("grid", "mlp", "nla"),
                        default=["grid", "mlp", "nla"])  # fmt: skip
    parser.add_argument("--seconds", type=float, default=300, help="training of mlp and nla, each")
    parser.add_argument("--points", type=int, default=10_000, help="of nla in each step")
    parser.add_argument("--pretrain-rounds", type=int, default=100, help="of nla")
    parser.add_argument("--patience", type=float, default=math.inf,
                        help="of nla, seconds of the wall's clock at most")  # fmt: skip
    parser.add_argument("--beside", type=Path, nargs="+", default=[],
                        help="the JSON of other engines' runs on this footage")  # fmt: skip
    parser.add_argument("--preset", default="draft", help="whose settings grid and mlp have")
    parser.add_argument("--steps", type=int, help="of grid, instead of the preset's")
    parser.add_argument("--device", default="automatic", choices=("automatic", "cuda", "cpu"))
    parser.add_argument("--clock", default="wall", choices=clock.CLOCKS,
                        help="processor: where others use the machine, too")  # fmt: skip
    parser.add_argument("--scaling", choices=("frames", "size", "both"))
    parser.add_argument("--scaling-frames", type=int, nargs="+", default=SCALING_FRAMES)
    parser.add_argument("--scaling-sizes", nargs="+", default=SCALING_SIZES)
    parser.add_argument("--out", type=Path, help="folder for the JSON and the table")
    parser.add_argument("--name", help="of the files; otherwise that of the footage")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it works")
    options = parser.parse_args(arguments)
    if options.quick:
        options.frames, options.size, options.seconds = 12, "96x54", 1.5
        options.points, options.pretrain_rounds, options.steps = 500, 1, 8
    return options


if __name__ == "__main__":
    sys.exit(main())
