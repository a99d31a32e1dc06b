"""The warping error of a result at the footage's own size, along flow that is estimated there.

Reduced to the working size, a sharp texture aliases, and no interpolation warps an aliased picture
from one frame to the next: of a perfectly still texture that alone can be ten times the footage's
own error. Here both videos are compared at full size. Frames pass one by one.

What flow does not lead back to is left out, as in the warping error of Lai et al. 2018.

Along its outline an object's pixels mix with what is behind them, and flow mixes both motions: the
error there measures how much the texture differs from the background, not how it moves. So besides
the whole object there are parts of it: where both frames show the object alone, and what lies well
within.

It is computed along two motions. The source's: does the texture move as the source? Flow follows
shadows, reflections and whatever makes the source fit best, the texture need not. And each video's
own: does it flicker? Whether the texture slides over the object is not measured here, but by
`drift`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from torch import Tensor

from ..render import full_alpha
from ..video.flow import close_flow, warp, where_agreeing
from .metrics import RIM, unit

LARGEST_SIDE = 854  # px; larger footage is reduced to it
WINDOW = 4.0  # px, deviation of the neighbourhood in which texture is looked for
LEAST_TEXTURE = 2.0  # grey levels a pixel, along the direction in which there is least
ALONE = 0.98  # alpha from which on a pixel shows the object alone
REGIONS = ("object", "alone", "within", "textured")
# The same along each video's own motion; docs/how-it-works.md defines the second, which is quoted.
OWN = ("own motion", "own motion, alone", "own motion, within")
QUOTED = OWN[1]


@dataclass
class _Region:
    """Errors and colours of both videos in one region, source first."""

    errors: list[np.ndarray] = field(default_factory=list)  # each [2]
    count: int = 0
    total: np.ndarray = field(default_factory=lambda: np.zeros((2, 3)))
    squares: np.ndarray = field(default_factory=lambda: np.zeros((2, 3)))

    def ratio(self) -> float | None:
        """Return the result's error in its own variance, in the same of the source."""
        if not self.errors:
            return None
        variance = (self.squares / self.count - (self.total / self.count) ** 2).sum(axis=1)
        source, result = np.mean(self.errors, axis=0) / np.maximum(variance, 1e-9)
        return float(result / max(source, 1e-9))


class WarpingError:
    """The warp errors of a source and of a result, pair by pair of frames."""

    def __init__(self, alpha: Tensor) -> None:
        """``alpha`` [T, h, w] says where the object is, at the working size."""
        self._alpha = alpha
        self._at = 0
        self._last: tuple[np.ndarray, np.ndarray] | None = None
        self._regions = {name: _Region() for name in (*REGIONS, *OWN)}

    def add(self, source: np.ndarray, result: np.ndarray) -> None:
        """Take the next frame of both, uint8 [H, W, 3] of one size."""
        pictures = _reduce(source), _reduce(result)
        if self._last is not None:
            self._compare(self._last, pictures, self._alpha[self._at - 1 : self._at + 1])
        self._last = pictures
        self._at += 1

    def ratios(self) -> dict[str, float | None]:
        """Return for each of `REGIONS` and `OWN` the result's error against the source's.

        Each is divided by the colour variance of its own video there. None where nothing counted.
        """
        return {name: region.ratio() for name, region in self._regions.items()}

    def _compare(
        self,
        first: tuple[np.ndarray, np.ndarray],
        second: tuple[np.ndarray, np.ndarray],
        alphas: Tensor,  # [2, h, w]
    ) -> None:
        height, width = first[0].shape[:2]
        inside = alphas[0].numpy() > 0.5
        ratio = width / inside.shape[1]
        (grey, after), own_greys = (
            tuple(map(_grey, pair)) for pair in zip(first, second, strict=True)
        )
        motion = close_flow(grey, after)
        valid = where_agreeing(motion, close_flow(after, grey))
        colours = [unit(picture) for picture in first]
        following = [unit(picture) for picture in second]

        def squared_difference(video: int, flow: np.ndarray) -> np.ndarray:
            return ((colours[video] - warp(following[video], flow)) ** 2).sum(axis=2)

        source = squared_difference(0, motion)
        along = [source, squared_difference(1, motion)]
        own = [source, squared_difference(1, close_flow(*own_greys))]
        whole = cv2.resize(
            inside.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
        )
        brush = np.ones((2 * round(RIM * ratio) + 1,) * 2, np.uint8)
        within = cv2.erode(whole, brush, borderValue=1) > 0
        now, later = (full_alpha(alpha, (height, width)).numpy() > ALONE for alpha in alphas)
        alone = now & (warp(later.astype(np.float32), motion) > ALONE)
        # What may count is the source's to say: where a result flickers its own flow is lost.
        for name, misses, where in (
            ("object", along, whole > 0),
            ("alone", along, alone),
            ("within", along, within),
            ("textured", along, within & (texture(grey) > LEAST_TEXTURE)),
            ("own motion", own, whole > 0),
            ("own motion, alone", own, alone),
            ("own motion, within", own, within),
        ):
            _count(self._regions[name], misses, colours, where & valid)


def _count(
    region: _Region, misses: list[np.ndarray], colours: list[np.ndarray], where: np.ndarray
) -> None:
    if not where.any():
        return
    region.errors.append(np.array([miss[where].mean() for miss in misses]))
    seen = [colour[where].astype(np.float64) for colour in colours]
    region.count += len(seen[0])
    region.total += [each.sum(axis=0) for each in seen]
    region.squares += [(each**2).sum(axis=0) for each in seen]


def _grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def texture(grey: np.ndarray) -> np.ndarray:
    """Return how much ``grey`` uint8 [H, W] changes along the direction of least change.

    The root of the structure tensor's smaller eigenvalue, in grey levels a pixel: where it is
    small, motion is a guess, at least along an edge.
    """
    values = grey.astype(np.float32)
    across = cv2.Sobel(values, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(values, cv2.CV_32F, 0, 1, scale=1 / 8)
    xx, xy, yy = (
        cv2.GaussianBlur(each, (0, 0), WINDOW) for each in (across**2, across * down, down**2)
    )
    smaller = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return np.sqrt(np.maximum(smaller, 0))


def _reduce(frame: np.ndarray) -> np.ndarray:
    scale = LARGEST_SIDE / max(frame.shape[:2])
    if scale >= 1:
        return frame
    return cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
