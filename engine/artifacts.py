"""The cached artifacts of frames, flow and masks: their keys, and how they are made and read.

Imports torch only where a search wants the encoder's features: that takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import identity
from .contract.job import JobSpec, ObjectMask, Stage
from .contract.settings import Settings
from .contract.words.recognition import seen_as
from .partial_results import PartialResults
from .reporter import Reporter
from .stages import CachedArtifact
from .video.feature_memory import FeatureMaps
from .video.flow import Device, Flow, estimate_flow, load_flow, save_flow
from .video.frames import Video, load_video, read_video, save_video
from .video.masks import Masks, find_masks, load_masks, save_masks
from .workspace import Names, stage_key


@dataclass(frozen=True)
class Artifacts:
    """The artifacts of one job up to its masks; networks, if it wants some, work on ``device``.

    The methods take the values that an artifact is computed from, and as ``keys`` the keys of these
    artifacts.
    """

    spec: JobSpec
    report: Reporter
    device: Device
    names: Names

    @property
    def settings(self) -> Settings:
        """Those of the request."""
        return self.spec.settings

    def frames(self) -> CachedArtifact[Video]:
        """The footage, decoded."""
        footage, settings = self.spec.footage, self.settings.frames
        return CachedArtifact(
            stage_key(Stage.FRAMES, settings, *identity.of_footage(footage, self.names)),
            lambda folder: save_video(read_video(footage, settings, self.report), folder),
            load_video,
        )

    def flow(self, video: Video, keys: Sequence[str]) -> CachedArtifact[Flow]:
        """Motion between neighbouring frames."""
        settings = self.settings.flow

        def make(folder: Path) -> None:
            partial = PartialResults(folder / "partial")
            flow = estimate_flow(
                video.frames, settings, self.report, device=self.device, partial=partial
            )
            partial.remove()
            save_flow(flow, folder)

        return CachedArtifact(stage_key(Stage.FLOW, settings, *keys), make, load_flow)

    def masks(
        self, mask: ObjectMask, video: Video, flow: Flow, keys: Sequence[str]
    ) -> CachedArtifact[Masks]:
        """Where one object is."""
        footage, settings = self.spec.footage, self.settings.masks
        inputs = (*identity.of_mask(mask, footage, self.names), *keys)

        def look_for(name: str) -> np.ndarray:
            from .stylization.activation import class_activation  # torch: seconds

            return class_activation(video.frames, seen_as(name), self.report)

        def embed(tick: Callable[[], None]) -> FeatureMaps:
            from .stylization.activation import dense_features

            return dense_features(video.frames, tick)

        def make(folder: Path) -> None:
            partial = PartialResults(folder / "partial")
            found = find_masks(
                mask, footage, video, flow, settings, self.report, device=self.device,
                partial=partial, look_for=look_for, embed=embed,
            )  # fmt: skip
            partial.remove()
            save_masks(found, folder)

        return CachedArtifact(stage_key(Stage.MASKS, settings, *inputs), make, load_masks)
