"""The second half of a job, with torch: layers, looks and frames.

decomposition -> stylization -> render; the first two once for each object. What each stage makes
is in `trained_artifacts`, what the host gets in `results`.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import device as devices
from . import identity, manifest, previews, results
from .contract.codec import to_json
from .contract.events import Stopped
from .contract.job import ANY, BACKGROUND, Edit, EditKind, JobSpec, Stage, TargetTexts
from .contract.settings import RenderSettings
from .decomposition.layers import Layers, of_background
from .decomposition.pins import check_pins
from .editing.building import build_edits
from .editing.whole_layer import Fill, Grade, LayerBlur
from .evaluation.checkerboard import numbered_checks, write_checkerboard
from .evaluation.measure import Measuring
from .layer_package import write_package
from .output import is_deep
from .render import Part, stylized_frames
from .reporter import Reporter
from .stages import CachedArtifact, Stages
from .stylization import candidates
from .stylization.atlas import StylizedAtlas
from .stylization.encoder import Encoder, load_encoder
from .stylization.texts import check_texts
from .threads import ThreadChoice
from .trained_artifacts import TrainedArtifacts
from .video.clip import Clip
from .video.frames import whole_frames
from .video.masks import no_object, visible
from .video.premultiplied import Premultiplied
from .workspace import stage_key

# Returns the finished frame of each frame of the footage, made of parts.
FrameRenderer = Callable[[Iterable[np.ndarray], Sequence[Part]], Iterable[np.ndarray]]


@dataclass(frozen=True)
class Source:
    """The layers of one object or of the background, its texts, and the keys of what it is from."""

    layers: Layers
    texts: TargetTexts
    keys: tuple[str, ...]


class Restyling:
    """What comes after the masks: a method for each stage, which also shows what was made.

    Chooses the device and says which. Raises EngineError where a named one is not there.
    """

    def __init__(self, spec: JobSpec, stages: Stages, report: Reporter) -> None:
        self.spec = spec
        self.stages = stages
        self.report = report
        self.device = devices.choose(spec.settings.device)
        self.facts = devices.describe(self.device)
        report.say(self.facts)
        report.release_memory = devices.release_memory
        if self.device.type == "cpu":
            report.choose_threads = ThreadChoice().choose
        self.artifacts = TrainedArtifacts(spec, self.device, report, stages.cache)
        self.encoder: Encoder | None = None
        self.files: dict[str, Any] = {}

    def load_encoder(self) -> None:
        """Load the encoder of a job with texts, once, and warn of texts that it cannot read.

        Raises EngineError where its weights cannot be had, and Stopped.
        """
        if self.encoder is not None or not self.spec.needs_encoder:
            return
        self.encoder = load_encoder(self.spec.settings.stylization.encoder, self.device)
        for texts in self.spec.targets:
            check_texts(texts, self.encoder, self.report)
        if self.report.stopping():
            raise Stopped

    def _use_encoder(self) -> Encoder:
        self.load_encoder()
        assert self.encoder is not None, "only a job with texts trains with an encoder"
        return self.encoder

    def decomposition(self, clip: Clip) -> list[Layers]:
        """Return the layers of each object; with no object those of the bare background.

        Raises EngineError where a pin lies outside the footage.
        """
        self._check_pins(clip)
        layers = self.stages.all(Stage.DECOMPOSITION, self.layer_artifacts(clip))
        for index, each in enumerate(layers):
            self._show(previews.of_layers(each), index)
        return layers

    def layer_artifacts(self, clip: Clip) -> list[CachedArtifact[Layers]]:
        """Return how the layers of each object are made, see `decomposition`."""
        seen = [visible(clip.masks, index) for index in range(len(clip.masks))]
        seen = seen or [(no_object(clip.video.frames), None)]
        keys = self._keys(Stage.MASKS) or ["no object"]
        return [
            self.artifacts.layers(
                clip, own, others=others,
                keys=[*self._keys(Stage.FLOW), keys[index], *keys[:index], *keys[index + 1 :]],
            )
            for index, (own, others) in enumerate(seen)
        ]  # fmt: skip

    def _check_pins(self, clip: Clip) -> None:
        for each, masks in zip(self.spec.objects, clip.masks, strict=True):
            check_pins(each.pins, masks.masks, clip.video.source_size, self.report)

    def stylization(self, clip: Clip, layers: Sequence[Layers]) -> list[Part]:
        """Return what the frames are made of: all objects, restyled or not, and the background."""
        sources = self.sources(layers)
        atlases = self.atlas_artifacts(clip, sources)
        made = iter(self.stages.all(Stage.STYLIZATION, [*atlases.values()]))
        parts = [
            Part(each.layers, next(made) if number in atlases else None, number == BACKGROUND)
            for number, each in sources.items()
        ]
        self._show_atlases(clip, parts)
        return parts

    def atlas_artifacts(
        self, clip: Clip, sources: dict[int, Source], *, candidate: int | None = None
    ) -> dict[int, CachedArtifact[StylizedAtlas]]:
        """Return how the atlas of each of ``sources`` with a text is made, by its number.

        It is the chosen one of all candidates, or ``candidate`` alone.
        """
        return {
            number: self.artifacts.atlas(
                clip,
                each.layers,
                texts=each.texts,
                encoder=self._use_encoder,
                keys=each.keys,
                candidate=candidate,
            )
            for number, each in sources.items()
            if not each.texts.empty
        }

    def sources(self, layers: Sequence[Layers]) -> dict[int, Source]:
        """Return what is restyled or stays, by the object's number, front to back.

        Of a sweep the first one's text is that of its first cell.
        """
        keys, spec = self._keys(Stage.DECOMPOSITION), self.spec
        if spec.sweep is not None:
            spec = spec.with_front_text(spec.sweep.texts[0])
        found = {
            number: Source(layers[number], item.texts, (keys[number],))
            for number, item in enumerate(spec.objects)
        }
        if not spec.background.empty:
            behind = of_background(layers, is_bare=not spec.objects)
            found[BACKGROUND] = Source(behind, spec.background, tuple(keys))
        return found

    def _show_atlases(self, clip: Clip, parts: Sequence[Part]) -> None:
        for index, part in enumerate(parts):
            if part.atlas is not None:
                self._show({"stylized_atlas": previews.of_atlas(part.atlas, part.layers)}, index)
        restyled = [part for part in parts if part.atlas is not None]
        keys = self._keys(Stage.STYLIZATION)
        for index, (part, key) in enumerate(zip(restyled, keys, strict=True)):
            folder = self.stages.cache.folder(Stage.STYLIZATION, key)
            if folder.is_dir():  # an early snapshot has no rivals
                self._show(previews.of_candidates(folder, part.layers, clip.video.frames), index)

    def apply_pins(
        self, clip: Clip, layers: Sequence[Layers], parts: Sequence[Part]
    ) -> tuple[list[Layers], list[Part]]:
        """Return ``layers`` and ``parts`` with the mappings that the pins correct.

        The atlas stays where it is, so what was trained on it needs no training again.
        """
        corrected, whole, keys = [*layers], [*parts], [*self._keys(Stage.DECOMPOSITION)]
        for number, each in enumerate(self.spec.objects):
            if each.pins:
                artifact = self.artifacts.corrected_mapping(
                    layers[number], each.pins, clip.video.source_size, key=keys[number]
                )
                uv = self.stages.beside(Stage.DECOMPOSITION, artifact)
                keys[number] = artifact.key
                corrected[number] = dataclasses.replace(layers[number], uv=uv)
                whole[number] = dataclasses.replace(parts[number], layers=corrected[number])
        self.stages.keys[Stage.DECOMPOSITION] = keys
        return corrected, whole

    def apply_edits(
        self, clip: Clip, layers: Sequence[Layers], parts: Sequence[Part]
    ) -> list[Part]:
        """Return ``parts`` with the changes by hand, and the background where it has some.

        Raises EngineError where a picture cannot be read or lies beside its layer.
        """
        wanted = self.spec.shown_edits
        whole = [*parts]
        if any(each.layer < 0 for each in wanted):
            whole = self._with_background(layers, parts)
        size = clip.video.source_size
        for edit in wanted:
            if not edit.kind.has_picture:
                whole = changed_layers(edit, whole, layers)
                continue
            behind = [part.layers for part in whole]
            for number, built in build_edits(edit, behind, size, self._footage_frame):
                part = whole[number]
                whole[number] = dataclasses.replace(part, edits=(*part.edits, built))
        return [part for part in whole if part.is_changed or not part.is_background]

    def _with_background(self, layers: Sequence[Layers], parts: Sequence[Part]) -> list[Part]:
        """Return ``parts`` with what is behind them as the last."""
        if parts and parts[-1].is_background:
            return [*parts]
        behind = of_background(layers, is_bare=not self.spec.objects)
        return [*parts, Part(behind, None, is_background=True)]

    def _footage_frame(self, index: int) -> np.ndarray:
        frames = whole_frames(self.spec.footage, 16)
        return next(itertools.islice(frames, index, None))

    def write_checks(self, clip: Clip, layers: Sequence[Layers]) -> None:
        """Write where the checks of a board on each object's atlas are seen, pins and all."""
        if self.spec.objects:
            layers, _ = self.apply_pins(clip, layers, [Part(each, None) for each in layers])
            pictures = numbered_checks(layers, clip.video.source_size)
            results.write_numbers(self.report.folder.checks, pictures)

    def write_layers(self, clip: Clip, layers: Sequence[Layers], parts: Sequence[Part]) -> None:
        """Write the layer package, not before it is whole where the host looks for it."""
        wanted, spec = self.spec.layers, self.spec
        assert wanted is not None
        key = stage_key(Stage.RENDER, to_json(wanted), *self._keys(Stage.STYLIZATION))
        with self.stages.announce(Stage.RENDER, [key], reused=False):
            parts = self.with_flow_residuals(clip, self._with_background(layers, parts))

            def write(folder: Path) -> None:
                write_package(
                    folder, whole_frames(spec.footage, 16), parts, spec.settings.render,
                    frames_per_second=spec.footage.frames_per_second, extras=wanted,
                    report=self.report,
                )  # fmt: skip
                if wanted.checkerboard:
                    shown = list(layers) if spec.objects else [parts[-1].layers]
                    write_checkerboard(spec.footage, shown, folder)

            results.write_whole(self.report.folder.layers, write)

    def render(self, clip: Clip, layers: Sequence[Layers], parts: Sequence[Part]) -> dict[str, Any]:
        """Write the frames, not yet where the host looks for them; returns the metrics."""

        def render(source: Iterable[np.ndarray], parts: Sequence[Part]) -> Iterable[np.ndarray]:
            return stylized_frames(source, parts, self.spec.settings.render, device=self.device)

        return self.write(clip, layers, parts, render)

    def write(
        self, clip: Clip, layers: Sequence[Layers], parts: Sequence[Part], render: FrameRenderer
    ) -> dict[str, Any]:
        """Do what `render` does with the frames that ``render`` returns for the footage."""
        with self.stages.announce(Stage.RENDER, [self.render_key()], reused=False):
            parts = self.with_flow_residuals(clip, parts)
            return devices.within_memory(
                lambda: self._write_frames(clip, layers, parts, render), self.report
            )

    def render_key(self) -> str:
        """Return the key of the finished frames."""
        edits = [identity.of_edit(each, self.stages.cache.names) for each in self.spec.shown_edits]
        keys = self._keys(Stage.STYLIZATION)
        pins = [
            f"{number} {json.dumps(to_json(each.pins))}"
            for number, each in enumerate(self.spec.objects)
            if each.pins
        ]
        return stage_key(Stage.RENDER, self.spec.settings.render, *keys, *edits, *pins)

    def _write_frames(
        self, clip: Clip, layers: Sequence[Layers], parts: Sequence[Part], render: FrameRenderer
    ) -> dict[str, Any]:
        """Do what `write` does, all frames from the first one on."""
        measuring = Measuring(clip, layers, parts)
        source = whole_frames(self.spec.footage, self.depth)
        premultiplied = Premultiplied() if self.spec.footage.premultiplied else None
        if premultiplied is not None:
            source = premultiplied.straight(source)
        self.files = results.write_frames(
            self.spec, render(measuring.watch(source), parts),
            measuring.add, self.report, total=len(clip.video.frames),
            premultiplied=premultiplied,
        )  # fmt: skip
        return measuring.metrics(self.encoder, self.spec.targets)

    @property
    def depth(self) -> int:
        """Bits of each number in the finished frames."""
        return 16 if is_deep(self.spec.settings.render.format) else 8

    def with_flow_residuals(self, clip: Clip, parts: Sequence[Part]) -> list[Part]:
        """Return ``parts`` with the flow residual of those that need it and have none yet."""
        settings, keys = self.spec.settings.render, self._keys(Stage.DECOMPOSITION)
        found = []
        for index, part in enumerate(parts):
            if part.flow_residual is None and part.needs_flow_residual(settings):
                artifact = self.artifacts.flow_residual(clip, part.layers, key=keys[index])
                flow_residual = self.stages.beside(Stage.DECOMPOSITION, artifact)
                part = dataclasses.replace(part, flow_residual=flow_residual)
            found.append(part)
        return found

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
            "warnings": self.report.warnings,
            "unstyled": _describe_unstyled(self.spec.settings.render),
            "texts": [to_json(texts) for texts in self.spec.targets],
            "edits": [to_json(edit) for edit in self.spec.shown_edits],
            "candidates": [self._candidates(key) for key in self._keys(Stage.STYLIZATION)],
        }
        results.publish(self.report.folder, facts)

    def _candidates(self, key: str) -> list[dict[str, Any]]:
        cache = self.stages.cache
        if cache.has(Stage.STYLIZATION, key):
            return candidates.candidate_reports(cache.folder(Stage.STYLIZATION, key))
        part = cache.part(Stage.STYLIZATION, key)
        return candidates.unfinished_report(part, seed=self.spec.settings.seed)

    def _keys(self, stage: Stage) -> list[str]:
        return self.stages.keys[stage]

    def _show(self, pictures: dict[str, np.ndarray], index: int) -> None:
        """Show pictures of one object among several."""
        for name, picture in pictures.items():
            self.report.preview(previews.name_of_object(name, index), picture)


def changed_layers(edit: Edit, parts: Sequence[Part], layers: Sequence[Layers]) -> list[Part]:
    """Return ``parts`` with an edit that needs no picture; the last may be the background.

    ``layers`` are those of all objects.
    """
    changed: dict[EditKind, Callable[[Part], Part]] = {
        EditKind.GRADE: lambda part: _with_edit(part, Grade(edit.factor, edit.saturation)),
        EditKind.BLUR: lambda part: _with_edit(part, LayerBlur(edit.radius)),
        EditKind.REMOVAL: lambda part: dataclasses.replace(
            part, fill=Fill.of(of_background(layers, is_bare=False))
        ),
        EditKind.MATTE: lambda part: dataclasses.replace(part, is_matte=True),
    }
    whole = [*parts]
    for number, part in enumerate(parts):
        meant = not part.is_background if edit.layer == ANY else number == edit.layer % len(parts)
        if meant:
            whole[number] = changed[edit.kind](part)
    return whole


def _with_edit(part: Part, change: Grade | LayerBlur) -> Part:
    return dataclasses.replace(part, edits=(*part.edits, change))


def _describe_unstyled(settings: RenderSettings) -> str:
    """Say what the frames hold where nothing is restyled."""
    if settings.foreground_only:
        return "nothing"
    return "reconstruction" if settings.composite == "atlas" else "footage"
