"""Five materials on each of several clips, Draft, named by judges that did not guide the jobs.

    python benchmarks/pairs.py CLIPS --out build/pairs --judge python:tools.judge:mixing

CLIPS holds one folder for each clip with ``frames/`` and, where there are some, ``masks/``. Writes
one contact sheet, one row for each clip, and a table of what each judge named. Look at the sheet:
a judge that was trained on the same painters as the encoder is a biased witness.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine import device as devices
from engine.bench import Bench, known_materials
from engine.contract.codec import set_from_text
from engine.contract.job import Box, JobSpec, MaskKind, ObjectMask, TargetTexts, single
from engine.contract.settings import preset
from engine.evaluation.cells import picture_sheet
from engine.evaluation.evaluate import Row, run_experiment
from engine.evaluation.experiments import MATERIALS, experiment
from engine.evaluation.judging import load_judge
from engine.video.frames import footage_from_path
from engine.video.images import write_png
from engine.workspace import Cache, default_cache

STEADY = 1.1  # warp error, in that of the source, that is no more than the source's own
# Folder, what it shows, its last frame; 0 for all of them.
CLIPS = (
    ("blackswan", "swan", 0),
    ("boat", "boat", 0),
    ("dog", "dog", 35),
    ("car-turn", "car", 0),
    ("lucia", "woman", 0),
    ("wolf", "wolf", 0),
)
# Where there are no masks a box is drawn, as somebody would who sees what is found without one.
BOXES = {"wolf": Box(frame=0, x=2, y=50, width=475, height=462)}


def main() -> None:
    """Run all pairs and write sheet and table."""
    options = arguments()
    bench = Bench(Cache((options.cache or default_cache()).absolute()))
    judges = [load_judge(name, known_materials(), devices.choose("cpu")) for name in options.judge]
    rows: dict[str, list[Row]] = {}
    for name, thing, last in CLIPS:
        if options.clips and name not in options.clips:
            continue
        spec = request(options.footage / name, last, options.assignments, options.frames)
        found = experiment("varied", thing=thing, materials=options.materials)
        rows[name] = run_experiment(
            found, spec, options.out / name, bench, judges,
            frames_alone=0, say=lambda text, clip=name: print(clip, text, flush=True),
        )  # fmt: skip
        write(rows, options.out)


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line. Lists have commas: with blanks the last would swallow CLIPS."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("footage", type=Path, metavar="CLIPS")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--clips", type=_listed, default=[], metavar="NAME,...")
    parser.add_argument("--materials", type=_listed, default=list(MATERIALS), metavar="TEXT,...")
    parser.add_argument("--frames", type=int, default=0, help="of each clip at most; 0 for all")
    parser.add_argument("--judge", action="append", default=[], help="repeatable")
    parser.add_argument(
        "--set", action="append", default=[], dest="assignments", metavar="PATH=VALUE",
        help="repeatable",
    )  # fmt: skip
    options = parser.parse_args(words)
    unknown = set(options.clips) - {name for name, _, _ in CLIPS}
    if unknown:
        parser.error(f"--clips: {', '.join(sorted(unknown))} is none of the clips")
    return options


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def request(clip: Path, last: int, assignments: Sequence[str], frames: int = 0) -> JobSpec:
    """Return the Draft job of one clip, with texts that the variants replace.

    ``last`` is its last frame, 0 for all; with ``frames`` it has so many at most.
    """
    footage = footage_from_path((clip / "frames").absolute())
    there = len(footage.files)
    count = min(last + 1 if last else there, frames or there)
    if count < there:
        footage = replace(footage, indices=tuple(range(count)))
    masks = clip / "masks"
    mask = ObjectMask()
    if masks.is_dir():
        mask = ObjectMask(MaskKind.FILES, path=str(masks.absolute()))
    elif clip.name in BOXES:
        mask = ObjectMask(MaskKind.BOX, box=BOXES[clip.name])
    settings = preset("draft")
    for assignment in assignments:
        settings = set_from_text(settings, assignment)
    return single(footage, TargetTexts("gold"), mask, settings)


def write(rows: dict[str, list[Row]], out: Path) -> None:
    """Write the sheet and the table of all clips so far."""
    pictures: list[tuple[str, list[np.ndarray]]] = [
        (clip, [row.pictures[1] for row in found]) for clip, found in rows.items()
    ]
    write_png(out / "pairs.png", picture_sheet(pictures))
    (out / "pairs.md").write_text(table(rows), encoding="utf-8")


def table(rows: dict[str, list[Row]]) -> str:
    """Return what was named, and how often rightly."""
    every = [(clip, row) for clip, found in rows.items() for row in found]
    columns = list(dict.fromkeys(name for _, row in every for name in row.numbers))
    places = [name for name in columns if name.startswith("place")]
    lines = [f"{len(every)} pairs. Rightly named first:", ""]
    for name in places:
        right = sum(row.numbers[name] == 1 for _, row in every)
        lines.append(f"* {name.removeprefix('place ').strip('()')}: {right} of {len(every)}")
    for column, said in (
        ("ratio", ""),
        ("ratio within", ", 2 px inside the rim"),
        ("full size, object", ", at the footage's size"),
        ("full size, alone", ", at the footage's size where both frames show the object alone"),
        ("full size, within", ", at the footage's size inside the rim"),
        ("full size, textured", ", at the footage's size where texture tells the motion"),
        ("full size, own motion", ", at the footage's size along each video's own motion"),
        ("full size, own motion, within", ", the same inside the rim"),
    ):
        found = (row.numbers.get(column) for _, row in every)
        ratios = [float(ratio) for ratio in found if ratio is not None]
        if not ratios:
            continue
        fine = sum(ratio <= STEADY for ratio in ratios)
        lines.append(
            f"* warp error in that of the source{said}: median {np.median(ratios):.3g}, "
            f"at most {STEADY} in {fine} of {len(ratios)}, most {max(ratios):.3g}"
        )
    lines += ["", f"| clip | material | {' | '.join(columns)} |"]
    lines.append("| --- " * (2 + len(columns)) + "|")
    for clip, row in every:
        cells = [
            value if isinstance(value, str) else f"{value:.3g}" if value is not None else ""
            for value in (row.numbers.get(name) for name in columns)
        ]
        lines.append(f"| {clip} | {row.name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
