"""A sweep: many texts, seeds and strengths from one decomposition, in one process.

A text is one artifact of the stylization with a candidate for each seed, the very one that a job
for this text reads: so a cell becomes frames without new training, and a sweep that was stopped
goes on where it was. Of each cell one frame is rendered, not the whole clip.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from . import results
from .contract.events import Stopped
from .contract.job import BACKGROUND, Stage, Sweep
from .contract.settings import replace_setting
from .contract.sweeps import SHEET_FILE, Cell, best_first, write_cells
from .evaluation.sheet import fit, rows_of_cells
from .render import Part, stylized_frames
from .restyling import Restyling, Source
from .stages import CachedArtifact
from .stylization import candidates
from .stylization.atlas import StylizedAtlas
from .stylization.atlas_files import load_atlas
from .stylization.boxes import slices_around
from .video.clip import Clip
from .video.frames import whole_frames
from .video.images import over_black, write_png
from .video.premultiplied import Premultiplied

AROUND = 0.1  # of the frame's longer side, what the sheet shows around the object


@dataclass(frozen=True)
class ShownFrame:
    """The frame of the clip that shows most of the object, and the box of that around it."""

    index: int
    pixels: np.ndarray  # [H, W, 3] or [H, W, 4]
    box: tuple[slice, slice]

    def around_object(self, frame: np.ndarray) -> np.ndarray:
        """Return what the sheet shows of a ``frame`` of this size, small."""
        return fit(over_black(frame[self.box]))


def write_sweep(rest: Restyling, clip: Clip, sources: dict[int, Source], sweep: Sweep) -> None:
    """Train what is missing of ``sweep``, and write its folder; raises EngineError or Stopped.

    ``sources`` are those of any of its texts.
    """
    front = 0 if rest.spec.objects else BACKGROUND
    artifacts = []
    for text in sweep.texts:
        texts = replace(sources[front].texts, global_text=text)
        swept = {**sources, front: replace(sources[front], texts=texts)}
        artifacts.append(rest.atlas_artifacts(clip, swept))
    keys = dict.fromkeys(artifact.key for each in artifacts for artifact in each.values())
    reused = all(rest.stages.cache.has(Stage.STYLIZATION, key) for key in keys)
    plain = [Part(each.layers, None, number == BACKGROUND) for number, each in sources.items()]
    _, plain = rest.apply_pins(clip, [part.layers for part in plain], plain)
    parts = dict(zip(sources, plain, strict=True))
    shown = choose_frame(rest, sources[front].layers.alpha)

    def write(folder: Path) -> None:
        cells: dict[Cell, np.ndarray] = {}
        with rest.stages.announce(Stage.STYLIZATION, [*keys], reused=reused):
            for index, text in enumerate(sweep.texts):
                with rest.report.share(index, len(sweep.texts)):
                    looks = _Looks(rest, clip, parts, artifacts[index])
                    looks.train()
                for cell, frame in looks.render(shown, sweep.strengths):
                    picture = f"{index + 1:03d}-{cell.candidate}-{100 * cell.strength:g}.png"
                    write_png(folder / picture, frame)
                    whole = replace(cell, text=text, picture=picture)
                    cells[whole] = shown.around_object(frame)
                rest.report.preview("sweep", _sheet(cells, shown))
        with rest.stages.announce(Stage.RENDER, [rest.render_key()], reused=False):
            write_cells([*cells], folder)
            write_png(folder / SHEET_FILE, _sheet(cells, shown))

    results.write_whole(rest.report.folder.sweep, write)


def choose_frame(rest: Restyling, alpha: Tensor) -> ShownFrame:
    """Return the frame of the footage that shows most of the object with ``alpha`` [T, h, w]."""
    index = int(alpha.flatten(1).sum(1).argmax())
    frames = whole_frames(rest.spec.footage, 8)
    if rest.spec.footage.premultiplied:
        frames = Premultiplied().straight(frames)
    pixels = next(itertools.islice(frames, index, None))
    height, width = alpha.shape[1:]
    rows, columns = slices_around(alpha[index] > 0.5, round(AROUND * max(height, width)))
    box = _scale(rows, pixels.shape[0] / height), _scale(columns, pixels.shape[1] / width)
    return ShownFrame(index, pixels, box)


def _scale(ends: slice, factor: float) -> slice:
    return slice(int(ends.start * factor), int(ends.stop * factor))


@dataclass(frozen=True)
class _Looks:
    """The candidates of one text."""

    rest: Restyling
    clip: Clip
    plain: dict[int, Part]  # before they have an atlas
    artifacts: dict[int, CachedArtifact[StylizedAtlas]]

    def train(self) -> None:
        """Train what is not in the cache."""
        for artifact in self.artifacts.values():
            self.rest.stages.beside(Stage.STYLIZATION, artifact)

    def render(
        self, shown: ShownFrame, strengths: Sequence[float]
    ) -> list[tuple[Cell, np.ndarray]]:
        """Return the cells, without text and file name, and their frames [H, W, C]."""
        cache, found = self.rest.stages.cache, []
        front = cache.folder(Stage.STYLIZATION, next(iter(self.artifacts.values())).key)
        parts = self.plain
        for entry in candidates.read_ranking(front):
            painted = self._with_atlases(parts, entry.candidate)
            whole = self.rest.with_flow_residuals(self.clip, [*painted.values()])
            parts = dict(zip(painted, whole, strict=True))
            for strength in strengths:
                if self.rest.report.stopping():
                    raise Stopped
                settings = replace_setting(self.rest.spec.settings.render, "strength", strength)
                (frame,) = stylized_frames(
                    [shown.pixels], whole, settings, device=self.rest.device, start=shown.index
                )
                score = round(entry.score, 4)
                found.append((Cell("", entry.seed, entry.candidate, strength, score, ""), frame))
        return found

    def _with_atlases(self, parts: dict[int, Part], candidate: int) -> dict[int, Part]:
        """Return ``parts`` with the atlases of a candidate; what else they hold stays."""
        cache, parts = self.rest.stages.cache, {**parts}
        for number, artifact in self.artifacts.items():
            folder = cache.folder(Stage.STYLIZATION, artifact.key)
            atlas = load_atlas(candidates.folder_of(folder, candidate))
            parts[number] = replace(parts[number], atlas=atlas)
        return parts


def _sheet(cells: dict[Cell, np.ndarray], shown: ShownFrame) -> np.ndarray:
    """Return the contact sheet: the footage, then all cells, the best first."""
    found = [("Source", shown.around_object(shown.pixels))]
    return rows_of_cells(found + [(each.caption, cells[each]) for each in best_first([*cells])])
