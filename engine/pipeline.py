"""The six stages in order, each reused where an earlier job has done it.

frames -> flow -> masks -> decomposition -> stylization -> render. Each stage is a key, a function
that makes its folder and one that reads it; what the stages do is in their own modules.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from . import device as devices
from . import manifest, previews
from .checkpoint import Checkpoint
from .contract.codec import to_json
from .contract.events import EngineError, Fault, Finished, Stopped
from .contract.folder import write_text
from .contract.job import Footage, FootageKind, JobSpec, MaskKind, Stage
from .decomposition.layers import Layers, load_layers, save_layers
from .decomposition.train import decompose
from .evaluation import measure
from .render import stylized_frames
from .reporter import Reporter
from .stylization import encoder as encoders
from .stylization.atlas import StylizedAtlas, load_atlas, save_atlas
from .stylization.texts import check_texts
from .stylization.train import stylize
from .video import flow as flows
from .video import frames as footage_frames
from .video import images
from .video import masks as object_masks
from .workspace import Cache, digest_of_file, digest_of_folder, explained, settle, stage_key

Value = TypeVar("Value")
FRAME_NAME = "{:05d}.png"


def run(spec: JobSpec, cache: Cache, report: Reporter) -> None:
    """Do the whole job; the frames are in ``result/`` and the numbers in ``report.json``.

    Raises EngineError with a sentence and a remedy, or Stopped.
    """
    started = time.monotonic()
    report.encode_png = images.encode_png
    job = _Job(spec, cache, report)
    video = job.frames()
    flow = job.flow(video)
    masks = job.masks(video, flow)
    layers = job.decomposition(video, flow, masks)
    atlas = job.stylization(video, layers)
    metrics = job.render(video, flow, masks, layers, atlas)
    job.publish(metrics)
    report.say(Finished(len(video.frames), round(time.monotonic() - started, 3)))


class _Job:
    """One run of the pipeline: what its stages share."""

    def __init__(self, spec: JobSpec, cache: Cache, report: Reporter) -> None:
        self.spec = spec
        self.settings = spec.settings
        self.cache = cache
        self.reporter = report
        self.device = devices.choose(self.settings.device)
        self.facts = devices.describe(self.device)
        report.say(self.facts)
        # The weights first: without them the minutes before the stylization are in vain.
        name = self.settings.stylization.encoder
        self.encoder = encoders.load_encoder(name, self.device)
        check_texts(spec.texts, self.encoder, report)
        self.keys: dict[str, str] = {}
        self.seconds: dict[str, float] = {}

    def frames(self) -> footage_frames.Video:
        footage, settings = self.spec.footage, self.settings.frames
        return self._stage(
            Stage.FRAMES,
            stage_key(Stage.FRAMES, settings, *footage_identity(footage)),
            lambda folder: footage_frames.save_video(
                footage_frames.read_video(footage, settings, self.reporter), folder
            ),
            footage_frames.load_video,
        )

    def flow(self, video: footage_frames.Video) -> flows.Flow:
        settings = self.settings.flow
        return self._stage(
            Stage.FLOW,
            stage_key(Stage.FLOW, settings, self.keys["frames"]),
            lambda folder: flows.save_flow(
                flows.estimate_flow(video.frames, settings, self.reporter), folder
            ),
            flows.load_flow,
        )

    def masks(self, video: footage_frames.Video, flow: flows.Flow) -> object_masks.Masks:
        spec, settings = self.spec, self.settings.masks
        found = self._stage(
            Stage.MASKS,
            stage_key(Stage.MASKS, settings, *mask_identity(spec), self.keys["flow"]),
            lambda folder: object_masks.save_masks(
                object_masks.find_masks(
                    spec.mask, spec.footage, video, flow, settings, self.reporter
                ),
                folder,
            ),
            object_masks.load_masks,
        )
        self.reporter.preview("mask", previews.overlay(video.frames, found.masks))
        return found

    def decomposition(
        self, video: footage_frames.Video, flow: flows.Flow, masks: object_masks.Masks
    ) -> Layers:
        settings = self.settings.decomposition
        chosen = {"engine": settings.engine, **to_json(getattr(settings, settings.engine))}
        inputs = (str(self.settings.seed), self.keys["flow"], self.keys["masks"])

        def make(folder: Path) -> None:
            checkpoint = Checkpoint(folder / "checkpoint.pt")
            layers = decompose(
                video.frames, flow, masks, settings,
                device=self.device, seed=self.settings.seed, report=self.reporter,
                checkpoint=checkpoint,
            )  # fmt: skip
            save_layers(layers, folder)
            checkpoint.path.unlink(missing_ok=True)

        key = stage_key(Stage.DECOMPOSITION, chosen, *inputs)
        layers = self._stage(Stage.DECOMPOSITION, key, make, load_layers)
        for name, picture in previews.of_layers(layers).items():
            self.reporter.preview(name, picture)
        return layers

    def stylization(self, video: footage_frames.Video, layers: Layers) -> StylizedAtlas:
        settings, texts = self.settings.stylization, self.spec.texts
        texts_key = json.dumps(to_json(texts), ensure_ascii=False)
        inputs = (
            texts_key, encoder_identity(settings.encoder), str(self.settings.seed),
            self.keys["decomposition"],
        )  # fmt: skip

        def make(folder: Path) -> None:
            checkpoint = Checkpoint(folder / "checkpoint.pt")
            atlas = stylize(
                layers, torch.from_numpy(video.frames), texts, settings,
                encoder=self.encoder, device=self.device, seed=self.settings.seed,
                report=self.reporter,
                checkpoint=checkpoint,
            )  # fmt: skip
            save_atlas(atlas, folder)
            checkpoint.path.unlink(missing_ok=True)

        key = stage_key(Stage.STYLIZATION, settings, *inputs)
        atlas = self._stage(Stage.STYLIZATION, key, make, load_atlas)
        self.reporter.preview("stylized_atlas", previews.of_atlas(atlas, layers))
        return atlas

    def render(
        self,
        video: footage_frames.Video,
        flow: flows.Flow,
        masks: object_masks.Masks,
        layers: Layers,
        atlas: StylizedAtlas,
    ) -> dict[str, Any]:
        inputs = (self.keys["stylization"],)
        self.keys["render"] = stage_key(Stage.RENDER, self.settings.render, *inputs)
        started = time.monotonic()
        with self.reporter.stage(Stage.RENDER, reused=False):
            measuring = measure.Measuring(video.frames, masks, layers)
            self._write_frames(len(video.frames), layers, atlas, measuring)
            metrics = measuring.metrics(flow, self.encoder, self.spec.texts)
        self.seconds["render"] = round(time.monotonic() - started, 3)
        return metrics

    @property
    def _unfinished(self) -> Path:
        """Where frames are until all of them are there."""
        return self.reporter.folder.path / ".result.part"

    def _write_frames(
        self, total: int, layers: Layers, atlas: StylizedAtlas, measuring: measure.Measuring
    ) -> None:
        part = self._unfinished
        with explained(part.parent):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            source = footage_frames.source_frames(self.spec.footage)
            frames = stylized_frames(
                measuring.watch(source), layers, atlas, self.settings.render, device=self.device
            )
            for count, frame in enumerate(frames, start=1):
                if self.reporter.stopping():
                    raise Stopped
                images.write_png(part / FRAME_NAME.format(count - 1), frame)
                measuring.add(frame)
                if count == 1 + total // 2:
                    self.reporter.preview("frame", frame)
                self.reporter.progress(count, total)

    def publish(self, metrics: dict[str, Any]) -> None:
        """Write ``report.json`` and give the frames their folder: now the job is done."""
        folder = self.reporter.folder
        facts = {
            "engine": manifest.version(),
            "seconds": self.seconds,
            "device": dataclasses.asdict(self.facts),
            "versions": manifest.versions(),
            "keys": self.keys,
            "metrics": metrics,
            "texts": to_json(self.spec.texts),
        }
        with explained(folder.path):
            write_text(folder.report, json.dumps(facts, indent=1, ensure_ascii=False))
            shutil.rmtree(folder.result, ignore_errors=True)
            settle(self._unfinished, folder.result)

    def _stage(
        self, stage: Stage, key: str, make: Callable[[Path], None], load: Callable[[Path], Value]
    ) -> Value:
        """Make the stage's folder unless it is there, and read it."""
        self.keys[stage.value] = key
        started = time.monotonic()
        reused = self.cache.has(stage, key)
        with self.reporter.stage(stage, reused=reused):
            if not reused:
                touching, stopping = self.reporter.touching, self.reporter.stopping
                with self.cache.building(
                    stage, key, touching=touching, stopping=stopping
                ) as folder:
                    if folder is not None:
                        make(folder)
            value = load(self.cache.folder(stage, key))
        self.seconds[stage.value] = round(time.monotonic() - started, 3)
        if self.reporter.stopping():
            raise Stopped
        return value


def footage_identity(footage: Footage) -> tuple[str, ...]:
    """Name the footage by its content, so that a moved or copied file is recognised.

    Images are named in the order in which they are shown, however the request lists them.
    Raises EngineError where a file is not there.
    """
    path = Path(footage.path)
    try:
        if footage.kind is FootageKind.MOVIE:
            return (digest_of_file(path), ",".join(map(str, footage.indices)))
        names = footage_frames.footage_names(footage)
        digests = [digest_of_file(path / name) for name in names]
        if any(index not in range(len(names)) for index in footage.indices):
            return (*digests, "beyond the end")  # reading the frames says so in a sentence
        return tuple(digests[index] for index in footage.indices or range(len(names)))
    except OSError as error:
        raise EngineError(
            Fault.MEDIA_UNREADABLE,
            f"The media file {error.filename} cannot be read: {error.strerror}.",
            "Put the file back, or point the strip to where it is now.",
        ) from error


def mask_identity(spec: JobSpec) -> tuple[str, ...]:
    """Name where the masks come from, files by their content."""
    if spec.mask.kind is MaskKind.FILES and Path(spec.mask.path).is_dir():
        names = ",".join(spec.footage.files)
        return (spec.mask.kind.value, digest_of_folder(Path(spec.mask.path)), names)
    return (json.dumps(to_json(spec.mask)),)


def encoder_identity(name: str) -> str:
    """Name the weights that guide a job: a local file by its content."""
    if name == "embedded":
        return digest_of_file(encoders.EMBEDDED_FOLDER / f"{encoders.EMBEDDED_MODEL}.safetensors")
    weights = Path(name.partition(":")[2])
    return digest_of_file(weights) if weights.is_file() else name
