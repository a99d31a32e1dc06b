"""Whether two revisions make the same bits: digests of what small jobs leave in every stage.

    python -m benchmarks.same_bits --json BEFORE.json [--clips CLIPS]
    python -m benchmarks.same_bits --json AFTER.json --compare BEFORE.json [--clips CLIPS]

The jobs are presets with few steps on footage that is made here and, where CLIPS holds a folder
for each clip with ``frames/`` and ``masks/``, on the first frames of real clips. Each array of the
cache and each finished frame is named by the sha256 of its type, shape and values. Prints what
differs from the other file, and returns 1 where something does. One thread; about a minute, and
another one for each clip.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import load_file

from engine import __main__ as command_line
from engine.contract.folder import JobFolder
from engine.contract.job import Stage
from engine.workspace import Cache
from tests.synthetic import moving_sprite

CLIPS = ("blackswan", "boat")
FEW = ("decomposition.grid.steps=20", "stylization.steps=12", "stylization.snapshot_every=6")
SMALL = (
    "frames.longest_side=128", "stylization.encoder=embedded", "stylization.distillation_steps=20",
    "stylization.steps=3", "decomposition.grid.steps=10", "decomposition.grid.atlas_size=96",
    "decomposition.mlp.steps=150", "decomposition.mlp.points=600", "decomposition.mlp.width=48",
    "decomposition.mlp.learning_rate=0.003", "decomposition.mlp.pretrain_rounds=1",
    "decomposition.mlp.atlas_size=96",
)  # fmt: skip
MASKS = object()  # stands for the option that names the folder of masks


@dataclass(frozen=True)
class Case:
    """One job: a preset, with what is set and how the object is found."""

    name: str
    preset: str
    found: tuple[Any, ...]
    assignments: tuple[str, ...]
    more: tuple[str, ...] = ()


MADE = (
    Case("draft", "draft", (MASKS,), FEW),
    Case("draft, automatic, background", "draft", ("--auto",), FEW, ("--background-text", "ice")),
    Case("draft, box, 16 bits", "draft", ("--box", "2,110,60,150,140"),
         (*FEW, "render.format=png16", "render.keep_detail=0.5")),
    Case("standard", "standard", (MASKS,), SMALL),
    Case("paper", "paper", (MASKS,), SMALL),
)  # fmt: skip
REAL = (
    Case("draft", "draft", (MASKS,), FEW, ("--frames", "0:9")),
    Case("masks, automatic", "draft", ("--auto",), (*FEW, "stylization.steps=2"),
         ("--frames", "0:9")),
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run the jobs, write their digests and compare; returns 1 where something differs."""
    options = _options(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for clip, case, footage in _cases(options.clips, Path(folder)):
            name, started = f"{clip}: {case.name}", time.process_time()
            if options.only not in name:
                continue
            out, cache = Path(folder) / "jobs" / name, Path(folder) / "cache" / clip
            if command_line.main(command(case, footage, out, cache)) != 0:
                raise SystemExit(f"{name} failed")
            found[name] = digests(JobFolder(out), Cache(cache))
            print(f"{name}: {time.process_time() - started:.1f} s", file=sys.stderr, flush=True)
    options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if not options.compare:
        return 0
    before = json.loads(options.compare.read_text(encoding="utf-8"))
    before = {name: old for name, old in before.items() if options.only in name}
    differing = differences(before, found)
    print("\n".join(differing) or "Nothing differs.")
    return 1 if differing else 0


def command(case: Case, footage: Path, out: Path, cache: Path) -> list[str]:
    """Return the arguments of ``python -m engine`` for one job."""
    words = ["stylize", str(footage / "frames"), "--preset", case.preset, "--out", str(out)]
    words += ["--cache", str(cache), "--global-text", "a thing of zebra fur"]
    words += ["--local-text", "zebra fur"]
    for word in case.found:
        words += ["--masks", str(footage / "masks")] if word is MASKS else [word]
    for assignment in ("device=cpu", *case.assignments):
        words += ["--set", assignment]
    return [*words, *case.more]


def digests(job: JobFolder, cache: Cache) -> dict[str, str]:
    """Return the digest of everything that a finished job left, by name."""
    keys = json.loads(job.report.read_text(encoding="utf-8"))["keys"]
    found = {}
    for stage in Stage:
        for number, key in enumerate(keys[stage.value]):
            folder = cache.folder(stage, key)
            for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
                place = f"{stage.value} {number} {file.relative_to(folder).as_posix()}"
                found |= {f"{place} {name}": digest(array) for name, array in _arrays(file)}
    for file in sorted(job.result.iterdir()):
        picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        found[f"result {file.name}"] = digest(np.asarray(picture))
    return found


def digest(array: np.ndarray) -> str:
    """Return the sha256 of an array's type, shape and values."""
    head = f"{array.dtype} {array.shape} ".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def differences(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> list[str]:
    """Return a line for everything that is not the same in both."""
    lines = []
    for case in sorted({*before, *after}):
        old, new = before.get(case, {}), after.get(case, {})
        if not old or not new:
            lines.append(f"{case}: only {'before' if old else 'after'}")
            continue
        for name in sorted({*old, *new}):
            if name not in old or name not in new:
                lines.append(f"{case}: {name}: only {'before' if name in old else 'after'}")
            elif old[name] != new[name]:
                lines.append(f"{case}: {name}: differs")
    return lines


def _arrays(file: Path) -> Iterator[tuple[str, np.ndarray]]:
    if file.suffix == ".safetensors":
        yield from ((name, tensor.numpy()) for name, tensor in sorted(load_file(file).items()))
    elif file.suffix == ".npz":
        with np.load(file) as arrays:
            yield from ((name, arrays[name]) for name in sorted(arrays))
    elif file.suffix == ".npy":
        yield "", np.load(file)


def _cases(clips: Path | None, folder: Path) -> Iterator[tuple[str, Case, Path]]:
    # A sprite, larger than Draft works on.
    made = moving_sprite(frames=10, width=384, height=216).write(folder / "made")
    yield from (("made", case, made) for case in MADE)
    if clips is not None:
        yield from ((clip, case, clips / clip) for clip in CLIPS for case in REAL)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.same_bits")
    parser.add_argument("--json", type=Path, required=True, help="where the digests are written")
    parser.add_argument("--compare", type=Path, help="the digests of another revision")
    parser.add_argument("--clips", type=Path, help="a folder with clips")
    parser.add_argument("--only", default="", help="jobs whose name holds this")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
