"""A checkerboard laid over the atlas, as the frames show it: for the eye that a mapping sticks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..contract.job import Footage
from ..contract.layers import CHECKS
from ..decomposition.layers import Layers
from ..video.frames import source_frames
from ..video.images import write_png
from ..video.movie_writer import write_movie

COLUMNS = 4
CELL_WIDTH = 420
SHEET_FRAMES = 12
SIDE = 960  # pixels of the longest side of numbered checks, at most
SEEN = 0.5  # alpha from which on a pixel shows its object's check
SHADE = 0.35  # how much of the footage's light is left on the checks


@dataclass(frozen=True)
class Board:
    """Checks on one atlas: where they begin and how large they are, in uv."""

    corner: np.ndarray  # [2]
    cell: float

    @classmethod
    def over(cls, layers: Layers) -> Board:
        """Return checks over the part of the atlas that is seen."""
        rows, columns = np.nonzero(layers.coverage.numpy() > 0.5)
        side = layers.coverage.shape[0]
        if len(rows) == 0:
            return cls(np.zeros(2), 1 / CHECKS)
        low = np.array([columns.min(), rows.min()]) / side
        high = np.array([columns.max() + 1, rows.max() + 1]) / side
        return cls(low, float((high - low).max()) / CHECKS)

    def numbers(self, uv: np.ndarray) -> np.ndarray:
        """Return which check is at ``uv`` [..., 2]: 1 + column + CHECKS * row, uint8."""
        place = np.floor((uv - self.corner) / self.cell).clip(0, CHECKS - 1).astype(np.uint8)
        return 1 + place[..., 0] + CHECKS * place[..., 1]

    def colours(self, uv: np.ndarray) -> np.ndarray:
        """Return colours in [0, 1] at ``uv`` [..., 2]; rows and columns differ in colour."""
        number = np.floor((uv - self.corner) / self.cell)
        dark = np.mod(number.sum(-1), 2) == 0
        hue = np.mod(number[..., 0] / CHECKS, 1)
        turned = 2 * np.pi * (hue[..., None] + np.array([0, 1 / 3, 2 / 3]))
        bright = 0.62 + 0.34 * np.cos(turned)
        level = np.clip(1 - 0.5 * number[..., 1:] / CHECKS, 0.4, 1)
        return np.where(dark[..., None], 0.12, bright * level)


def lay_checks(
    source: np.ndarray, index: int, layers: Sequence[Layers], boards: Sequence[Board]
) -> np.ndarray:
    """Return one frame, uint8 [H, W, 3], with checks on what ``layers`` hold of it.

    Layers are from front to back, at any size.
    """
    colours = source.astype(np.float32) / 255
    light = colours.mean(2, keepdims=True)
    left = np.ones((*source.shape[:2], 1), np.float32)
    result = colours.copy()
    for each, board in zip(layers, boards, strict=True):
        uv = _enlarge(each.uv[index].numpy(), source)
        alpha = np.minimum(_enlarge(each.alpha[index].numpy(), source)[..., None], left)
        checks = board.colours(uv) * (1 - SHADE + SHADE * 2 * light)
        result += alpha * (checks - colours)
        left = left - alpha
    return (np.clip(result, 0, 1) * 255).round().astype(np.uint8)


def numbered_checks(layers: Sequence[Layers], size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Yield for each frame which check of the nearest object is seen, uint8 [H, W], 0 for none.

    As large as the footage of ``size`` (width, height), but for a longest side above `SIDE`.
    """
    part = min(1.0, SIDE / max(size))
    blank = np.zeros((round(size[1] * part), round(size[0] * part)), np.uint8)
    boards = [Board.over(each) for each in layers]
    for index in range(len(layers[0].alpha) if layers else 0):
        picture = blank.copy()
        for each, board in reversed([*zip(layers, boards, strict=True)]):
            seen = _enlarge(each.alpha[index].numpy(), blank) > SEEN
            picture[seen] = board.numbers(_enlarge(each.uv[index].numpy(), blank)[seen])
        yield picture


def sheet(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Return ``frames`` beside and below each other in one picture."""
    height, width = frames[0].shape[:2]
    size = (CELL_WIDTH, round(height * CELL_WIDTH / width))
    small = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
    small += [np.zeros_like(small[0])] * (-len(small) % COLUMNS)
    rows = [np.hstack(small[at : at + COLUMNS]) for at in range(0, len(small), COLUMNS)]
    return np.vstack(rows)


def _enlarge(picture: np.ndarray, source: np.ndarray) -> np.ndarray:
    size = source.shape[1], source.shape[0]
    return cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)


def write_checkerboard(footage: Footage, layers: Sequence[Layers], folder: Path) -> None:
    """Write ``checkerboard.mp4`` and ``checkerboard.png``: all frames by `lay_checks`."""
    boards = [Board.over(each) for each in layers]
    chosen = np.linspace(0, len(layers[0].alpha) - 1, SHEET_FRAMES).round().astype(int)
    kept: list[np.ndarray] = []

    def frames() -> Iterator[np.ndarray]:
        for index, source in enumerate(source_frames(footage)):
            picture = lay_checks(source, index, layers, boards)
            kept.extend(picture for number in chosen if number == index)
            yield picture

    write_movie(folder / "checkerboard.mp4", frames(), footage.frames_per_second)
    write_png(folder / "checkerboard.png", sheet(kept))
