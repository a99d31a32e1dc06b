"""The cached artifacts of layers and atlases: their keys, and how they are made and read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import device as devices
from . import identity
from .checkpoint import Checkpoint, check_finite, train_with_restart
from .contract.codec import to_json
from .contract.job import JobSpec, Pin, Stage, TargetTexts
from .contract.settings import Settings
from .decomposition.flow_residual import (
    compute_flow_residual,
    load_flow_residual,
    save_flow_residual,
)
from .decomposition.layers import Layers, load_layers, save_layers
from .decomposition.pins import correct_mapping, load_mapping, read_pins, save_mapping
from .decomposition.train import decompose
from .reporter import Reporter
from .stages import CachedArtifact
from .stylization import candidates
from .stylization.atlas import StylizedAtlas
from .stylization.atlas_files import load_atlas, save_atlas
from .stylization.encoder import Encoder
from .stylization.train import choose_best, stylize
from .video.clip import Clip
from .video.masks import Masks
from .workspace import Cache, stage_key


@dataclass(frozen=True)
class TrainedArtifacts:
    """The cached artifacts of one job that are learned.

    The methods take the values that an artifact is computed from, and as ``keys`` the keys of these
    artifacts.
    """

    spec: JobSpec
    device: torch.device
    report: Reporter
    cache: Cache

    @property
    def settings(self) -> Settings:
        """Those of the request."""
        return self.spec.settings

    def layers(
        self, clip: Clip, masks: Masks, *, others: np.ndarray | None, keys: Sequence[str]
    ) -> CachedArtifact[Layers]:
        """The layers of one object; ``others`` is where other objects are, [T, H, W]."""
        settings, seed = self.settings.decomposition, self.settings.layers_seed
        chosen = {"engine": settings.engine, **to_json(getattr(settings, settings.engine))}

        def make(folder: Path) -> None:
            checkpoint = Checkpoint(folder / "checkpoint.pt")

            def train(part: float) -> Layers:
                mlp = replace(settings.mlp, learning_rate=settings.mlp.learning_rate * part)
                layers = decompose(
                    clip.video.frames, clip.closer(checkpoint.partial), masks,
                    replace(settings, mlp=mlp),
                    others=others, greys=clip.video.greys, device=self.device, seed=seed,
                    report=self.report, checkpoint=checkpoint,
                )  # fmt: skip
                check_finite(layers.tensors())
                return layers

            layers = devices.within_memory(
                lambda: train_with_restart(train, checkpoint, self.report), self.report
            )
            save_layers(layers, folder)
            checkpoint.remove()

        return CachedArtifact(
            stage_key(Stage.DECOMPOSITION, chosen, str(seed), *keys), make, load_layers
        )

    def corrected_mapping(
        self, layers: Layers, pins: Sequence[Pin], size: tuple[int, int], *, key: str
    ) -> CachedArtifact[Tensor]:
        """The uv of the ``layers`` that have this ``key``, as ``pins`` correct it.

        ``size`` is the footage's width and height.
        """

        def make(folder: Path) -> None:
            corrections = read_pins(pins, layers.uv, size)
            save_mapping(correct_mapping(layers.uv, layers.alpha, corrections), folder)

        identity = stage_key(Stage.DECOMPOSITION, to_json(tuple(pins)), "pins", key)
        return CachedArtifact(identity, make, load_mapping)

    def flow_residual(self, clip: Clip, layers: Layers, *, key: str) -> CachedArtifact[Tensor]:
        """The flow residual of the ``layers`` that have this ``key``."""

        def make(folder: Path) -> None:
            save_flow_residual(compute_flow_residual(layers, clip.closer()), folder)

        return CachedArtifact(stage_key(Stage.DECOMPOSITION, "slip", key), make, load_flow_residual)

    def atlas(
        self,
        clip: Clip,
        layers: Layers,
        *,
        texts: TargetTexts,
        encoder: Callable[[], Encoder],
        keys: Sequence[str],
        candidate: int | None = None,
    ) -> CachedArtifact[StylizedAtlas]:
        """What one object, or the background, becomes, led by what ``encoder`` returns.

        With ``candidate`` that one alone, in a folder of its own. Without it all of them and the
        choice of one: those that are in such folders are not trained again.
        """
        settings, seed, names = self.settings.stylization, self.settings.seed, self.cache.names
        weights = identity.of_encoder(settings.encoder, names)
        inputs = (identity.of_texts(texts, names), weights, str(seed), *keys)
        alone = candidate if settings.candidates > 1 else None

        def key_of(*part: str) -> str:
            return stage_key(Stage.STYLIZATION, settings, *part, *inputs)

        def make(folder: Path) -> None:
            checkpoint = Checkpoint(folder / "checkpoint.pt")
            apart = [] if alone else self._take_candidates(key_of, folder)

            def train(part: float) -> StylizedAtlas:
                slowed = replace(settings, learning_rate=settings.learning_rate * part)
                atlas = stylize(
                    layers, torch.from_numpy(clip.video.frames), texts, slowed, encoder=encoder(),
                    device=self.device, seed=seed, report=self.report, checkpoint=checkpoint,
                    apart=apart, only=alone,
                )  # fmt: skip
                check_finite(atlas.state_dict())
                return atlas

            if len(apart) == settings.candidates:
                atlas = choose_best(apart, folder)
            else:
                with devices.fast_matrices(self.device):
                    atlas = devices.within_memory(
                        lambda: train_with_restart(train, checkpoint, self.report), self.report
                    )
            save_atlas(atlas, folder)
            checkpoint.remove()

        if alone:
            return CachedArtifact(key_of(f"candidate {alone}"), make, load_atlas)
        return CachedArtifact(key_of(), make, self._load_chosen, self._load_early)

    def _take_candidates(
        self, key_of: Callable[[str], str], folder: Path
    ) -> list[candidates.RankingEntry]:
        """Copy the candidates that were trained alone into ``folder``; return their entries."""
        entries = []
        for number in range(1, self.settings.stylization.candidates + 1):
            key = key_of(f"candidate {number}")
            if self.cache.has(Stage.STYLIZATION, key):
                source = self.cache.folder(Stage.STYLIZATION, key)
                entries.append(candidates.take(number, source, folder))
        return entries

    def _load_chosen(self, folder: Path) -> StylizedAtlas:
        candidate, snapshot = self.settings.render.candidate, self.settings.render.snapshot
        return load_atlas(candidates.choose(folder, candidate=candidate, snapshot=snapshot))

    def _load_early(self, part: Path) -> StylizedAtlas | None:
        settings = self.settings
        wanted = settings.render.snapshot if settings.stylization.candidates == 1 else 0
        saved = candidates.saved_early(part, snapshot=wanted)
        return None if saved is None else load_atlas(saved)
