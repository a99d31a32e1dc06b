"""What a job leaves for the host: ``masks/``, ``checks/``, or ``result/`` and ``report.json``.

Frames are written into a part folder, which gets its name when the report is there as well.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import manifest
from .contract.events import Stopped
from .contract.files import replace_folder, whole_folder, write_text
from .contract.folder import JobFolder
from .contract.job import FootageKind, JobSpec
from .output import Output
from .overlays import numbered_objects
from .reporter import Reporter
from .video import images
from .video.premultiplied import Premultiplied
from .video.probing import movie_facts
from .video.provenance import Provenance
from .workspace import explain_failures


def write_masks(folder: JobFolder, masks: Sequence[np.ndarray], frames: np.ndarray) -> None:
    """Write for each frame the number of the object that is seen at each pixel.

    ``masks`` uint8 [T, H, W] of each object, from front to back; ``frames`` [T, H, W, 3].
    """
    write_numbers(folder.masks, numbered_objects(list(masks), frames))


def write_numbers(folder: Path, pictures: Iterable[np.ndarray]) -> None:
    """Write ``pictures``, uint8 [H, W] of each frame, as grey maps that a host can read."""

    def write(part: Path) -> None:
        for index, picture in enumerate(pictures):
            height, width = picture.shape
            header = f"P5 {width} {height} 255\n".encode()
            (part / f"{index:05d}.pgm").write_bytes(header + picture.tobytes())

    write_whole(folder, write)


def write_frames(
    spec: JobSpec,
    frames: Iterable[np.ndarray],
    measure: Callable[[np.ndarray], None],
    report: Reporter,
    *,
    total: int,
    premultiplied: Premultiplied | None = None,
) -> dict[str, Any]:
    """Write all ``total`` ``frames`` where `publish` finds them; returns facts about the files.

    ``measure`` sees each frame, uint8 [H, W, C]; ``premultiplied`` is that of `Output`.
    Raises EngineError or Stopped.
    """
    unfinished = _partial_folder(report.folder)
    footage, settings = spec.footage, spec.settings.render
    made_from = Provenance(spec.title, spec.settings.seed, f"Strip Stylizer {manifest.version()}")
    is_movie = footage.kind is FootageKind.MOVIE
    with explain_failures(unfinished.parent):
        _empty(unfinished)
        with Output(
            unfinished, settings.format, footage.frames_per_second, made_from,
            source=movie_facts(Path(footage.path)) if is_movie else None,
            premultiplied=premultiplied,
        ) as output:  # fmt: skip
            for count, frame in enumerate(frames, start=1):
                if report.stopping():
                    raise Stopped
                output.add(frame)
                shown = images.eight_bit(frame)
                measure(shown if settings.foreground_only else images.over_black(shown))
                if count == 1 + total // 2:
                    report.preview("frame", shown)
                report.progress(count, total)
    return output.facts()


def write_whole(folder: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill ``folder``, such as ``layers/``, which has its name when it is whole."""
    with explain_failures(folder.parent), whole_folder(folder) as part:
        write(part)


def publish(folder: JobFolder, facts: dict[str, Any]) -> None:
    """Write ``report.json`` and give the frames their folder: now the job is done."""
    with explain_failures(folder.path):
        write_text(folder.report, json.dumps(facts, indent=1, ensure_ascii=False))
        replace_folder(_partial_folder(folder), folder.result)


def _partial_folder(folder: JobFolder) -> Path:
    """Where frames are until all of them are there."""
    return folder.path / ".result.part"


def _empty(part: Path) -> None:
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
