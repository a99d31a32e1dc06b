"""The found object judged a second time, by what stays the same in its own frame of reference.

Takes away what only moves along (reflections, wakes) where that is much of what was found, and
adds what the first search missed beside the object. Leaves an object alone that bends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from .flow import Flow
from .segmentation import Appearance, Certain, log_odds, settle
from .steady import steadiness

ROUNDS = 3  # the second search begins near its end
SOLID_ROUNDS = ROUNDS + 1  # how often `judged_solid` ticks for each frame
PRIOR_WEIGHT = 1.4
FOUND_WEIGHT = 0.3  # what was found counts little beside what is steady
COMPANION_ODDS = 20.0
STEADY_ODDS = 12.0
SURE = 0.3  # score of a companion that no colour brings back
# Part of what was found that must turn out to be no object. Less is as likely a smooth side of the
# object itself, as it turns under the light.
LEAST_COMPANION = 0.35
REACH = 7  # px around the object in which missed parts are looked for


@dataclass(frozen=True)
class _Facts:
    """Pixels [H, W] that are surely not the object, unless ``asked`` says so."""

    never: np.ndarray
    asked: Certain | None

    def obeyed(self, probability: np.ndarray) -> np.ndarray:
        """Return ``probability`` [H, W] with what is sure."""
        probability = np.where(self.never, np.float32(0.0), probability)
        return probability if self.asked is None else self.asked.obeyed(probability)


def judged_solid(
    look: Appearance,
    frames: np.ndarray,
    flow: Flow,
    found: np.ndarray,
    tick: Callable[[], None],
    certain: Mapping[int, Certain] = MappingProxyType({}),
) -> np.ndarray:
    """Return the probability [T, H, W] of the solid part of what was ``found`` [T, H, W].

    That is ``found`` itself where it has no companion.

    ``frames`` uint8 RGB [T, H, W, 3]; ``certain`` holds whatever is steady. ``tick`` is called
    after each frame of the judgement and of each round.
    """
    support = found > 0.5
    steady = steadiness(frames, flow, support, tick)
    if steady.trust == 0.0:
        return found
    score = steady.trust * steady.score
    kernel = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    near = np.stack([cv2.dilate(one.astype(np.uint8), kernel) > 0 for one in support])
    known = (1.0 - steady.trust * (1.0 - FOUND_WEIGHT)) * log_odds(found)
    odds = known + np.where(score < 0, COMPANION_ODDS, STEADY_ODDS * near) * score
    prior = (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)
    never = ((score < -SURE) & (prior < 0.5)) | ~near
    facts = {index: _Facts(one, certain.get(index)) for index, one in enumerate(never)}
    solid = settle(look, prior, flow, tick, facts, rounds=ROUNDS, prior_weight=PRIOR_WEIGHT)
    companion = (support & (solid <= 0.5)).sum()
    return solid if companion > LEAST_COMPANION * support.sum() else found
