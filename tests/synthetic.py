"""A small video whose truth is known: a textured sprite that moves, turns and bends over scenery.

Everything is a formula, so that alpha, positions on the sprite and flow hold between pixels too.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from engine.video.flow import Flow
from engine.video.images import write_png
from engine.video.masks import Masks

PAINT = (0.6, 0.35, 0.5)  # the sprite's mean colour


@dataclass(frozen=True)
class Footage:
    """The video and its truth. Positions on the sprite are in pixels of its unscaled size."""

    frames: np.ndarray  # uint8 [T, H, W, 3]
    alpha: np.ndarray  # [T, H, W] in [0, 1]
    uv: np.ndarray  # [T, H, W, 2], where each pixel lies on the sprite, also outside it
    flow: Flow
    sprite: "Sprite"
    paint: np.ndarray  # the waves of the sprite's colours

    @property
    def masks(self) -> np.ndarray:
        """The sprite's soft masks, uint8 [T, H, W]."""
        return np.round(self.alpha * 255).astype(np.uint8)

    def write(self, folder: Path) -> Path:
        """Write ``frames/`` and ``masks/`` as images of three channels; return ``folder``."""
        masks = self.masks[..., None].repeat(3, axis=-1)
        for name, pictures in (("frames", self.frames), ("masks", masks)):
            (folder / name).mkdir(parents=True, exist_ok=True)
            for index, picture in enumerate(pictures):
                write_png(folder / name / f"{index:03d}.png", picture)
        return folder

    def colours(self, places: np.ndarray) -> np.ndarray:
        """Return the sprite's colours at positions [..., 2] on it, in [0, 1]."""
        return np.clip(_coloured(self.paint, places, PAINT), 0, 1)

    def given_masks(self, unknown: tuple[int, ...] = ()) -> Masks:
        """The masks as the engine gets them; nothing is known of the frames ``unknown``."""
        known = np.ones(len(self.frames), bool)
        known[list(unknown)] = False
        return Masks(self.masks * known[:, None, None], known, given=True)


@dataclass(frozen=True)
class Sprite:
    """How the sprite moves: from frame pixels to positions on the sprite, and back."""

    time: np.ndarray  # [T], 1 at the end of one movement
    centre: np.ndarray  # [T, 2], frame px
    angle: np.ndarray  # [T]
    scale: np.ndarray  # [T], frame px per sprite px
    radius: float  # sprite px
    bend: float  # sprite px

    def uv(self, frame: int, points: np.ndarray) -> np.ndarray:
        """Return where frame pixels ``points`` [..., 2] lie on the sprite."""
        cos, sin = np.cos(self.angle[frame]), np.sin(self.angle[frame])
        place = (points - self.centre[frame]) @ np.array([[cos, -sin], [sin, cos]])
        place = place / self.scale[frame]
        phase = 2 * np.pi * place / (2.5 * self.radius) + 2 * np.pi * self.time[frame]
        return place + self.bend * np.sin(phase[..., ::-1])

    def points(self, frame: int, uv: np.ndarray) -> np.ndarray:
        """Return the frame pixels that show the positions ``uv`` [..., 2]; undoes `uv`."""
        cos, sin = np.cos(self.angle[frame]), np.sin(self.angle[frame])
        turn = self.scale[frame] * np.array([[cos, sin], [-sin, cos]])
        points = self.centre[frame] + uv @ turn
        for _ in range(30):
            points = points + (uv - self.uv(frame, points)) @ turn
        return points

    def alpha(self, uv: np.ndarray) -> np.ndarray:
        """Return the opacity at ``uv``: a rounded star, soft over one pixel."""
        distance = np.linalg.norm(uv, axis=-1)
        edge = self.radius * (1 + 0.15 * np.cos(5 * np.arctan2(uv[..., 1], uv[..., 0])))
        return np.clip(edge - distance + 0.5, 0, 1)


def moving_sprite(
    *, frames: int = 12, width: int = 128, height: int = 72, seed: int = 0
) -> Footage:
    """Return footage of a sprite about half as high as the frame, over panning scenery.

    The first twelve frames are one whole movement; fewer frames are a part of it.
    """
    random = np.random.default_rng(seed)
    side = min(width, height)
    paint, scenery = _waves(random, 5, side / 3), _waves(random, 6, side / 2)
    sprite = _sprite(frames, width, height)
    time = _time(frames)
    pan = np.stack([0.06 * width * (2 * time - 1), np.zeros(frames)], 1)
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(float)
    uv = np.stack([sprite.uv(frame, grid) for frame in range(frames)])
    alpha = sprite.alpha(uv)
    behind = np.stack([_coloured(scenery, grid + shift, (0.5, 0.5, 0.35)) for shift in pan])
    colours = alpha[..., None] * _coloured(paint, uv, PAINT)
    colours = colours + (1 - alpha[..., None]) * behind
    pictures = np.round(np.clip(colours, 0, 1) * 255).astype(np.uint8)
    return Footage(pictures, alpha, uv, _flow(sprite, alpha, uv, grid, pan), sprite, paint)


def _time(frames: int) -> np.ndarray:
    return np.linspace(0, min(1, (frames - 1) / 11), frames)


def _sprite(frames: int, width: int, height: int) -> Sprite:
    time = _time(frames)
    across = 0.5 * width + 0.15 * width * (2 * time - 1)
    down = 0.5 * height + 0.08 * height * np.sin(2 * np.pi * time)
    side = min(width, height)
    return Sprite(
        time=time,
        centre=np.stack([across, down], 1),
        angle=0.25 * (2 * time - 1),
        scale=1 + 0.1 * np.sin(np.pi * time),
        radius=0.27 * side,
        bend=0.012 * side,
    )


def _waves(random: np.random.Generator, shortest: float, longest: float) -> np.ndarray:
    """Return plane waves as rows of (wave vector, phase, amplitude of each channel), [N, 6]."""
    count = 24
    length = np.exp(random.uniform(np.log(shortest), np.log(longest), count))
    angle, phase = random.uniform(0, 2 * np.pi, (2, count))
    vector = 2 * np.pi / length[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    size = random.normal(0, 0.05, (count, 3))
    return np.concatenate([vector, phase[:, None], size], 1)


def _coloured(waves: np.ndarray, places: np.ndarray, mean: tuple[float, ...]) -> np.ndarray:
    return np.sin(places @ waves[:, :2].T + waves[:, 2]) @ waves[:, 3:] + np.array(mean)


def _flow(
    sprite: Sprite, alpha: np.ndarray, uv: np.ndarray, grid: np.ndarray, pan: np.ndarray
) -> Flow:
    parts = [
        _steps(sprite, alpha, uv, grid, pan, (frame, following))
        for first, second in pairwise(range(len(alpha)))
        for frame, following in ((first, second), (second, first))
    ]
    steps, valid = (np.stack([part[number] for part in parts]) for number in (0, 1))
    return Flow(
        steps[0::2].astype(np.float32), steps[1::2].astype(np.float32), valid[0::2], valid[1::2]
    )


def _steps(
    sprite: Sprite,
    alpha: np.ndarray,
    uv: np.ndarray,
    grid: np.ndarray,
    pan: np.ndarray,
    pair: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the flow of one frame to another, [H, W, 2], and where it is to be trusted."""
    first, second = pair
    on_sprite = alpha[first] > 0.5
    ends = np.where(
        on_sprite[..., None], sprite.points(second, uv[first]), grid + pan[first] - pan[second]
    )
    size = np.array(alpha.shape[:0:-1])
    inside = ((ends >= 0) & (ends <= size - 1)).all(-1)
    lands_on_sprite = sprite.alpha(sprite.uv(second, ends)) > 0.5
    return ends - grid, inside & (lands_on_sprite == on_sprite)
