"""From a finished job to its numbers and to the pictures of its sheet."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.folder import JobFolder
from engine.contract.job import Stage
from engine.decomposition.layers import load_layers
from engine.evaluation.warping_error import WarpingError
from engine.video.frames import source_frames
from engine.video.images import image_names, read_rgb
from engine.workspace import Cache

from ..judging import judge, networks
from ..judging.__main__ import read_masks
from ..judging.kin import LOOKS, look_classes, object_classes
from ..judging.photographs import MaterialJudge
from .looks import Look

REPORTED = ("background_psnr", "uv_drift_10")
TIMED = (Stage.DECOMPOSITION, Stage.STYLIZATION, Stage.RENDER)


@dataclass(frozen=True)
class Finished:
    """The frames of a finished job and of its footage, and where the object is."""

    source: list[np.ndarray]  # each uint8 [H, W, 3]
    result: list[np.ndarray]
    where: np.ndarray  # masks [T, h, w], given ones where there are some, alpha elsewhere
    warping_error: dict[str, float | None]  # see `WarpingError.ratios`
    report: dict[str, Any]


@dataclass
class Measuring:
    """Judges looks; what the judges say of the untouched footage is asked once for each clip."""

    materials: MaterialJudge | None
    _footage: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def numbers(self, look: Look, done: Finished) -> dict[str, Any]:
        """Return all numbers of one look.

        ``judged_by`` says who tells whether the look is there: "imagenet", "photographs" or "eye".
        ``whole``, ``close``, ``seen``, ``own_place`` and ``still`` are as in `judge.judge_frames`;
        what only the eye judges has the last two alone. ``footage`` is the same of the source.
        """
        numbers: dict[str, Any] = {"judged_by": self._who(look)}
        numbers |= self._judged(look, done.result, done.where)
        numbers["footage"] = self._judged(look, done.source, done.where, untouched=True)
        numbers["calm"] = {name: _rounded(value) for name, value in done.warping_error.items()}
        metrics, seconds = done.report["metrics"], done.report["seconds"]
        numbers |= {name: _rounded(metrics.get(name)) for name in REPORTED}
        numbers["seconds"] = {
            stage.value: _rounded(seconds[stage.value]) for stage in TIMED if stage.value in seconds
        }
        return numbers

    def _who(self, look: Look) -> str:
        if look.texts.judge in LOOKS:
            return "imagenet"
        known = self.materials is not None and self.materials.knows(look.texts.judge)
        return "photographs" if known else "eye"

    def _judged(
        self, look: Look, frames: list[np.ndarray], where: np.ndarray, untouched: bool = False
    ) -> dict[str, Any]:
        def ask(who: str, judging: judge.Judging) -> tuple[np.ndarray, np.ndarray]:
            key = look.clip.name, who
            if not untouched:
                return judge.mean_probabilities(frames, where, judging)
            if key not in self._footage:
                self._footage[key] = judge.mean_probabilities(frames, where, judging)
            return self._footage[key]

        who = self._who(look)
        seen = whole, _ = ask("imagenet", networks.probabilities)
        wanted: tuple[int, ...] = ()
        if who == "imagenet":
            wanted = look_classes(look.texts.judge)
        elif who == "photographs":
            assert self.materials
            seen, wanted = ask(who, self.materials), self.materials.classes(look.texts.judge)
        own = judge.own_scores(whole, object_classes(look.clip.thing))
        return {**judge.look_scores(*seen, wanted), **own} if wanted else own


def read(folder: JobFolder, cache: Cache, masks: Path) -> Finished:
    """Read a finished job; ``masks`` is a folder of true masks, where there is one."""
    report = json.loads(folder.report.read_text(encoding="utf-8"))
    key = report["keys"][Stage.DECOMPOSITION.value][0]
    alpha = load_layers(cache.folder(Stage.DECOMPOSITION, key)).alpha
    source = list(source_frames(folder.read_spec().footage))
    result = [read_rgb(folder.result / name) for name in image_names(folder.result)]
    warping_error = WarpingError(alpha)
    for pair in zip(source, result, strict=True):
        warping_error.add(*pair)
    where = read_masks(masks)[: len(source)] if masks.is_dir() else alpha.numpy()
    return Finished(source, result, where, warping_error.ratios(), report)


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
