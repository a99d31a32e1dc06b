"""The six stages in order, each reused where an earlier job has done it.

frames -> flow -> masks -> decomposition -> stylization -> render. The first three are here and do
without torch, so that the mask is seen before torch and open_clip, seconds of work, are imported;
the others are in `restyling`. How a stage is reused is in `stages`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from . import choices, overlays, results
from .artifacts import Artifacts
from .contract.events import Finished
from .contract.job import JobSpec, Stage
from .contract.words.advice import check_words
from .reporter import Reporter
from .stages import Stages
from .stylization import candidates, weight_files
from .stylization.picture import read_picture
from .video.clip import Clip
from .video.flow import Flow
from .video.frames import Video
from .video.images import encode_png
from .video.mask_files import check_there
from .video.masks import Masks
from .workspace import Cache

if TYPE_CHECKING:
    from .restyling import Restyling


def run(spec: JobSpec, cache: Cache, report: Reporter) -> None:
    """Do the job up to its last stage.

    Where that is the render, the frames are in ``result/`` and the numbers in ``report.json``, or
    the layer package in ``layers/``; where it is the masks, they are in ``masks/``; where it is
    the decomposition, ``checks/`` shows how the atlases lie. Raises EngineError with a sentence and
    a remedy, or Stopped.
    """
    started = time.monotonic()
    report.encode_png = encode_png
    choices.check_length(spec, report)
    for stage, frames in _stages(EarlyStages(choices.decide(spec, report), cache, report)):
        if stage is (spec.until or Stage.RENDER):
            report.say(Finished(frames, round(time.monotonic() - started, 3)))
            return


def _stages(job: EarlyStages) -> Iterator[tuple[Stage, int]]:
    """Do one stage after the other; yields each that is done, and the number of frames."""
    video = job.frames()
    count = len(video.frames)
    yield Stage.FRAMES, count
    flow = job.flow(video)
    yield Stage.FLOW, count
    clip = job.clip(video, flow)
    yield Stage.MASKS, count
    rest = job.restyling
    rest.load_encoder()
    layers = rest.decomposition(clip)
    if job.spec.until is Stage.DECOMPOSITION:
        rest.write_checks(clip, layers)
    yield Stage.DECOMPOSITION, count
    if job.spec.sweep is not None:
        from .sweeping import write_sweep  # torch comes with it

        write_sweep(rest, clip, rest.sources(layers), job.spec.sweep)
        yield Stage.RENDER, count
        return
    parts = rest.stylization(clip, layers)
    yield Stage.STYLIZATION, count
    layers, parts = rest.apply_pins(clip, layers, parts)
    parts = rest.apply_edits(clip, layers, parts)
    if job.spec.layers is not None:
        rest.write_layers(clip, layers, parts)
    else:
        rest.publish(rest.render(clip, layers, parts))
    yield Stage.RENDER, count


class EarlyStages:
    """One run of the pipeline up to its masks: a method for each stage, which also shows it.

    What cannot be served is refused here, before any work, as far as that can be told.
    """

    def __init__(self, spec: JobSpec, cache: Cache, report: Reporter) -> None:
        self.spec = spec
        self.report = report
        self.stages = Stages(cache, report)
        self.artifacts = Artifacts(spec, report, lambda: str(self.restyling.device), cache.names)
        for each in spec.objects:
            check_there(each.mask)
        if spec.needs_encoder:
            _check_request(spec)
            check_words(spec, report)
        if not _can_wait(spec):
            self.restyling.load_encoder()

    @functools.cached_property
    def restyling(self) -> Restyling:
        """The stages after the masks, with the device that they chose."""
        from .restyling import Restyling  # torch comes here: seconds

        return Restyling(self.spec, self.stages, self.report)

    def frames(self) -> Video:
        return self.stages.one(Stage.FRAMES, self.artifacts.frames())

    def flow(self, video: Video) -> Flow:
        return self.stages.one(Stage.FLOW, self.artifacts.flow(video, self._keys(Stage.FRAMES)))

    def masks(self, video: Video, flow: Flow) -> list[Masks]:
        """Return the masks of each object, from front to back."""
        keys = self._keys(Stage.FLOW)
        artifacts = [
            self.artifacts.masks(each.mask, video, flow, keys) for each in self.spec.objects
        ]
        found = self.stages.all(Stage.MASKS, artifacts)
        pictures = [masks.masks for masks in found]
        if pictures:
            union = np.maximum.reduce(pictures)
            self.report.preview("mask", overlays.overlay(video.frames, union))
        if self.spec.until is Stage.MASKS:
            results.write_masks(self.report.folder, pictures, video.frames)
        return found

    def clip(self, video: Video, flow: Flow) -> Clip:
        """Return what the stages after the masks work on."""
        return Clip(video, flow, self.masks(video, flow), self.spec.settings.flow, self.report)

    def _keys(self, stage: Stage) -> list[str]:
        return self.stages.keys[stage]


def _check_request(spec: JobSpec) -> None:
    """Refuse what the stylization could not serve, as far as files tell."""
    for texts in spec.targets:
        if texts.picture:
            read_picture(texts.picture)
    candidates.check(spec.settings.render.candidate, spec.settings.stylization.candidates)


def _can_wait(spec: JobSpec) -> bool:
    """Is it sure without torch and open_clip that device and encoder will be there?

    Raises EngineError where the embedded encoder is not whole.
    """
    if spec.settings.device not in ("automatic", "cpu"):
        return False
    return not spec.needs_encoder or weight_files.at_hand(spec.settings.stylization.encoder)
