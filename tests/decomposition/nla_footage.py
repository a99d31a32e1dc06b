"""A little footage with known layers and flow: a textured square over a textured plane."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np


class QuietReport:
    """Remembers what is said; asks for a stop after so many questions."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.steps: list[tuple[int, int, dict[str, float]]] = []
        self.previews: list[str] = []
        self.asked = 0
        self.stop_after = stop_after

    def progress(self, step: int, total: int, terms: Mapping[str, float] | None = None) -> None:
        self.steps.append((step, total, dict(terms or {})))

    def preview(self, name: str, image: Any) -> None:
        assert image.dtype == np.uint8 and image.shape[2] in (3, 4)
        self.previews.append(name)

    def warning(self, message: str, hint: str = "") -> None:
        raise AssertionError(message)

    def stopping(self) -> bool:
        self.asked += 1
        return self.stop_after is not None and self.asked > self.stop_after


def moving_square(frames: int = 6, height: int = 32, width: int = 48, side: int = 14) -> Any:
    """Return frames, flow, masks and truth of a square that moves over a moving plane.

    The square goes 2 pixels a frame to the right and 1 down, the plane 1 to the left.
    """
    square, plane = np.array([2, 1]), np.array([-1, 0])
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    shape = (frames, height, width)
    video, truth = np.zeros((*shape, 3), np.float32), np.zeros(shape, bool)
    start = np.array([width // 6, height // 5])
    for t in range(frames):
        left, top = start + square * t
        inside = (columns >= left) & (columns < left + side)
        inside &= (rows >= top) & (rows < top + side)
        front = _texture(columns - left, rows - top, phase=2.0, base=(0.8, 0.5, 0.2))
        back = _texture(columns - plane[0] * t, rows, phase=0.0, base=(0.25, 0.45, 0.6))
        video[t] = np.where(inside[..., None], front, back)
        truth[t] = inside
    flow = SimpleNamespace(**_flow(truth, square, plane))
    masks = SimpleNamespace(
        masks=truth.astype(np.uint8) * 255, known=np.ones(frames, bool), given=True
    )
    picture = (video * 255).round().astype(np.uint8)
    return SimpleNamespace(frames=picture, flow=flow, masks=masks, truth=truth)


def _texture(x: np.ndarray, y: np.ndarray, *, phase: float, base: tuple[float, ...]) -> np.ndarray:
    waves = np.stack(
        [
            np.sin(0.55 * x + 0.2 * y + phase),
            np.sin(0.45 * y - 0.25 * x + 2 * phase),
            np.sin(0.35 * (x + y) + 3 * phase),
        ],
        axis=-1,
    )
    return np.clip(np.array(base) + 0.18 * waves, 0, 1).astype(np.float32)


def _flow(truth: np.ndarray, square: np.ndarray, plane: np.ndarray) -> dict[str, np.ndarray]:
    height, width = truth.shape[1:]
    rows, columns = np.mgrid[:height, :width]
    flow = {}
    for name, source, target, sign in (
        ("forward", truth[:-1], truth[1:], 1),
        ("backward", truth[1:], truth[:-1], -1),
    ):
        vectors = sign * np.where(source[..., None], square, plane)
        column, row = columns + vectors[..., 0], rows + vectors[..., 1]
        valid = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        landed = target[
            np.arange(len(target))[:, None, None],
            row.clip(0, height - 1),
            column.clip(0, width - 1),
        ]
        flow[name] = vectors.astype(np.float32)
        flow[f"{name}_valid"] = valid & (landed == source)
    return flow


def psnr(reconstruction: np.ndarray, frames: np.ndarray) -> float:
    """Return the mean over frames of the PSNR in dB; both in [0, 1]."""
    errors = ((reconstruction - frames) ** 2).reshape(len(frames), -1).mean(axis=1)
    return float((-10 * np.log10(errors)).mean())


def iou(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean over frames of intersection over union."""
    axes = (1, 2)
    return float(((found & truth).sum(axes) / (found | truth).sum(axes)).mean())
