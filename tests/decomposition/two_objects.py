"""A sprite that a pillar passes in front of: footage with two objects whose truth is known."""

from dataclasses import dataclass, replace

import numpy as np

from engine.video.flow import Flow
from engine.video.masks import Masks, visible
from tests.synthetic import Footage, moving_sprite

PILLAR = np.array([250, 20, 240], np.uint8)  # a colour that nothing else has


@dataclass(frozen=True)
class TwoObjects:
    """The pillar is nearer. ``bare`` is the same footage without it."""

    bare: Footage
    frames: np.ndarray  # uint8 [T, H, W, 3]
    pillar: np.ndarray  # bool [T, H, W]
    flow: Flow

    def masks(self, index: int) -> tuple[Masks, np.ndarray | None]:
        """Return the visible masks and the others of the pillar (0) or of the sprite (1)."""
        known = np.ones(len(self.frames), bool)
        pillar = Masks(self.pillar.astype(np.uint8) * 255, known, given=True)
        return visible([pillar, self.bare.given_masks()], index)


def behind_a_pillar(**size: int) -> TwoObjects:
    """Return the moving sprite with a pillar that moves with it more slowly, and hides a part."""
    bare = moving_sprite(**size)
    count, height, width = bare.alpha.shape
    left = np.round(np.linspace(0.5, 0.58, count) * width).astype(int)
    columns = np.arange(width)
    thickness = max(3, width // 14)
    pillar = np.stack([(columns >= x) & (columns < x + thickness) for x in left])
    pillar = np.repeat(pillar[:, None], height, axis=1)
    frames = np.where(pillar[..., None], PILLAR, bare.frames)
    return TwoObjects(bare, frames, pillar, _flow(bare.flow, pillar, left))


def _flow(flow: Flow, pillar: np.ndarray, left: np.ndarray) -> Flow:
    step = np.diff(left).astype(np.float32)[:, None, None]
    forward, backward = flow.forward.copy(), flow.backward.copy()
    for field, where, shift in ((forward, pillar[:-1], step), (backward, pillar[1:], -step)):
        field[..., 0] = np.where(where, shift, field[..., 0])
        field[..., 1] = np.where(where, 0, field[..., 1])
    return replace(
        flow,
        forward=forward,
        backward=backward,
        forward_valid=_same(forward, pillar[:-1], pillar[1:]) & flow.forward_valid,
        backward_valid=_same(backward, pillar[1:], pillar[:-1]) & flow.backward_valid,
    )


def _same(field: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return where a vector ends on what it started from."""
    height, width = before.shape[1:]
    rows, columns = np.mgrid[:height, :width]
    valid = np.empty(before.shape, bool)
    for index, step in enumerate(field):
        x = np.clip(np.rint(columns + step[..., 0]), 0, width - 1).astype(int)
        y = np.clip(np.rint(rows + step[..., 1]), 0, height - 1).astype(int)
        valid[index] = after[index][y, x] == before[index]
    return valid
