"""Contact sheet and before-after movie of finished jobs, for the eye."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..contract.events import EngineError, Fault
from ..contract.folder import JobFolder
from ..video.frames import source_frames
from ..video.images import read_rgb, write_png
from ..video.movie_writer import write_movie

COLUMNS = 4
LAYER_PICTURES = (
    ("mask", "Mask"),
    ("alpha", "Alpha"),
    ("atlas", "Foreground atlas"),
    ("atlas_background", "Background atlas"),
)
CELL = (360, 240)  # width, height
CAPTION = 30
GAP = 6
PAPER, INK = 24, (232, 232, 232)


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


def picture_sheet(rows: Sequence[tuple[str, Sequence[np.ndarray]]]) -> np.ndarray:
    """Return one row of pictures, uint8 [H, W, 3], for each name; rows may differ in length."""
    most = max(len(pictures) for _, pictures in rows)
    empty = np.full((8, 8, 3), PAPER, np.uint8)
    return np.vstack(
        [
            np.hstack([cell(each, name) for each in [*pictures, *[empty] * (most - len(pictures))]])
            for name, pictures in rows
        ]
    )


def rows_of_cells(pictures: Sequence[tuple[str, np.ndarray]]) -> np.ndarray:
    """Return pictures, uint8 [H, W, 3], with their captions in rows of `COLUMNS`."""
    cells = [cell(picture, caption) for caption, picture in pictures]
    cells += [np.full_like(cells[0], PAPER)] * (-len(cells) % COLUMNS)
    rows = [np.hstack(cells[at : at + COLUMNS]) for at in range(0, len(cells), COLUMNS)]
    return np.vstack(rows)


def fit(picture: np.ndarray, size: tuple[int, int] = CELL) -> np.ndarray:
    """Return a picture as large as fits into ``size`` (width, height)."""
    width, height = size
    scale = min(width / picture.shape[1], height / picture.shape[0])
    across, down = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(picture, (across, down), interpolation=method)


def cell(picture: np.ndarray, caption: str, size: tuple[int, int] = CELL) -> np.ndarray:
    """Fit a picture into one cell of the sheet (width, height), with its caption below."""
    width, height = size
    small = fit(picture, size)
    down, across = small.shape[:2]
    field = np.full((height + CAPTION + GAP, width + GAP, 3), PAPER, np.uint8)
    top, left = (height - down) // 2, (width - across) // 2
    field[top : top + down, left : left + across] = small
    return _with_caption(field, caption, height + 20)


def _with_caption(picture: np.ndarray, caption: str, baseline: int) -> np.ndarray:
    plain = caption.encode("ascii", "replace").decode()
    while cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)[0][0] > picture.shape[1] - 10:
        plain = plain[:-4] + "..." if plain.endswith("...") else plain[:-1] + "..."
    cv2.putText(
        picture, plain, (4, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA
    )  # fmt: skip
    return picture
