"""The six stages in order, each reused where an earlier job has done it.

frames -> flow -> masks -> decomposition -> stylization -> render; masks, decomposition and
stylization once for each object. What each stage makes is in `pieces`, how it is reused in
`stages`, what the host gets in `results`.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from . import device as devices
from . import manifest, previews, results
from .contract.codec import to_json
from .contract.events import Finished
from .contract.job import JobSpec, Stage
from .decomposition.layers import Layers, of_background
from .evaluation.measure import Measuring
from .pieces import Pieces
from .render import Part
from .reporter import Reporter
from .stages import Stages
from .stylization import candidates
from .stylization.encoder import Encoder, load_encoder
from .stylization.targets import read_picture
from .stylization.texts import check_texts
from .threads import Crowding
from .video.flow import Flow
from .video.frames import Video
from .video.images import encode_png
from .video.masks import Masks, no_object, visible
from .workspace import Cache, stage_key


def run(spec: JobSpec, cache: Cache, report: Reporter) -> None:
    """Do the job up to its last stage.

    Where that is the render, the frames are in ``result/`` and the numbers in ``report.json``;
    where it is the masks, they are in ``masks/``. Raises EngineError with a sentence and a
    remedy, or Stopped.
    """
    started = time.monotonic()
    report.encode_png, report.let_go = encode_png, _let_go
    job = _Job(spec, cache, report)
    if job.device.type == "cpu":
        report.ease = Crowding().ease
    for stage, frames in _stages(job):
        if stage is (spec.until or Stage.RENDER):
            report.say(Finished(frames, round(time.monotonic() - started, 3)))
            return


def _stages(job: _Job) -> Iterator[tuple[Stage, int]]:
    """Do one stage after the other; yields each that is done, and the number of frames."""
    video = job.frames()
    count = len(video.frames)
    yield Stage.FRAMES, count
    flow = job.flow(video)
    yield Stage.FLOW, count
    masks = job.masks(video, flow)
    yield Stage.MASKS, count
    layers = job.decomposition(video, flow, masks)
    yield Stage.DECOMPOSITION, count
    parts = job.stylization(video, layers)
    yield Stage.STYLIZATION, count
    job.publish(job.render(video, flow, masks, layers, parts))
    yield Stage.RENDER, count


class _Job:
    """One run of the pipeline: a method for each stage, which also shows what was made."""

    def __init__(self, spec: JobSpec, cache: Cache, report: Reporter) -> None:
        self.spec = spec
        self.report = report
        self.device = devices.choose(spec.settings.device)
        self.facts = devices.describe(self.device)
        report.say(self.facts)
        # The weights first: without them the minutes before the stylization are in vain.
        self.encoder = _checked_encoder(spec, self.device, report)
        self.pieces = Pieces(spec, self.device, report, self.encoder)
        self.stages = Stages(cache, report)
        self.files: dict[str, Any] = {}

    def frames(self) -> Video:
        return self.stages.one(Stage.FRAMES, self.pieces.frames())

    def flow(self, video: Video) -> Flow:
        return self.stages.one(Stage.FLOW, self.pieces.flow(video, self._keys(Stage.FRAMES)))

    def masks(self, video: Video, flow: Flow) -> list[Masks]:
        """Return the masks of each object, from front to back."""
        keys = self._keys(Stage.FLOW)
        pieces = [self.pieces.masks(each.mask, video, flow, keys) for each in self.spec.objects]
        found = self.stages.all(Stage.MASKS, pieces)
        pictures = [masks.masks for masks in found]
        if pictures:
            union = np.maximum.reduce(pictures)
            self.report.preview("mask", previews.overlay(video.frames, union))
        if self.spec.until is Stage.MASKS:
            results.write_masks(self.report.folder, pictures, video.frames)
        return found

    def decomposition(self, video: Video, flow: Flow, masks: Sequence[Masks]) -> list[Layers]:
        """Return the layers of each object; with no object those of the bare background."""
        seen = [visible(masks, index) for index in range(len(masks))]
        seen = seen or [(no_object(video.frames), None)]
        keys = self._keys(Stage.MASKS) or ["no object"]
        pieces = [
            self.pieces.layers(
                video, flow, own, others,
                [*self._keys(Stage.FLOW), keys[index], *keys[:index], *keys[index + 1 :]],
            )
            for index, (own, others) in enumerate(seen)
        ]  # fmt: skip
        layers = self.stages.all(Stage.DECOMPOSITION, pieces)
        for index, each in enumerate(layers):
            self._show(previews.of_layers(each), index)
        return layers

    def stylization(self, video: Video, layers: Sequence[Layers]) -> list[Part]:
        """Return what the frames are made of: all objects, restyled or not, and the background."""
        keys = self._keys(Stage.DECOMPOSITION)
        texts = [item.texts for item in self.spec.objects]
        sources = [(each, [key]) for each, key in zip(layers, keys, strict=True)][: len(texts)]
        if not self.spec.background.empty:
            texts.append(self.spec.background)
            sources.append((of_background(layers, is_bare=not self.spec.objects), keys))
        pieces = [
            self.pieces.atlas(video, *source, wanted)
            for source, wanted in zip(sources, texts, strict=True)
            if not wanted.empty
        ]
        atlases = iter(self.stages.all(Stage.STYLIZATION, pieces))
        parts = [
            Part(
                source[0], None if wanted.empty else next(atlases), number == len(self.spec.objects)
            )
            for number, (source, wanted) in enumerate(zip(sources, texts, strict=True))
        ]
        self._show_atlases(video, parts)
        return parts

    def _show_atlases(self, video: Video, parts: Sequence[Part]) -> None:
        for index, part in enumerate(parts):
            if part.atlas is not None:
                self._show({"stylized_atlas": previews.of_atlas(part.atlas, part.layers)}, index)
        restyled = [part for part in parts if part.atlas is not None]
        keys = self._keys(Stage.STYLIZATION)
        for index, (part, key) in enumerate(zip(restyled, keys, strict=True)):
            folder = self.stages.cache.folder(Stage.STYLIZATION, key)
            if folder.is_dir():  # an early snapshot has no rivals
                self._show(previews.of_candidates(folder, part.layers, video.frames), index)

    def render(
        self,
        video: Video,
        flow: Flow,
        masks: Sequence[Masks],
        layers: Sequence[Layers],
        parts: Sequence[Part],
    ) -> dict[str, Any]:
        """Write the frames, not yet where the host looks for them; returns the metrics."""
        assert self.encoder is not None, "this job has no texts"
        inputs = self._keys(Stage.STYLIZATION)
        key = stage_key(Stage.RENDER, self.spec.settings.render, *inputs)
        with self.stages.doing(Stage.RENDER, [key], reused=False):
            measuring = Measuring(video.frames, masks, layers, parts)
            self.files = results.write_frames(
                self.spec, parts, measuring, self.report,
                total=len(video.frames), device=self.device,
            )  # fmt: skip
            return measuring.metrics(flow, self.encoder, self.spec.targets)

    def publish(self, metrics: dict[str, Any]) -> None:
        """Hand the frames over, with a report of all that is known about them."""
        facts = {
            "engine": manifest.version(),
            "seconds": {stage.value: spent for stage, spent in self.stages.seconds.items()},
            "device": dataclasses.asdict(self.facts),
            "versions": manifest.versions(),
            "keys": {stage.value: keys for stage, keys in self.stages.keys.items()},
            "metrics": metrics,
            "result": self.files,
            "texts": [to_json(texts) for texts in self.spec.targets],
            "candidates": [self._candidates(key) for key in self._keys(Stage.STYLIZATION)],
        }
        results.publish(self.report.folder, facts)

    def _candidates(self, key: str) -> list[dict[str, Any]]:
        cache = self.stages.cache
        if cache.has(Stage.STYLIZATION, key):
            return candidates.told(cache.folder(Stage.STYLIZATION, key))
        part = cache.part(Stage.STYLIZATION, key)
        return candidates.told_early(part, seed=self.spec.settings.seed)

    def _keys(self, stage: Stage) -> list[str]:
        return self.stages.keys[stage]

    def _show(self, pictures: dict[str, np.ndarray], index: int) -> None:
        """Show pictures of one object among several."""
        for name, picture in pictures.items():
            self.report.preview(previews.numbered(name, index), picture)


def _checked_encoder(spec: JobSpec, device: torch.device, report: Reporter) -> Encoder | None:
    """Load the encoder of a job with texts, and refuse what the stylization could not serve."""
    if not spec.needs_texts:
        return None
    settings = spec.settings
    encoder = load_encoder(settings.stylization.encoder, device)
    for texts in spec.targets:
        check_texts(texts, encoder, report)
        if texts.picture:
            read_picture(texts.picture)
    candidates.check(settings.render.candidate, settings.stylization.candidates)
    return encoder


def _let_go() -> None:
    """Give back the graphics memory that is only kept for later."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
