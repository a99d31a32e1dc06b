"""What each stage makes of its inputs: under which key, by which function, read back by which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from . import device as devices
from . import identity
from .checkpoint import Checkpoint
from .contract.codec import to_json
from .contract.job import JobSpec, ObjectMask, Stage, TargetTexts
from .contract.settings import Settings
from .decomposition.layers import Layers, load_layers, save_layers
from .decomposition.train import decompose
from .reporter import Reporter
from .stages import Piece
from .stylization import candidates
from .stylization.atlas import StylizedAtlas, load_atlas, save_atlas
from .stylization.encoder import Encoder
from .stylization.train import stylize
from .video.flow import Flow, closer_flow, estimate_flow, load_flow, save_flow
from .video.frames import Video, larger_greys, load_video, read_video, save_video
from .video.masks import Masks, find_masks, load_masks, save_masks
from .workspace import stage_key


@dataclass(frozen=True)
class Pieces:
    """The pieces of one job; ``encoder`` is there where the job has texts.

    The methods take the values that a piece is made from, and as ``keys`` the keys of the pieces
    that these are.
    """

    spec: JobSpec
    device: torch.device
    report: Reporter
    encoder: Encoder | None

    @property
    def settings(self) -> Settings:
        """Those of the request."""
        return self.spec.settings

    def frames(self) -> Piece[Video]:
        """The footage, decoded."""
        footage, settings = self.spec.footage, self.settings.frames
        return Piece(
            stage_key(Stage.FRAMES, settings, *identity.of_footage(footage)),
            lambda folder: save_video(read_video(footage, settings, self.report), folder),
            load_video,
        )

    def flow(self, video: Video, keys: Sequence[str]) -> Piece[Flow]:
        """Motion between neighbouring frames."""
        settings, device = self.settings.flow, str(self.device)

        def make(folder: Path) -> None:
            save_flow(estimate_flow(video.frames, settings, self.report, device=device), folder)

        return Piece(stage_key(Stage.FLOW, settings, *keys), make, load_flow)

    def masks(
        self, mask: ObjectMask, video: Video, flow: Flow, keys: Sequence[str]
    ) -> Piece[Masks]:
        """Where one object is."""
        footage, settings, device = self.spec.footage, self.settings.masks, str(self.device)
        inputs = (*identity.of_mask(mask, footage), *keys)

        def make(folder: Path) -> None:
            found = find_masks(mask, footage, video, flow, settings, self.report, device=device)
            save_masks(found, folder)

        return Piece(stage_key(Stage.MASKS, settings, *inputs), make, load_masks)

    def layers(
        self, video: Video, flow: Flow, masks: Masks, others: np.ndarray | None, keys: Sequence[str]
    ) -> Piece[Layers]:
        """The layers of one object; ``others`` is where other objects are, [T, H, W]."""
        settings, seed = self.settings.decomposition, self.settings.seed
        chosen = {"engine": settings.engine, **to_json(getattr(settings, settings.engine))}

        def make(folder: Path) -> None:
            checkpoint = Checkpoint(folder / "checkpoint.pt")
            greys = larger_greys(self.spec.footage)
            closer = closer_flow(flow, greys, self.settings.flow, self.report)
            layers = decompose(
                video.frames, closer, masks, settings, others=others, greys=greys,
                device=self.device, seed=seed, report=self.report, checkpoint=checkpoint,
            )  # fmt: skip
            save_layers(layers, folder)
            checkpoint.path.unlink(missing_ok=True)

        return Piece(stage_key(Stage.DECOMPOSITION, chosen, str(seed), *keys), make, load_layers)

    def atlas(
        self, video: Video, layers: Layers, keys: Sequence[str], texts: TargetTexts
    ) -> Piece[StylizedAtlas]:
        """What one object, or the background, becomes."""
        settings, seed, shown = self.settings.stylization, self.settings.seed, self.settings.render
        weights = identity.of_encoder(settings.encoder)
        inputs = (identity.of_texts(texts), weights, str(seed), *keys)

        def make(folder: Path) -> None:
            assert self.encoder is not None, "a job with texts has an encoder"
            checkpoint = Checkpoint(folder / "checkpoint.pt")
            with devices.fast_matrices(self.device):
                atlas = stylize(
                    layers, torch.from_numpy(video.frames), texts, settings, encoder=self.encoder,
                    device=self.device, seed=seed, report=self.report, checkpoint=checkpoint,
                )  # fmt: skip
            save_atlas(atlas, folder)
            checkpoint.path.unlink(missing_ok=True)

        def load(folder: Path) -> StylizedAtlas:
            candidate, snapshot = shown.candidate, shown.snapshot
            return load_atlas(candidates.choose(folder, candidate=candidate, snapshot=snapshot))

        def early(part: Path) -> StylizedAtlas | None:
            wanted = shown.snapshot if settings.candidates == 1 else 0
            saved = candidates.saved_early(part, snapshot=wanted)
            return None if saved is None else load_atlas(saved)

        return Piece(stage_key(Stage.STYLIZATION, settings, *inputs), make, load, early)
