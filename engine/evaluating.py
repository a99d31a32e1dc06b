"""What the verb ``evaluate`` does: experiments, the page of a study, and what its raters said."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from . import requests
from .contract.events import EngineError, Fault
from .contract.files import write_text
from .workspace import Cache, default_cache, explain_failures

SHOWN = ("examples",)  # what a study shows where no experiment is named


def evaluate(options: argparse.Namespace) -> int:
    """Do what the options ask for, one after the other, and print the tables."""
    if options.scores:
        return _scores(options)
    if options.footage:
        if not options.out:
            raise _refusal("The tables have no place.", "Name their folder with --out.")
        _experiments(options)
    elif not options.study:
        raise _refusal(
            "There is nothing to evaluate.",
            "Name FOOTAGE, or --study with --of, or --scores with --key.",
        )
    if options.study:
        _study(options)
    return 0


def _experiments(options: argparse.Namespace) -> None:
    from .evaluation.comparison import named_folders, other_frames
    from .evaluation.experiments import NAMES, experiment
    from .evaluation.paper import read_styles

    own = read_styles(options.texts) if options.texts else {}
    found = [
        experiment(name, thing=options.thing, materials=options.materials, own=own)
        for name in options.experiments or NAMES
    ]
    spec = requests.for_evaluation(options, found[0].variants[0].texts)
    others = other_frames(named_folders(options.compare), found, spec.footage)

    from . import device
    from .bench import Bench, known_materials
    from .evaluation.evaluate import markdown, run_experiment
    from .evaluation.held_out_classifier import load_classifier

    chosen = device.choose(spec.settings.device)
    known = known_materials()
    classifiers = [load_classifier(name, known, chosen) for name in options.judge]
    bench = Bench(Cache((options.cache or default_cache()).absolute()))
    out = options.out.absolute()
    for each in found:
        with explain_failures(out):
            rows = run_experiment(
                each, spec, out, bench, classifiers, others=others,
                frames_alone=options.frames_alone, say=lambda text: print(text, flush=True),
            )  # fmt: skip
        print(markdown(each, rows))


def _study(options: argparse.Namespace) -> None:
    from .evaluation.study import find_videos, write_study

    folders: Sequence[Path] = options.of or ([options.out] if options.footage else [])
    if not folders:
        raise _refusal(
            "The study has no videos.", "Name folders of earlier evaluations with --of, or FOOTAGE."
        )
    videos = find_videos([each.absolute() for each in folders], options.experiments or SHOWN)
    out = options.study.absolute()
    with explain_failures(out.parent):
        key = write_study(videos, out, options.study_seed)
    print(f"{out / 'index.html'}: {len(videos)} videos for the raters")
    print(f"{key}: whose they are; keep it, for --scores FILE... --key {key.name}")


def _scores(options: argparse.Namespace) -> int:
    from .evaluation.scores import facts, markdown, read_scores

    if not options.key:
        raise _refusal(
            "Nobody says which video is whose.", "Name the .key.json beside the study with --key."
        )
    methods = read_scores(options.scores, options.key)
    table = markdown(methods)
    if options.out:
        out = options.out.absolute()
        with explain_failures(out):
            out.mkdir(parents=True, exist_ok=True)
            write_text(out / "scores.md", table)
            write_text(out / "scores.json", json.dumps(facts(methods), indent=1))
    print(table, end="")
    return 0


def _refusal(message: str, hint: str) -> EngineError:
    return EngineError(Fault.BAD_JOB, message, hint)
