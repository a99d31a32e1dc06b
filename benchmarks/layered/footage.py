"""What the contestants get: frames, masks and flow, with the truth where the footage is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.contract.job import Footage as Source
from engine.contract.job import MaskKind, ObjectMask
from engine.contract.settings import FlowSettings, FramesSettings, MasksSettings
from engine.evaluation import drift
from engine.video.flow import Flow, estimate_flow
from engine.video.frames import (
    footage_from_path,
    read_video,
    source_frames,
)
from engine.video.masks import Masks, find_masks
from tests.synthetic import Sprite, moving_sprite

from .clock import now


class Silent:
    """A report that tells nobody and never asks for a stop."""

    def progress(self, step: int, total: int, terms: object = None) -> None:
        """Tell nobody."""

    def preview(self, name: str, image: object) -> None:
        """Show nobody."""

    def warning(self, message: str, hint: str = "") -> None:
        """Warn nobody."""

    def stopping(self) -> bool:
        """Go on."""
        return False


@dataclass(frozen=True)
class Footage:
    """One video at the working size; all contestants share masks and flow."""

    name: str
    frames: np.ndarray  # uint8 [T, H, W, 3]
    masks: Masks
    flow: Flow
    flow_seconds: float
    seconds: float  # in which frames, flow and masks were had
    pictures: dict[int, np.ndarray]  # what drift is judged by
    greys: np.ndarray | None = None  # uint8 [T, h, w], larger
    source: Source | None = None  # the files, of a real clip
    sprite: Sprite | None = None
    truth: np.ndarray | None = None  # [T, H, W, 2], where each pixel lies on the sprite
    true_flow: Flow | None = None

    @property
    def visible(self) -> np.ndarray:
        """Where the object is, bool [T, H, W]."""
        return self.masks.masks > 127


def made(*, frames: int, size: tuple[int, int], seed: int = 0) -> Footage:
    """Return made footage, ``size`` (width, height), of which uv, alpha and flow are known.

    Contestants get the estimated flow, as for real footage.
    """
    video = moving_sprite(frames=frames, width=size[0], height=size[1], seed=seed)
    flow, flow_seconds = _flow(video.frames)
    pictures = {
        index: drift.sampled_picture(frame)
        for index, frame in enumerate(video.frames)
        if drift.is_sampled(index)
    }
    name = f"made {size[0]}x{size[1]}x{frames}"
    return Footage(
        name, video.frames, video.given_masks(), flow, flow_seconds, flow_seconds, pictures,
        sprite=video.sprite, truth=video.uv, true_flow=video.flow,
    )  # fmt: skip


def clip(folder: Path, *, longest_side: int, frames: int | None = None) -> Footage:
    """Return a real clip: ``folder`` holds ``frames/`` and ``masks/``, white on black.

    More ``frames`` than there are go to and fro.
    """
    began = now()
    footage = footage_from_path(folder / "frames")
    if frames is not None:
        last = len(footage.files) - 1
        there = (last - abs(last - index % max(1, 2 * last)) for index in range(frames))
        footage = replace(footage, indices=tuple(there))
    video = read_video(footage, FramesSettings(longest_side=longest_side), Silent())
    flow, flow_seconds = _flow(video.frames)
    mask = ObjectMask(MaskKind.FILES, str(folder / "masks"))
    masks = find_masks(mask, footage, video, flow, MasksSettings(), Silent())
    seconds = now() - began
    pictures = {
        index: drift.sampled_picture(frame)
        for index, frame in enumerate(source_frames(footage))
        if drift.is_sampled(index)
    }
    count, height, width = video.frames.shape[:3]
    name = f"{folder.name} {width}x{height}x{count}"
    return Footage(
        name, video.frames, masks, flow, flow_seconds, seconds, pictures,
        greys=video.greys, source=footage,
    )  # fmt: skip


def _flow(frames: np.ndarray) -> tuple[Flow, float]:
    began = now()
    flow = estimate_flow(frames, FlowSettings(), Silent())
    return flow, now() - began
