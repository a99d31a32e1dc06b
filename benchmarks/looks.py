"""A fixed list of looks, judged by networks that guided nothing: the protocol of `protocol/`.

    python -m benchmarks.looks --clips CLIPS --photos PHOTOS --split held-out --seeds 1 2 3

CLIPS holds one folder for each clip with ``frames/`` and, where there are some, ``masks/``; PHOTOS,
or ``materials/`` in it, has labels.csv and photographs of materials. Jobs run one after another.
Writes into --out: the jobs, ``numbers/``, ``sheets/`` (look at them), ``looks.json``, ``looks.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.contract.settings import PRESET_NAMES
from engine.evaluation.warping_error import QUOTED
from engine.workspace import Cache

from .decomposition import machine
from .judging import photographs
from .protocol import jobs, measuring, sheets, tables
from .protocol.looks import SPLITS, Look, chosen

RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str] | None = None, run: jobs.Runner | None = None) -> int:
    """Make, judge and tell what is asked for; returns 0, or 1 where a job failed."""
    options = parsed(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    order = jobs.Order(
        options.clips.absolute(), options.out.absolute(),
        (options.cache or options.out / "cache").absolute(), options.preset,
        tuple(options.assignments), options.encoder, options.threads,
    )  # fmt: skip
    judge = materials(options)
    asked = measuring.Measuring(judge)
    runner = run or jobs.engine_runner(options.threads)
    rows: list[dict[str, Any]] = []
    for seed in options.seeds:
        views: dict[str, dict[str, np.ndarray]] = {}
        for look in options.looks:
            numbers = numbers_of(order, look, seed, asked, runner, options)
            if numbers is None:
                continue
            rows.append(tables.row(look, seed, numbers))
            write(rows, order, options, judge)
            add_view(views.setdefault(look.clip.name, {}), order, look, seed, numbers)
        for clip, pictures in views.items():
            if pictures:
                sheets.write_clip(order.out / "sheets" / f"{clip}-{seed}.png", pictures)
    print(write(rows, order, options, judge))
    return int(any(row.get("failed") for row in rows))


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line; ``looks`` are those that it chooses."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.looks", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--clips", type=Path, required=True, metavar="CLIPS")
    parser.add_argument("--photos", type=Path, help="without it materials are judged by eye only")
    parser.add_argument("--out", type=Path, default=Path("build/looks"))
    parser.add_argument("--cache", type=Path, help="of finished stages (default: OUT/cache)")
    parser.add_argument("--split", choices=(*SPLITS, "all"), default="tune")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--only", default="", metavar="NAME,...", help="clips, texts or looks")
    parser.add_argument("--preset", choices=PRESET_NAMES, default="draft")
    parser.add_argument("--encoder", default="")
    parser.add_argument("--set", action="append", default=[], dest="assignments")
    parser.add_argument("--threads", type=int, default=0, help="of each job; 0 for the engine's")
    parser.add_argument("--again", action="store_true", help="also what is finished")
    parser.add_argument("--judge-only", action="store_true", help="run nothing, judge what is made")
    parser.add_argument("--keep", metavar="NAME", help="copy the tables to results/looks-NAME.*")
    options = parser.parse_args(arguments)
    only = tuple(part.strip() for part in options.only.split(",") if part.strip())
    try:
        options.looks = chosen(options.split, only)
    except ValueError as error:
        parser.error(f"--only: {error}")
    for clip in sorted({each.clip.name for each in options.looks}):
        if not (options.clips / clip / "frames").is_dir():
            parser.error(f"--clips: {options.clips / clip / 'frames'} is not there.")
    if options.photos and not any(options.photos.glob("**/labels.csv")):
        parser.error(f"--photos: there is no labels.csv in {options.photos}.")
    if not options.looks:
        parser.error("--only: none of these is in this split; try --split all.")
    return options


def materials(options: argparse.Namespace) -> photographs.MaterialJudge | None:
    """Train the judge of materials, where there are photographs and it is needed."""
    if options.photos is None or not any(
        look.texts.judge in photographs.LABELS for look in options.looks
    ):
        return None
    folder = options.photos
    if not (folder / "labels.csv").exists():
        folder = folder / "materials"
    found = photographs.read_labels(folder)
    features = photographs.features_of(found, options.out / "photographs.npz")
    judge = photographs.train(found, features)
    print(judge.told(), flush=True)
    return judge


def numbers_of(
    order: jobs.Order, look: Look, seed: int, asked: measuring.Measuring, run: jobs.Runner,
    options: argparse.Namespace,
) -> dict[str, Any] | None:  # fmt: skip
    """Return the numbers of one look, making and judging it where that is needed.

    None where it has not been made and nothing is to be made.
    """
    if options.again and not options.judge_only:
        jobs.forget(order, look, seed)
    kept = jobs.kept_numbers(order, look, seed)
    if kept and not options.judge_only:
        return kept
    folder = jobs.job_folder(order, look, seed)
    print(f"{look.name}, seed {seed}", file=sys.stderr, flush=True)
    if options.judge_only:
        if not folder.report.exists():
            return None
    elif words := jobs.make(order, look, seed, run):
        print(words, file=sys.stderr, flush=True)
        return {"failed": words.splitlines()[-1]}
    done = measuring.read(folder, Cache(order.cache), order.clips / look.clip.name / "masks")
    numbers = jobs.keep_numbers(order, look, seed, asked.numbers(look, done))
    caption = sheets.caption(look.whole, numbers)
    file = order.out / "sheets" / "looks" / f"{look.name}-{seed}.png"
    sheets.write_look(file, caption, done.result, done.where)
    views = order.out / "views"
    views.mkdir(exist_ok=True)
    shown = {"look": sheets.middle_view(done.result, done.where)}
    shown["source"] = sheets.middle_view(done.source, done.where)
    np.savez(views / f"{look.name}-{seed}.npz", **shown)
    return numbers


def add_view(
    pictures: dict[str, np.ndarray], order: jobs.Order, look: Look, seed: int,
    numbers: dict[str, Any],
) -> None:  # fmt: skip
    """Add the source and one look to what a clip's sheet shows."""
    file = order.out / "views" / f"{look.name}-{seed}.npz"
    if numbers.get("failed") or not file.exists():
        return
    with np.load(file) as shown:
        pictures.setdefault(f"Source: {look.clip.thing}", shown["source"])
        pictures[sheets.caption(look.whole, numbers)] = shown["look"]


def write(
    rows: list[dict[str, Any]], order: jobs.Order, options: argparse.Namespace,
    judge: photographs.MaterialJudge | None,
) -> str:  # fmt: skip
    """Write ``looks.json`` and ``looks.md``; returns the latter."""
    facts = {
        "seen": "first, with a probability of at least .3, on the whole object and on close views, "
        "by EfficientNet-Lite 1 and 2 (ImageNet), kin pooled",
        "still the object": "one of its own classes is among the first 20 of 1000, whole view",
        "warping error": f"`{QUOTED}`, in that of the footage (docs/how-it-works.md)",
        "run": f"preset {order.preset}, seeds {' '.join(map(str, options.seeds))}"
        + "".join(f", {each}" for each in (order.encoder, *order.assignments) if each),
        "machine": machine(torch.device("cpu")),
    }
    if judge:
        facts["materials by photographs"] = judge.told()
    text = tables.markdown(facts, rows)
    numbers = json.dumps({"facts": facts, "rows": rows}, indent=1, ensure_ascii=False)
    places = [order.out / "looks"]
    if options.keep:
        places.append(RESULTS / f"looks-{options.keep}")
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.with_suffix(".json").write_text(numbers + "\n", encoding="utf-8")
        place.with_suffix(".md").write_text(text, encoding="utf-8")
    return text


if __name__ == "__main__":
    sys.exit(main())
