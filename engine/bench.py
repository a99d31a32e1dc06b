"""Runs jobs for the evaluation and reads back what they made."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from . import device as devices
from . import pipeline
from .contract.files import read_json
from .contract.folder import JobFolder
from .contract.job import Footage, JobSpec, Stage
from .contract.settings import replace_setting
from .contract.words.choice import with_encoder
from .contract.words.concepts import load_vocabulary
from .decomposition.layers import load_layers
from .evaluation.baseline import per_frame_edit
from .evaluation.evaluate import Made, first_frames
from .evaluation.metrics import BackgroundError, dilate
from .evaluation.warping_error import WarpingError
from .reporter import Reporter
from .stylization import weight_files
from .stylization.encoder import Encoder, load_encoder
from .video.flow import load_flow
from .video.frames import load_video, source_frames
from .video.images import read_rgb
from .video.masks import load_masks
from .workspace import Cache


class Bench:
    """Jobs in folders, stages in one cache; a job that is finished is not run again."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self._encoders: dict[str, Encoder] = {}

    def make(self, spec: JobSpec, out: Path) -> Made:
        """Run ``spec`` in the job folder ``out``, or read what is there."""
        spec = replace(spec, settings=replace_setting(spec.settings, "render.format", "png"))
        folder = JobFolder(out.absolute())
        done = folder.spec.exists() and folder.report.exists() and folder.read_spec() == spec
        if not done:
            folder.write_spec(spec)
            with Reporter(folder) as report:
                pipeline.run(spec, self.cache, report)
        return self._read(folder)

    def make_per_frame(self, spec: JobSpec, out: Path, made: Made, count: int) -> Made:
        """Edit each of the first ``count`` frames of ``made`` alone."""
        made = first_frames(made, count)
        device = devices.choose(spec.settings.device)
        chosen = with_encoder(spec, weight_files.download_folder())
        name = chosen.settings.stylization.encoder
        if name not in self._encoders:
            self._encoders[name] = load_encoder(name, device)
        started = time.monotonic()
        with Reporter(JobFolder(out.absolute() / "alone")) as report:
            result = per_frame_edit(
                made, spec.objects[0].texts, spec.settings,
                encoder=self._encoders[name], device=device, report=report,
            )  # fmt: skip
        background = BackgroundError()
        grown = dilate(made.layers.alpha.numpy() > 0.02)
        for each, source, inside in zip(result, made.source, grown, strict=True):
            background.add(each, source, ~inside)
        seconds = time.monotonic() - started
        return replace(
            made,
            result=result,
            background_psnr=background.psnr(),
            seconds=seconds,
            warping_error={},
        )

    def read_frames(self, out: Path, made: Made, frames: Sequence[Path]) -> Made:
        """Measure ``frames``, another method's, as the job in ``out`` that ``made`` is measured."""
        folder = JobFolder(out.absolute())
        footage = folder.read_spec().footage
        masks = load_masks(self._stage(folder, Stage.MASKS))
        alpha = made.layers.alpha.numpy()
        seen = alpha > 0.5
        seen[masks.known] = masks.masks[masks.known] > 127
        grown = dilate(seen | (alpha > 0.02))
        background = BackgroundError()
        for path, source, inside in zip(frames, source_frames(footage), grown, strict=True):
            size = source.shape[1], source.shape[0]
            around = cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
            background.add(read_rgb(path), source, around == 0)
        result, warping_error = _read_result(frames, footage, made.layers.alpha)
        return replace(
            made,
            result=result,
            warping_error=warping_error,
            background_psnr=background.psnr(),
            seconds=None,
        )

    def _stage(self, folder: JobFolder, which: Stage) -> Path:
        """Return where the cache has the stage of a finished job, of its first object."""
        keys = read_json(folder.report)["keys"]
        return self.cache.folder(which, keys[which.value][0])

    def _read(self, folder: JobFolder) -> Made:
        facts = read_json(folder.report)
        layers = load_layers(self._stage(folder, Stage.DECOMPOSITION))
        pictures = sorted(folder.result.glob("*.png"))
        result, warping_error = _read_result(pictures, folder.read_spec().footage, layers.alpha)
        return Made(
            load_video(self._stage(folder, Stage.FRAMES)).frames,
            result,
            load_flow(self._stage(folder, Stage.FLOW)),
            layers,
            facts["metrics"]["background_psnr"],
            facts["seconds"]["stylization"],
            warping_error,
        )


def _read_result(
    frames: Sequence[Path], footage: Footage, alpha: Tensor
) -> tuple[np.ndarray, Mapping[str, float | None]]:
    """Return ``frames`` at the working size, uint8 [T, H, W, 3], and their warping error."""
    height, width = alpha.shape[1:]
    warping_error = WarpingError(alpha)
    small = []
    for path, source in zip(frames, source_frames(footage), strict=True):
        picture = read_rgb(path)
        warping_error.add(source, picture)
        small.append(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
    return np.stack(small), warping_error.ratios()


def known_materials() -> tuple[str, ...]:
    """Return the materials that classifiers choose from: all that the embedded encoder knows."""
    concepts = load_vocabulary().concepts.values()
    return tuple(dict.fromkeys(name for concept in concepts for name in concept.materials))
