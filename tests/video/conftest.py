"""Footage made here: a textured disc that moves over a panning texture, with its true masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest

from engine.contract.settings import FlowSettings
from engine.video.flow import estimate_flow


class Listener:
    """A report that remembers progress, and can ask for a stop after some of it."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.steps: list[tuple[int, int]] = []
        self.stop_after = stop_after
        self.warnings: list[str] = []

    def progress(self, step: int, total: int, terms: Mapping[str, float] | None = None) -> None:
        self.steps.append((step, total))

    def preview(self, name: str, image: Any) -> None:
        pass

    def warning(self, message: str, hint: str = "") -> None:
        self.warnings.append(message)

    def stopping(self) -> bool:
        return self.stop_after is not None and len(self.steps) >= self.stop_after


@dataclass(frozen=True)
class Scene:
    """``frames`` uint8 [T, H, W, 3] and where the disc is, bool [T, H, W]."""

    frames: np.ndarray
    masks: np.ndarray


def texture(height: int, width: int, colour: tuple[int, int, int], seed: int) -> np.ndarray:
    """Smooth noise around ``colour``, uint8 [H, W, 3]."""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 1.5)
    noise *= 25.0 / noise.std()
    return np.clip(noise + np.array(colour, np.float32), 0, 255).astype(np.uint8)


def moving_disc(count: int = 10, height: int = 96, width: int = 144) -> Scene:
    """The ground moves left by 2 px a frame, the disc right by 3 px."""
    ground = texture(height, width + 4 * count, (70, 110, 60), seed=1)
    skin = texture(height, width, (190, 110, 70), seed=2)
    rows, columns = np.mgrid[0:height, 0:width]
    frames, masks = [], []
    for index in range(count):
        centre = width * 0.3 + 3 * index
        inside = np.hypot(columns - centre, rows - height / 2) < height * 0.22
        frame = ground[:, 2 * index : 2 * index + width].copy()
        frame[inside] = np.roll(skin, 3 * index, axis=1)[inside]
        frames.append(frame)
        masks.append(inside)
    return Scene(np.stack(frames), np.stack(masks))


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def stopping_listener() -> Listener:
    return Listener(stop_after=2)


@pytest.fixture(scope="session")
def scene() -> Scene:
    return moving_disc()


@pytest.fixture(scope="module")
def flow(scene):
    """Return the scene's optical flow."""
    return estimate_flow(scene.frames, FlowSettings(), Listener())
