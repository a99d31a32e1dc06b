"""Contact sheet and before-after movie of finished jobs, for the eye."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..contract.events import EngineError, Fault
from ..contract.folder import JobFolder
from ..video.frames import source_frames
from ..video.images import read_rgb, write_png
from ..video.movie_writer import write_movie
from .cells import PAPER, cell

COLUMNS = 4
LAYER_PICTURES = (
    ("mask", "Mask"),
    ("alpha", "Alpha"),
    ("atlas", "Foreground atlas"),
    ("atlas_background", "Background atlas"),
)


def write_sheet(jobs: list[JobFolder], out: Path) -> list[Path]:
    """Write ``contact_sheet.png`` and ``before_after.mp4`` into ``out``; returns their paths.

    All jobs show the same footage. Raises EngineError where one of them is not finished.
    """
    for job in jobs:
        if not job.result.is_dir() or not job.report.is_file():
            raise EngineError(
                Fault.BAD_JOB, f"{job.path} has no finished frames.", "Run the job first."
            )
        if not (job.result / "00000.png").is_file():
            raise EngineError(
                Fault.BAD_JOB,
                f"The result of {job.path} is no sequence of PNG images, which the sheet reads.",
                "Run the job again with --set render.format=png: only the rendering is done anew.",
            )
    out.mkdir(parents=True, exist_ok=True)
    sheet, movie = out / "contact_sheet.png", out / "before_after.mp4"
    write_png(sheet, _sheet(jobs))
    footage = jobs[0].read_spec().footage
    write_movie(movie, _pairs(jobs), footage.frames_per_second)
    return [sheet, movie]


def _sheet(jobs: list[JobFolder]) -> np.ndarray:
    source = list(source_frames(jobs[0].read_spec().footage))
    shown = np.linspace(0, len(source) - 1, COLUMNS).round().astype(int)
    rows = [
        [cell(source[index], f"Source, frame {index + 1}") for index in shown],
        [cell(_preview(jobs[0], name), caption) for name, caption in LAYER_PICTURES],
    ]
    for job in jobs:
        text = job.read_spec().title
        frames = [cell(_result(job, index), text) for index in shown[:-1]]
        rows.append([*frames, cell(_preview(job, "stylized_atlas"), _scores(job))])
    return np.vstack([np.hstack(row) for row in rows])


def _scores(job: JobFolder) -> str:
    metrics = json.loads(job.report.read_text(encoding="utf-8"))["metrics"]
    before, after = metrics["text_similarity_before"], metrics["text_similarity_after"]
    if before is None or after is None:
        return "Stylized atlas"
    return f"Stylized atlas, text {before:.2f} to {after:.2f}"


def _preview(job: JobFolder, name: str) -> np.ndarray:
    path = job.preview / f"{name}.png"
    return read_rgb(path) if path.exists() else np.full((8, 8, 3), PAPER, np.uint8)


def _result(job: JobFolder, index: int) -> np.ndarray:
    return read_rgb(job.result / f"{index:05d}.png")


def _pairs(jobs: list[JobFolder]) -> Iterator[np.ndarray]:
    """Yield source and results beside each other, in two columns."""
    for index, source in enumerate(source_frames(jobs[0].read_spec().footage)):
        pictures = [source, *(_result(job, index) for job in jobs)]
        if len(pictures) % 2:
            pictures.append(np.full_like(source, PAPER))
        rows = [np.hstack(pictures[at : at + 2]) for at in range(0, len(pictures), 2)]
        yield np.vstack(rows)
