"""Runs jobs for the evaluation and reads back what they made."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from . import device as devices
from . import pipeline
from .contract.folder import JobFolder
from .contract.job import JobSpec, Stage
from .contract.settings import replaced
from .contract.words.concepts import known_vocabulary
from .decomposition.layers import load_layers
from .evaluation.baseline import per_frame_edit
from .evaluation.calm import Calm
from .evaluation.evaluate import Made, first_frames
from .evaluation.metrics import BackgroundError, dilated
from .reporter import Reporter
from .stylization.encoder import Encoder, load_encoder
from .video.flow import load_flow
from .video.frames import load_video, source_frames
from .video.images import read_rgb
from .workspace import Cache


class Bench:
    """Jobs in folders, stages in one cache; a job that is finished is not run again."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self._encoders: dict[str, Encoder] = {}

    def make(self, spec: JobSpec, out: Path) -> Made:
        """Run ``spec`` in the job folder ``out``, or read what is there."""
        spec = replace(spec, settings=replaced(spec.settings, "render.format", "png"))
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
        name = spec.settings.stylization.encoder
        if name not in self._encoders:
            self._encoders[name] = load_encoder(name, device)
        started = time.monotonic()
        with Reporter(JobFolder(out.absolute() / "alone")) as report:
            result = per_frame_edit(
                made.source, made.layers, spec.objects[0].texts, spec.settings,
                encoder=self._encoders[name], device=device, report=report,
            )  # fmt: skip
        background = BackgroundError()
        grown = dilated(made.layers.alpha.numpy() > 0.02)
        for each, source, inside in zip(result, made.source, grown, strict=True):
            background.add(each, source, ~inside)
        seconds = time.monotonic() - started
        return replace(
            made, result=result, background_psnr=background.psnr(), seconds=seconds, calm={}
        )

    def _read(self, folder: JobFolder) -> Made:
        facts = json.loads(folder.report.read_text(encoding="utf-8"))

        def stage(which: Stage) -> Path:
            return self.cache.folder(which, facts["keys"][which.value][0])

        video = load_video(stage(Stage.FRAMES))
        size = video.frames.shape[2], video.frames.shape[1]
        layers = load_layers(stage(Stage.DECOMPOSITION))
        calm = Calm(layers.alpha)
        result = []
        pictures = sorted(folder.result.glob("*.png"))
        for path, source in zip(pictures, source_frames(folder.read_spec().footage), strict=True):
            picture = read_rgb(path)
            calm.add(source, picture)
            result.append(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        return Made(
            video.frames,
            np.stack(result),
            load_flow(stage(Stage.FLOW)),
            layers,
            facts["metrics"]["background_psnr"],
            facts["seconds"]["stylization"],
            calm.ratios(),
        )


def known_materials() -> tuple[str, ...]:
    """Return the materials that judges choose from: those that the embedded encoder was taught."""
    concepts = known_vocabulary().concepts.values()
    return tuple(dict.fromkeys(name for concept in concepts for name in concept.materials))
