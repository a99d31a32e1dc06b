"""The six stages in order, each reused where an earlier job has done it.

frames -> flow -> masks -> decomposition -> stylization -> render; masks, decomposition and
stylization once for each object. Each piece is a key, a function that makes its folder and one
that reads it; what the stages do is in their own modules.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch

from . import device as devices
from . import manifest, previews
from .checkpoint import Checkpoint
from .contract.codec import to_json
from .contract.events import EngineError, Fault, Finished, Stopped
from .contract.folder import write_text
from .contract.job import (
    Footage,
    FootageKind,
    JobSpec,
    MaskKind,
    ObjectMask,
    Stage,
    TargetTexts,
)
from .decomposition.layers import Layers, load_layers, of_background, save_layers
from .decomposition.train import decompose
from .evaluation import measure
from .output import Output, is_deep
from .render import Part, stylized_frames
from .reporter import Reporter
from .stylization import candidates
from .stylization import encoder as encoders
from .stylization.atlas import StylizedAtlas, load_atlas, save_atlas
from .stylization.targets import read_picture
from .stylization.texts import check_texts
from .stylization.train import stylize
from .threads import Crowding
from .video import flow as flows
from .video import frames as footage_frames
from .video import images
from .video import masks as object_masks
from .video.provenance import Provenance
from .workspace import Cache, digest_of_file, digest_of_folder, explained, settle, stage_key

Value = TypeVar("Value")


def run(spec: JobSpec, cache: Cache, report: Reporter) -> None:
    """Do the job up to its last stage.

    Where that is the render, the frames are in ``result/`` and the numbers in ``report.json``;
    where it is the masks, they are in ``masks/``. Raises EngineError with a sentence and a
    remedy, or Stopped.
    """
    started = time.monotonic()
    report.encode_png, report.let_go = images.encode_png, _let_go
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


def _let_go() -> None:
    """Give back the graphics memory that is only kept for later."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@dataclass(frozen=True)
class _Piece(Generic[Value]):
    """One result of a stage: of the whole job, or of one object.

    ``early`` returns what the job wants of the folder of an unfinished stage, None where that is
    not there yet.
    """

    key: str
    make: Callable[[Path], None]
    load: Callable[[Path], Value]
    early: Callable[[Path], Value | None] = lambda folder: None


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
        self._encoder: encoders.Encoder | None = None
        if spec.needs_texts:
            self._encoder = encoders.load_encoder(self.settings.stylization.encoder, self.device)
            for texts in spec.targets:
                check_texts(texts, self._encoder, report)
                if texts.picture:
                    read_picture(texts.picture)
            made, shown = self.settings.stylization.candidates, self.settings.render.candidate
            candidates.check(shown, made)
        self.keys: dict[str, list[str]] = {}
        self.seconds: dict[str, float] = {}
        self.files: dict[str, Any] = {}

    @property
    def encoder(self) -> encoders.Encoder:
        assert self._encoder is not None, "this job has no texts"
        return self._encoder

    def frames(self) -> footage_frames.Video:
        footage, settings = self.spec.footage, self.settings.frames
        piece = _Piece(
            stage_key(Stage.FRAMES, settings, *footage_identity(footage)),
            lambda folder: footage_frames.save_video(
                footage_frames.read_video(footage, settings, self.reporter), folder
            ),
            footage_frames.load_video,
        )
        return self._stage(Stage.FRAMES, [piece])[0]

    def flow(self, video: footage_frames.Video) -> flows.Flow:
        settings = self.settings.flow
        piece = _Piece(
            stage_key(Stage.FLOW, settings, *self.keys["frames"]),
            lambda folder: flows.save_flow(
                flows.estimate_flow(video.frames, settings, self.reporter, device=str(self.device)),
                folder,
            ),
            flows.load_flow,
        )
        return self._stage(Stage.FLOW, [piece])[0]

    def masks(self, video: footage_frames.Video, flow: flows.Flow) -> list[object_masks.Masks]:
        """Return the masks of each object, from front to back."""
        found = self._stage(
            Stage.MASKS, [self._mask(item.mask, video, flow) for item in self.spec.objects]
        )
        if found:
            union = np.maximum.reduce([masks.masks for masks in found])
            self.reporter.preview("mask", previews.overlay(video.frames, union))
        if self.spec.until is Stage.MASKS:
            self._publish_masks([masks.masks for masks in found], video)
        return found

    def _publish_masks(self, masks: list[np.ndarray], video: footage_frames.Video) -> None:
        """Write ``masks/``: for each frame the number of the object that is seen at each pixel."""
        folder = self.reporter.folder
        part = folder.path / ".masks.part"
        with explained(folder.path):
            for old in (part, folder.masks):
                shutil.rmtree(old, ignore_errors=True)
            part.mkdir(parents=True)
            for index, picture in enumerate(previews.numbered_objects(masks, video.frames)):
                height, width = picture.shape
                header = f"P5 {width} {height} 255\n".encode()
                (part / f"{index:05d}.pgm").write_bytes(header + picture.tobytes())
            settle(part, folder.masks)

    def _mask(
        self, mask: ObjectMask, video: footage_frames.Video, flow: flows.Flow
    ) -> _Piece[object_masks.Masks]:
        footage, settings = self.spec.footage, self.settings.masks
        identity = mask_identity(mask, footage)
        return _Piece(
            stage_key(Stage.MASKS, settings, *identity, *self.keys["flow"]),
            lambda folder: object_masks.save_masks(
                object_masks.find_masks(
                    mask, footage, video, flow, settings, self.reporter, device=str(self.device)
                ),
                folder,
            ),
            object_masks.load_masks,
        )

    def decomposition(
        self, video: footage_frames.Video, flow: flows.Flow, masks: list[object_masks.Masks]
    ) -> list[Layers]:
        """Return the layers of each object; with no object those of the bare background."""
        found = [object_masks.visible(masks, index) for index in range(len(masks))]
        found = found or [(object_masks.no_object(video.frames), None)]
        keys = self.keys["masks"] or ["no object"]
        pieces = [
            self._layers(video, flow, own, others, [keys[index], *keys[:index], *keys[index + 1 :]])
            for index, (own, others) in enumerate(found)
        ]
        layers = self._stage(Stage.DECOMPOSITION, pieces)
        for index, each in enumerate(layers):
            for name, picture in previews.of_layers(each).items():
                self.reporter.preview(numbered(name, index), picture)
        return layers

    def _layers(
        self,
        video: footage_frames.Video,
        flow: flows.Flow,
        masks: object_masks.Masks,
        others: np.ndarray | None,
        mask_keys: list[str],
    ) -> _Piece[Layers]:
        settings = self.settings.decomposition
        chosen = {"engine": settings.engine, **to_json(getattr(settings, settings.engine))}
        inputs = (str(self.settings.seed), *self.keys["flow"], *mask_keys)

        def make(folder: Path) -> None:
            checkpoint = Checkpoint(folder / "checkpoint.pt")
            layers = decompose(
                video.frames, flow, masks, settings,
                others=others, greys=footage_frames.larger_greys(self.spec.footage),
                device=self.device, seed=self.settings.seed, report=self.reporter,
                checkpoint=checkpoint,
            )  # fmt: skip
            save_layers(layers, folder)
            checkpoint.path.unlink(missing_ok=True)

        return _Piece(stage_key(Stage.DECOMPOSITION, chosen, *inputs), make, load_layers)

    def stylization(self, video: footage_frames.Video, layers: list[Layers]) -> list[Part]:
        """Return what the frames are made of: all objects, restyled or not, and the background."""
        keys = self.keys["decomposition"]
        texts = [item.texts for item in self.spec.objects]
        sources = [(each, [key]) for each, key in zip(layers, keys, strict=True)][: len(texts)]
        if not self.spec.background.empty:
            texts.append(self.spec.background)
            sources.append((of_background(layers, is_bare=not self.spec.objects), keys))
        pieces = [
            self._atlas(video, *source, each)
            for source, each in zip(sources, texts, strict=True)
            if not each.empty
        ]
        atlases = iter(self._stage(Stage.STYLIZATION, pieces))
        parts = [
            Part(source[0], None if each.empty else next(atlases), number == len(self.spec.objects))
            for number, (source, each) in enumerate(zip(sources, texts, strict=True))
        ]
        for index, part in enumerate(parts):
            if part.atlas is not None:
                picture = previews.of_atlas(part.atlas, part.layers)
                self.reporter.preview(numbered("stylized_atlas", index), picture)
        self._show_candidates(video, [part for part in parts if part.atlas is not None])
        return parts

    def _show_candidates(self, video: footage_frames.Video, parts: list[Part]) -> None:
        for index, (part, key) in enumerate(zip(parts, self.keys["stylization"], strict=True)):
            folder = self.cache.folder(Stage.STYLIZATION, key)
            if not folder.is_dir():
                continue  # an early snapshot has no rivals
            for name, picture in previews.of_candidates(folder, part.layers, video.frames).items():
                self.reporter.preview(numbered(name, index), picture)

    def _atlas(
        self, video: footage_frames.Video, layers: Layers, keys: list[str], texts: TargetTexts
    ) -> _Piece[StylizedAtlas]:
        settings = self.settings.stylization
        inputs = (
            *texts_identity(texts), encoder_identity(settings.encoder), str(self.settings.seed),
            *keys,
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

        def load(folder: Path) -> StylizedAtlas:
            shown = self.settings.render
            return load_atlas(
                candidates.choose(folder, candidate=shown.candidate, snapshot=shown.snapshot)
            )

        def early(part: Path) -> StylizedAtlas | None:
            wanted = self.settings.render.snapshot if settings.candidates == 1 else 0
            saved = candidates.saved_early(part, snapshot=wanted)
            return None if saved is None else load_atlas(saved)

        return _Piece(stage_key(Stage.STYLIZATION, settings, *inputs), make, load, early)

    def render(
        self,
        video: footage_frames.Video,
        flow: flows.Flow,
        masks: list[object_masks.Masks],
        layers: list[Layers],
        parts: list[Part],
    ) -> dict[str, Any]:
        inputs = self.keys["stylization"]
        self.keys["render"] = [stage_key(Stage.RENDER, self.settings.render, *inputs)]
        started = time.monotonic()
        with self.reporter.stage(Stage.RENDER, reused=False):
            measuring = measure.Measuring(video.frames, masks, layers, parts)
            self._write_frames(len(video.frames), parts, measuring)
            metrics = measuring.metrics(flow, self.encoder, self.spec.targets)
        self.seconds["render"] = round(time.monotonic() - started, 3)
        return metrics

    @property
    def _unfinished(self) -> Path:
        """Where frames are until all of them are there."""
        return self.reporter.folder.path / ".result.part"

    def _write_frames(self, total: int, parts: list[Part], measuring: measure.Measuring) -> None:
        unfinished = self._unfinished
        with explained(unfinished.parent):
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            footage, settings = self.spec.footage, self.settings.render
            depth = 16 if is_deep(settings.format) else 8
            source = measuring.watch(footage_frames.whole_frames(footage, depth))
            frames = stylized_frames(source, parts, settings, device=self.device)
            made_from = Provenance(
                self.spec.title, self.settings.seed, f"Strip Stylizer {manifest.version()}"
            )
            rate = footage.frames_per_second
            with Output(unfinished, settings.format, rate, made_from) as output:
                for count, frame in enumerate(frames, start=1):
                    if self.reporter.stopping():
                        raise Stopped
                    output.add(frame)
                    shown = images.eight_bit(frame)
                    measuring.add(shown if settings.foreground_only else images.over_black(shown))
                    if count == 1 + total // 2:
                        self.reporter.preview("frame", shown)
                    self.reporter.progress(count, total)
        self.files = output.facts()

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
            "result": self.files,
            "texts": [to_json(texts) for texts in self.spec.targets],
            "candidates": [self._candidates(key) for key in self.keys["stylization"]],
        }
        with explained(folder.path):
            write_text(folder.report, json.dumps(facts, indent=1, ensure_ascii=False))
            shutil.rmtree(folder.result, ignore_errors=True)
            settle(self._unfinished, folder.result)

    def _candidates(self, key: str) -> list[dict[str, Any]]:
        if self.cache.has(Stage.STYLIZATION, key):
            return candidates.told(self.cache.folder(Stage.STYLIZATION, key))
        part = self.cache.part(Stage.STYLIZATION, key)
        return candidates.told_early(part, seed=self.settings.seed)

    def _stage(self, stage: Stage, pieces: list[_Piece[Value]]) -> list[Value]:
        """Make the folders of all pieces that are not there yet, and read them."""
        self.keys[stage.value] = [piece.key for piece in pieces]
        started = time.monotonic()
        reused = all(
            self.cache.has(stage, piece.key)
            or piece.early(self.cache.part(stage, piece.key)) is not None
            for piece in pieces
        )
        values = []
        with self.reporter.stage(stage, reused=reused):
            for index, piece in enumerate(pieces):
                with self.reporter.share(index, len(pieces)):
                    values.append(self._made(stage, piece))
        self.seconds[stage.value] = round(time.monotonic() - started, 3)
        return values

    def _made(self, stage: Stage, piece: _Piece[Value]) -> Value:
        if not self.cache.has(stage, piece.key):
            early = piece.early(self.cache.part(stage, piece.key))
            if early is not None:
                return early
            touching, stopping = self.reporter.touching, self.reporter.stopping
            building = self.cache.building(stage, piece.key, touching=touching, stopping=stopping)
            with building as folder:
                if folder is not None:
                    piece.make(folder)
        value = piece.load(self.cache.folder(stage, piece.key))
        if self.reporter.stopping():
            raise Stopped
        return value


def numbered(name: str, index: int) -> str:
    """Name the picture of one object among several: atlas, atlas_2, atlas_3."""
    return name if index == 0 else f"{name}_{index + 1}"


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


def mask_identity(mask: ObjectMask, footage: Footage) -> tuple[str, ...]:
    """Name where the masks come from, files by their content."""
    if mask.kind is MaskKind.FILES and Path(mask.path).is_dir():
        return (mask.kind.value, digest_of_folder(Path(mask.path)), ",".join(footage.files))
    return (json.dumps(to_json(mask)),)


def texts_identity(texts: TargetTexts) -> tuple[str, ...]:
    """Name what to become, a picture by its content."""
    words = json.dumps(to_json(texts), ensure_ascii=False)
    picture = Path(texts.picture)
    return (words, digest_of_file(picture)) if texts.picture and picture.is_file() else (words,)


def encoder_identity(name: str) -> str:
    """Name the weights that guide a job: a local file by its content."""
    if name == "embedded":
        return digest_of_file(encoders.EMBEDDED_FOLDER / f"{encoders.EMBEDDED_MODEL}.safetensors")
    weights = Path(name.partition(":")[2])
    return digest_of_file(weights) if weights.is_file() else name
