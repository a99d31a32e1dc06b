"""What stays the same in the object's own frame of reference, and the object judged again by it.

Seen from the object, a solid one stands still in every detail; a reflection, a wake and a shadow's
water ripple, and the ground streams by. What only moves along is taken away where that is much of
what was found, and what the first search missed beside the object is added. Where the object bends
nothing can be said, and it is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from .affine import affine_steps, align, away_from, between, fine_detail, shift
from .flow import Flow, chains
from .segmentation import Appearance, Certain, log_odds, segment

GAPS = (1, 2, 4, 6, 8)  # frames between which detail is compared: water has changed after 8
WINDOW = 3  # px
NOISE = 8.0  # squared levels, of the three colours together
NOTABLE = 12.0  # squared levels of detail that say something
OWN_SPEED = 0.35  # px per frame that flow may leave the object's motion and still be its own
MEMORY = 0.96  # part of what was seen of the object that is handed on to the next frame
UNEXPLAINED = 0.05  # part of the detail that no motion explains, of anything
STEADY_PART = 0.7  # of what is usual of the object that makes a pixel steady
LEAST_STEADY = 0.4  # below this (log ratio) the object bends and nothing is known
ROOM = 16  # px around the object that are looked at
ROUNDS = 3  # the second search begins near its end
SOLID_ROUNDS = ROUNDS + 1  # how often `segment_solid` ticks for each frame
PRIOR_WEIGHT = 1.4
FOUND_WEIGHT = 0.3  # what was found counts little beside what is steady
COMPANION_ODDS = 20.0
STEADY_ODDS = 12.0
SURE = 0.3  # score of a companion that no colour brings back
# Part of what was found that must turn out to be no object. Less is as likely a smooth side of the
# object itself, as it turns under the light.
LEAST_COMPANION = 0.27
REACH = 7  # px around the object in which missed parts are looked for


@dataclass(frozen=True)
class Steadiness:
    """``score`` [T, H, W] in [-1, 1]: above 0 steady in the object's frame, below 0 not, 0 unknown.

    ``confidence`` in [0, 1] says how much of a solid object there is to judge by.
    """

    score: np.ndarray
    confidence: float


@dataclass(frozen=True)
class _Seen:
    """Pictures [H, W] of one frame: detail that lasts under both motions, and how to read it."""

    own: np.ndarray
    ground: np.ndarray
    notable: np.ndarray
    astray: np.ndarray  # px per frame by which the flow leaves the object's motion


def steadiness(
    frames: np.ndarray, flow: Flow, support: np.ndarray, tick: Callable[[], None]
) -> Steadiness:
    """Judge the pixels of ``frames``, uint8 [T, H, W, 3], by the motion of most of ``support``.

    ``support`` bool [T, H, W] is the object as far as it is known; it may hold what only moves
    along. ``tick`` is called after each frame.
    """
    score = np.zeros(support.shape, np.float32)
    if not support.any() or len(frames) < 2:
        return Steadiness(score, 0.0)
    rows, columns = _around(support)
    own, ground = (
        [shift(step, columns.start, rows.start) for step in affine_steps(flow, which)]
        for which in (support, away_from(support))
    )
    crop = Flow(*(each[:, rows, columns] for each in vars(flow).values()))
    parts, inside = frames[:, rows, columns], support[:, rows, columns]
    seen = []
    for index in range(len(frames)):
        seen.append(_observe(parts, index, crop, own, ground, support=inside[index]))
        tick()
    score[:, rows, columns], confidence = _compute_steadiness(seen, own, inside)
    return Steadiness(score, confidence)


def _compute_steadiness(
    seen: list[_Seen], own: list[np.ndarray], support: np.ndarray
) -> tuple[np.ndarray, float]:
    notable = np.stack([one.notable for one in seen])
    everywhere = np.ones_like(notable)
    lasting, streaming = (
        _accumulate(np.stack([getattr(one, name) for one in seen]), notable, own)
        for name in ("own", "ground")
    )
    ratio = np.log((1.0 + UNEXPLAINED - streaming) / (1.0 + UNEXPLAINED - lasting))
    astray = _accumulate(np.stack([one.astray for one in seen]), everywhere, own)
    weight = _accumulate(notable, everywhere, own) * np.exp(-((astray / OWN_SPEED) ** 2))
    usual = _usual(ratio[support], weight[support])
    score = np.clip((ratio - STEADY_PART * usual) / (0.5 * max(usual, 0.1)), -1.0, 1.0) * weight
    return score, float(np.clip(usual - LEAST_STEADY, 0.0, 1.0))


def _usual(ratio: np.ndarray, weight: np.ndarray) -> float:
    """Return the most frequent ``ratio`` of the object: its solid part agrees, water does not."""
    counts, edges = np.histogram(ratio, 60, (-1.0, 3.0), weights=weight)
    smooth = cv2.GaussianBlur(counts[None].astype(np.float32), (0, 0), 2.0)[0]
    peak = int(np.argmax(smooth))
    return float(edges[peak] + edges[peak + 1]) / 2.0 if smooth[peak] > 0 else 0.0


def _observe(
    frames: np.ndarray,
    index: int,
    flow: Flow,
    own: list[np.ndarray],
    ground: list[np.ndarray],
    *,
    support: np.ndarray,
) -> _Seen:
    grey = cv2.cvtColor(frames[index], cv2.COLOR_RGB2GRAY)
    inner = cv2.erode(support.astype(np.uint8), np.ones((3, 3), np.uint8))
    stacks: tuple[list[np.ndarray], list[np.ndarray]] = ([frames[index]], [frames[index]])
    astray = []
    for gap, there, _ in chains(flow, index, GAPS):
        other = index + gap
        motion = _refine_motion(grey, frames[other], between(own, index, other), inner)
        stacks[0].append(align(frames[other], motion))
        stacks[1].append(align(frames[other], between(ground, index, other)))
        astray.append(_distance(there, motion) / abs(gap))
    lasting, energy = _lasting(stacks[0])
    return _Seen(
        lasting, _lasting(stacks[1])[0], energy / (energy + NOTABLE), np.mean(astray, axis=0)
    )


def _lasting(pictures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return which part of the detail is the same in all ``pictures``, and how much there is."""
    stack = fine_detail(pictures)
    side = (WINDOW, WINDOW)
    same = cv2.blur((stack.mean(axis=0) ** 2).sum(axis=2), side)
    energy = cv2.blur((stack**2).mean(axis=0).sum(axis=2), side)
    return same / (energy + NOISE), energy


def _refine_motion(
    grey: np.ndarray, other: np.ndarray, motion: np.ndarray, inner: np.ndarray
) -> np.ndarray:
    """Correct a chained ``motion`` by the pixels themselves (Evangelidis and Psarakis 2008)."""
    try:
        _, affine = cv2.findTransformECC(
            grey, cv2.cvtColor(other, cv2.COLOR_RGB2GRAY), motion[:2].astype(np.float32),
            cv2.MOTION_AFFINE, (3, 3, 1e-4), inner, 5,
        )  # fmt: skip
    except cv2.error:  # the pixels do not correlate: the flow is the better answer
        return motion
    return np.concatenate([affine, motion[2:]])


def _accumulate(values: np.ndarray, weights: np.ndarray, own: list[np.ndarray]) -> np.ndarray:
    """Average ``values`` [T, H, W] along the object's motion, forth and back, fading."""
    total, mass = values * weights, weights.copy()
    for order in (1, -1):
        memory = np.zeros((*values.shape[1:], 2), np.float32)
        indices = range(len(values)) if order == 1 else range(len(values) - 1, -1, -1)
        for position, index in enumerate(indices):
            if position:
                memory = MEMORY * align(memory, between(own, index, index - order))
                total[index] += memory[..., 0]
                mass[index] += memory[..., 1]
            memory = memory + np.dstack([values[index] * weights[index], weights[index]])
    return total / (mass + 1e-6)


def _distance(there: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Return how far the flow ``there`` [H, W, 2] ends from where ``motion`` leads, in px."""
    rows, columns = np.mgrid[0 : there.shape[0], 0 : there.shape[1]].astype(np.float32)
    across, down = (
        line[0] * columns + line[1] * rows + line[2] for line in motion[:2].astype(np.float32)
    )
    return np.hypot(columns + there[..., 0] - across, rows + there[..., 1] - down)


def _around(support: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and columns that the object crosses in any frame, with room."""
    rows, columns = (np.flatnonzero(support.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    return (
        slice(max(0, int(rows[0]) - ROOM), int(rows[-1]) + ROOM + 1),
        slice(max(0, int(columns[0]) - ROOM), int(columns[-1]) + ROOM + 1),
    )


@dataclass(frozen=True)
class _Facts:
    """Pixels [H, W] that are surely not the object, unless ``asked`` says so."""

    never: np.ndarray
    asked: Certain | None

    def obey(self, probability: np.ndarray) -> np.ndarray:
        """Return ``probability`` [H, W] with what is sure."""
        probability = np.where(self.never, np.float32(0.0), probability)
        return probability if self.asked is None else self.asked.obey(probability)


def segment_solid(
    appearance: Appearance,
    frames: np.ndarray,
    flow: Flow,
    found: np.ndarray,
    tick: Callable[[], None],
    *,
    certain: Mapping[int, Certain] = MappingProxyType({}),
) -> np.ndarray:
    """Return the probability [T, H, W] of the solid part of what was ``found`` [T, H, W].

    That is ``found`` itself where it has no companion.

    ``frames`` uint8 RGB [T, H, W, 3]; ``certain`` holds whatever is steady. ``tick`` is called
    after each frame of the judgement and of each round.
    """
    support = found > 0.5
    steady = steadiness(frames, flow, support, tick)
    if steady.confidence == 0.0:
        return found
    score = steady.confidence * steady.score
    kernel = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    near = np.stack([cv2.dilate(one.astype(np.uint8), kernel) > 0 for one in support])
    known = (1.0 - steady.confidence * (1.0 - FOUND_WEIGHT)) * log_odds(found)
    odds = known + np.where(score < 0, COMPANION_ODDS, STEADY_ODDS * near) * score
    prior = (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)
    never = ((score < -SURE) & (prior < 0.5)) | ~near
    facts = {index: _Facts(one, certain.get(index)) for index, one in enumerate(never)}
    solid = segment(appearance, prior, flow, tick, facts, rounds=ROUNDS, prior_weight=PRIOR_WEIGHT)
    companion = (support & (solid <= 0.5)).sum()
    return solid if companion > LEAST_COMPANION * support.sum() else found
