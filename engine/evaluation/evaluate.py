"""Runs the paper's experiments on one video: a table and a contact sheet for each.

How a job is run is handed in (`Bench`); this module knows what to run and what to measure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from ..contract.folder import JobFolder
from ..contract.job import JobSpec, TargetTexts
from ..contract.settings import Settings, replace_setting
from ..decomposition.layers import Layers
from ..stylization.boxes import slices_around
from ..video.flow import Flow
from ..video.images import write_png
from . import metrics
from .comparison import OtherFrames
from .experiments import Experiment, Variant, file_name
from .held_out_classifier import HeldOutClassifier, close_views, rank
from .sheet import picture_sheet
from .warping_error import WarpingError

AROUND = 4  # px around the object that belong to its picture
SHOWN = 4  # frames of each variant on the sheet


@dataclass(frozen=True)
class Made:
    """What a job made, at the working size."""

    source: np.ndarray  # uint8 [T, H, W, 3]
    result: np.ndarray  # uint8 [T, H, W, 3]
    flow: Flow
    layers: Layers
    background_psnr: float
    seconds: float | None  # of the stylization; None of another method
    warping_error: Mapping[str, float | None] = field(default_factory=dict)  # by region


class Bench(Protocol):
    """How a job is run, and its per-frame counterpart."""

    def make(self, spec: JobSpec, out: Path) -> Made:
        """Run ``spec`` in the job folder ``out``."""
        ...

    def make_per_frame(self, spec: JobSpec, out: Path, made: Made, count: int) -> Made:
        """Edit each of the first ``count`` frames of ``made`` alone."""
        ...

    def read_frames(self, out: Path, made: Made, frames: Sequence[Path]) -> Made:
        """Return ``made``, of the job folder ``out``, with the ``frames`` of another method."""
        ...


@dataclass(frozen=True)
class Row:
    """One variant's numbers, in the order of the columns."""

    name: str
    numbers: dict[str, float | str | None]
    pictures: list[np.ndarray]
    video: Mapping[str, Any] | None = None  # what a study needs to know of it, see `video_of`


def run_experiment(
    found: Experiment,
    spec: JobSpec,
    out: Path,
    bench: Bench,
    classifiers: Sequence[HeldOutClassifier],
    *,
    others: OtherFrames,
    frames_alone: int,
    say: Callable[[str], None],
) -> list[Row]:
    """Run all variants of ``found`` on the one object of ``spec``; returns their rows.

    Below each of ours come those that ``others`` made of the same text. Leaves ``NAME.md``,
    ``NAME.json`` and ``NAME.png`` in ``out`` and the job folders below it.
    """
    few = any(each.per_frame for each in found.variants)
    rows = []
    for variant in found.variants:
        say(f"{found.name}: {variant.name}")
        wanted = spec_of(spec, variant)
        folder = out / "jobs" / found.name / file_name(variant.name)
        made = bench.make(wanted, folder)
        if variant.per_frame:
            made = bench.make_per_frame(wanted, folder, made, frames_alone)
        shown = [(variant.method, variant.name, made, JobFolder(folder).result)]
        for method, frames in others.get((found.name, variant.name), {}).items():
            theirs = bench.read_frames(folder, made, frames)
            shown.append((method, f"{variant.name}, {method}", theirs, frames[0].parent))
        for method, name, each, place in shown:
            each = first_frames(each, frames_alone) if few else each
            video = None if few else video_of(method, wanted, place, out)
            row = row_of(replace(variant, name=name), each, classifiers)
            rows.append(replace(row, video=video))
    write_rows(found, rows, out)
    return rows


def video_of(method: str, spec: JobSpec, frames: Path, out: Path) -> dict[str, Any]:
    """Return what a study needs to know of one result; ``frames`` below ``out`` stay relative."""
    place = frames.absolute()
    return {
        "method": method,
        "text": spec.objects[0].texts.global_text,
        "local_text": spec.objects[0].texts.local,
        "frames": (place.relative_to(out) if place.is_relative_to(out) else place).as_posix(),
        "frames_per_second": spec.footage.frames_per_second,
    }


def spec_of(spec: JobSpec, variant: Variant) -> JobSpec:
    """Return the request of one variant."""
    target = replace(spec.objects[0], texts=variant.texts)
    settings: Settings = spec.settings
    for path, value in variant.changes.items():
        settings = replace_setting(settings, path, value)
    return replace(spec, objects=(target,), background=TargetTexts(), settings=settings)


def first_frames(made: Made, count: int) -> Made:
    """Return the first ``count`` frames of ``made`` only."""
    flow, layers = made.flow, made.layers
    between = slice(0, count - 1)
    return replace(
        made,
        warping_error={},
        source=made.source[:count],
        result=made.result[:count],
        flow=replace(
            flow,
            forward=flow.forward[between],
            backward=flow.backward[between],
            forward_valid=flow.forward_valid[between],
            backward_valid=flow.backward_valid[between],
        ),
        layers=replace(
            layers,
            uv=layers.uv[:count],
            alpha=layers.alpha[:count],
            foreground=layers.foreground[:count],
            background=layers.background[:count],
            uv_background=layers.uv_background[:count],
        ),
    )


def row_of(variant: Variant, made: Made, classifiers: Sequence[HeldOutClassifier]) -> Row:
    """Measure one variant."""
    inside = made.layers.alpha.numpy() > 0.5
    ratios = _warp_errors(made, inside)
    within = _warp_errors(made, metrics.interior(inside))
    numbers: dict[str, float | str | None] = {
        "warp error": ratios[1],
        "of the source": ratios[0],
        "ratio": ratios[1] / max(ratios[0], 1e-9),
        "ratio within": within[1] / max(within[0], 1e-9),
        "own motion": _own_motion(made),
        **{f"full size, {region}": value for region, value in made.warping_error.items()},
        "background PSNR": made.background_psnr,
        "variation": metrics.variation(_unit(made.result), inside),
        "bare": bare_part(made),
        "seconds": made.seconds,
    }
    for classifier in classifiers:
        numbers |= classifier_scores(classifier, variant, made)
    shown = np.linspace(0, len(made.result) - 1, SHOWN).round().astype(int)
    return Row(variant.name, numbers, [made.result[at] for at in shown])


def _warp_errors(made: Made, where: np.ndarray) -> list[float]:
    """Return the warp error of source and result, each divided by its own variance there."""
    facts = made.flow.forward, made.flow.forward_valid, where
    return [
        metrics.warp_error(video, *facts) / max(metrics.colour_variance(video, where), 1e-9)
        for video in (_unit(made.source), _unit(made.result))
    ]


def bare_part(made: Made) -> float | None:
    """Return how much of the object looks as it does in the footage, as a part of its area.

    None where no frame has the object.
    """
    parts = []
    for alpha, *pictures in zip(made.layers.alpha, made.result, made.source, strict=True):
        if not (alpha > 0.5).any():
            continue
        box = slices_around(alpha > 0.5, AROUND)
        stylized, shown = (
            alpha[box] * torch.from_numpy(_unit(picture[box])).permute(2, 0, 1)
            for picture in pictures
        )
        parts.append(float(metrics.bareness(stylized, shown, alpha[box][None])))
    return float(np.mean(parts)) if parts else None


def _own_motion(made: Made) -> float | None:
    """Return how many times the source's warp error the result has, each along its own motion."""
    warping_error = WarpingError(made.layers.alpha)
    for pair in zip(made.source, made.result, strict=True):
        warping_error.add(*pair)
    return warping_error.ratios()["own motion"]


def classifier_scores(
    classifier: HeldOutClassifier, variant: Variant, made: Made
) -> dict[str, float | str | None]:
    """Return the scores of ``classifier`` for one result, by column, its name in each."""
    head = classifier.name.rpartition("/")[2].removeprefix("python:")
    alpha = made.layers.alpha
    views = close_views(torch.from_numpy(made.result), alpha, classifier.size)
    named = classifier.materials(views)
    place, share = rank(named, variant.material)
    found: dict[str, float | str | None] = {
        f"named by {head}": f"{named[0][0]} {named[0][1]:.2f}",
        f"place ({head})": float(place),
        f"share ({head})": share,
    }
    text = classifier.text(variant.texts.local)
    seen = classifier.embed(views)
    if text is not None and seen is not None:
        found[f"text score ({head})"] = metrics.text_similarity(seen, text)
        each = seen.unflatten(0, (-1, len(seen) // min(8, len(made.result)))).mean(1)
        found[f"consistency ({head})"] = metrics.frame_consistency(each)
    return found


def write_rows(found: Experiment, rows: Sequence[Row], out: Path) -> None:
    """Write the table, the numbers and the contact sheet of one experiment."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{found.name}.md").write_text(markdown(found, rows), encoding="utf-8")
    facts: list[Mapping[str, Any]] = [{"variant": row.name, **row.numbers} for row in rows]
    videos = [row.video for row in rows if row.video]
    table = {"question": found.question, "rows": facts, "videos": videos}
    text = json.dumps(table, indent=1, ensure_ascii=False)
    (out / f"{found.name}.json").write_text(text, encoding="utf-8")
    write_png(out / f"{found.name}.png", picture_sheet([(row.name, row.pictures) for row in rows]))


def markdown(found: Experiment, rows: Sequence[Row]) -> str:
    """Return the table of one experiment."""
    columns = list(dict.fromkeys(name for row in rows for name in row.numbers))
    lines = [
        f"# {found.name.capitalize()}",
        "",
        found.question,
        "",
        f"| {found.name} | {' | '.join(columns)} |",
        "| --- " * (1 + len(columns)) + "|",
    ]
    for row in rows:
        cells = [_cell(row.numbers.get(column)) for column in columns]
        lines.append(f"| {row.name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.4g}"


def _unit(frames: np.ndarray) -> np.ndarray:
    return frames.astype(np.float32) / 255
