"""The registration of the background: homographies between neighbours, then one solve.

The homographies carry the camera's motion; a coarse spline takes their drift and the parallax.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy import ndarray as Array

from ...ahead import ahead
from ...partial_results import UNSAVED, PartialResults
from . import equations, registration
from .mapping import Background, apply_homographies
from .matches import Matches, both_flows, join, read
from .splines import Lattice, stiffness

if TYPE_CHECKING:
    from ...video.flow import Flow

LONG_GAPS = (4, 16)
MATCHING_SIDE = 320
KNOTS_ACROSS = 8
AGREEMENT = 1.0
POINTS = 500
STIFFNESS = 0.2


@dataclass(frozen=True)
class Scenery:
    """The frames at the size in which the background is matched."""

    greys: Array  # uint8 [T, h, w]
    free: Array  # bool [T, h, w], off all objects
    forward: Array  # [T-1, h, w, 2] px
    backward: Array  # [T-1, h, w, 2] px
    shrunk: Array  # [2], px here per frame px


def register_background(
    frames: Array,
    occupied: Array,
    flow: Flow,
    *,
    device: torch.device,
    seed: int,
    tick: Callable[[float], None],
    partial: PartialResults = UNSAVED,
) -> Background:
    """Return the background's mapping, without the panorama's place yet.

    ``frames`` uint8 [T, H, W, 3], ``occupied`` [T, H, W] in [0, 1] says where any object is,
    ``tick`` is called with the share of the work that is done; what is in ``partial`` is not
    computed again. Equations are solved on ``device``.
    """
    scenery = _scenery(frames, occupied, flow)
    random = np.random.default_rng(seed)

    def beside(first: int) -> Iterator[tuple[Array, ...]]:
        for frame in range(first, len(frames) - 1):
            yield _near_matches(scenery, frame, random).arrays()

    near = [Matches(*found) for found in partial.each("near matches", beside, random)]
    chain = _chain_to_middle([_homography(part) for part in near])
    gaps = [(a, a + gap) for gap in LONG_GAPS for a in range(len(frames) - gap)]

    def apart(first: int) -> Iterator[tuple[Array, ...]]:
        flows = ahead(lambda pair: _far_flows(scenery, chain, pair), gaps[first:])
        for pair, (there, back, between) in zip(gaps[first:], flows, strict=True):
            yield _sample_matches(
                scenery, there, back, pair, between=between, random=random
            ).arrays()

    far = []
    for number, found in enumerate(partial.each("far matches", apart, random)):
        tick(0.7 * number / len(gaps))
        far.append(Matches(*found))
    tick(0.7)
    return _solve_splines(join([*near, *far]), chain, scenery, device, partial=partial)


def _scenery(frames: Array, occupied: Array, flow: Flow) -> Scenery:
    height, width = frames.shape[1:3]
    shrink = min(1.0, MATCHING_SIDE / max(height, width))
    size = (max(16, round(width * shrink)), max(16, round(height * shrink)))
    shrunk = np.array([size[0] / width, size[1] / height], np.float32)
    radius = max(2, round(max(size) / 64))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    greys, free = [], []
    for frame, mask in zip(frames, occupied, strict=True):
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        greys.append(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
        free.append(cv2.dilate(cv2.resize(mask, size), brush) < 0.1)
    flows = [
        np.stack([cv2.resize(step.astype(np.float32), size) * shrunk for step in steps])
        for steps in (flow.forward, flow.backward)
    ]
    return Scenery(np.stack(greys), np.stack(free), flows[0], flows[1], shrunk)


def _near_matches(scenery: Scenery, frame: int, random: np.random.Generator) -> Matches:
    identity = np.eye(3)
    there, back = scenery.forward[frame], scenery.backward[frame]
    return _sample_matches(
        scenery, there, back, (frame, frame + 1), between=identity, random=random
    )


def _far_flows(scenery: Scenery, chain: Array, pair: tuple[int, int]) -> tuple[Array, Array, Array]:
    """Return the flow there and back after the second frame was warped onto the first.

    And how the chain warps it: what takes the first frame to the second.
    """
    first, second = pair
    between = np.linalg.inv(chain[second]) @ chain[first]
    grey = scenery.greys[second]
    warped = cv2.warpPerspective(
        grey,
        between,
        grey.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return *both_flows(scenery.greys[first], warped), between


def _sample_matches(
    scenery: Scenery,
    there: Array,
    back: Array,
    pair: tuple[int, int],
    *,
    between: Array,
    random: np.random.Generator,
) -> Matches:
    """Sample matches off the objects; ``between`` takes the warped frame to the second one."""
    first, second = pair
    rows, columns = np.nonzero(scenery.free[first])
    chosen = random.permutation(len(rows))[:POINTS]
    start = np.stack([columns[chosen], rows[chosen]], 1).astype(np.float32)
    if len(start) == 0:
        return Matches(rows[:0], rows[:0], start, start, np.zeros(0))
    landed = start + read(there, start)
    error = np.square(landed + read(back, landed) - start).sum(1)
    end = cv2.perspectiveTransform(landed[:, None], between)[:, 0]
    inside = read(scenery.free[second].astype(np.float32), end.astype(np.float32)) > 0.9
    weight = np.exp(-error / AGREEMENT**2) * inside
    kept = weight > 0.05
    numbers = np.ones(int(kept.sum()), np.int64)
    return Matches(first * numbers, second * numbers, start[kept], end[kept], weight[kept])


def _homography(matches: Matches) -> Array:
    """Return what takes the first frame to the second; the identity where nothing is seen."""
    start, end = matches.start.astype(np.float64), matches.end.astype(np.float64)
    if len(start) >= 40:
        found, inliers = cv2.findHomography(start, end, cv2.RANSAC, 0.7)
        if found is not None and inliers.sum() > 0.3 * len(start) and _plausible(found):
            return found
    if len(start) >= 6:
        found, _ = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=0.7)
        if found is not None:
            return np.vstack([found, [0, 0, 1]])
    return np.eye(3)


def _plausible(homography: Array) -> bool:
    area = np.linalg.det(homography[:2, :2])
    return bool(0.5 < area < 2 and np.abs(homography[2, :2]).max() < 1e-3)


def _chain_to_middle(steps: list[Array]) -> Array:
    """Return what takes each frame to the middle one, [T, 3, 3]."""
    count = len(steps) + 1
    middle = count // 2
    chain = np.tile(np.eye(3), (count, 1, 1))
    for frame in range(middle - 1, -1, -1):
        chain[frame] = chain[frame + 1] @ steps[frame]
    for frame in range(middle + 1, count):
        chain[frame] = chain[frame - 1] @ np.linalg.inv(steps[frame - 1])
    return chain / chain[:, 2:, 2:]


def _solve_splines(
    matches: Matches,
    chain: Array,
    scenery: Scenery,
    device: torch.device,
    *,
    partial: PartialResults,
) -> Background:
    """Solve for the splines."""
    height, width = scenery.greys.shape[1:]
    lattice = Lattice(width, height, max(width, height) / KNOTS_ACROSS)
    homographies = torch.from_numpy(chain).float()
    frames = len(chain)
    knots = torch.zeros(frames, lattice.rows, lattice.columns, 2)
    if len(matches.weight):
        start, end = (
            apply_homographies(homographies[numbers], torch.from_numpy(points).float()[:, None])[
                :, 0
            ]
            for numbers, points in ((matches.first, matches.start), (matches.second, matches.end))
        )
        knots, _ = registration.solve(
            equations.problem(matches, (end - start).numpy()),
            lattice,
            stiffness(lattice, first=STIFFNESS, second=STIFFNESS, size=1e-3),
            start=knots,
            reference=frames // 2,
            device=device,
            before_round=lambda: None,
            partial=partial,
            name="background",
        )
    shrunk = torch.from_numpy(scenery.shrunk)
    return Background(homographies, lattice, knots, shrunk, torch.zeros(2), torch.ones(2))
