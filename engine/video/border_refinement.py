"""The found object's border drawn anew, by the ground behind it and by features of its pixels.

Limbs that move unlike the body, and what colours confuse, differ from the ground as much as the
rest of the object, and look like it to a network. What either is worth is learnt from the footage
itself, so that ground that is badly known (parallax, water) says little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from .feature_memory import EmbedFrames, object_scores
from .flow import Flow
from .ground import Ground, ground_of, where_darkened
from .segmentation import Appearance, Certain, along_time, edge_aware, log_odds
from .votes import colour_odds

PASSES = 2  # a better object leaves a cleaner ground
ROUNDS_PER_PASS = 2
REFINED_ROUNDS = PASSES * ROUNDS_PER_PASS + 1  # how often `refine_border` ticks for each frame
REACH = 10  # px around the object in which missed parts are looked for
NOISE = 3.0  # levels of Lab
SLACK = 0.5  # px by which the ground may be misplaced
SPECK = 3  # px over which the difference is averaged
BINS = 32
LEAST_COUNT = 1e-3  # part of all pixels that is added to each bin
GROUND_WEIGHT = 1.5
FEATURE_WEIGHT = 0.8
COLOUR_WEIGHT = 0.5
FOUND_WEIGHT = 0.7
TIME_WEIGHT = 0.7
MOST_ODDS = 4.0
EDGE_RADIUS = 1  # px: thin parts stay
FAR = -9.0  # log odds beyond the reach


def refine_border(
    appearance: Appearance,
    frames: np.ndarray,
    flow: Flow,
    found: np.ndarray,
    tick: Callable[[], None],
    *,
    certain: Mapping[int, Certain] = MappingProxyType({}),
    embed: EmbedFrames | None = None,
    by_ground: bool = True,
) -> np.ndarray:
    """Return the probability ``found`` [T, H, W] with a truer border, of the same shape.

    ``frames`` uint8 RGB [T, H, W, 3]; ``embed`` gives their features, which count in the last pass,
    the only one without the ground. What is ``certain`` holds after each round; ``tick`` is called
    after each frame of a round, and by ``embed``.
    """
    probability = found
    passes = PASSES if by_ground else int(embed is not None)
    for number in range(passes):
        cues = [_compare_to_ground(frames, flow, probability > 0.5)] if by_ground else []
        if embed is not None and number == passes - 1:
            cues.append(_Cue(object_scores(embed(tick), probability), FEATURE_WEIGHT))
        for _ in range(ROUNDS_PER_PASS):
            near = near_to(probability > 0.5)
            odds = FOUND_WEIGHT * log_odds(found)
            for cue in cues:
                odds += cue.weight * learn_odds(cue.values, cue.telling & near, probability)
            probability = _round(
                appearance, flow, probability, np.where(near, odds, FAR), certain, tick=tick
            )
    return probability


@dataclass(frozen=True)
class _Cue:
    """What is larger for the object: ``values`` [T, H, W], where they are ``telling``."""

    values: np.ndarray
    weight: float
    telling: np.ndarray | bool = True


def _compare_to_ground(frames: np.ndarray, flow: Flow, support: np.ndarray) -> _Cue:
    lab = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2LAB) for frame in frames])
    ground = ground_of(lab, flow, support)
    telling = ground.seen & ~_where_shaded(ground, frames)
    return _Cue(difference_from(ground, lab), GROUND_WEIGHT, telling)


def difference_from(ground: Ground, pictures: np.ndarray) -> np.ndarray:
    """Return how far ``pictures`` [T, H, W, 3] are from their ``ground``, in its deviations."""
    kernel = np.ones((3, 3), np.uint8)
    difference = np.zeros(ground.seen.shape, np.float32)
    for index, seen in enumerate(ground.seen):
        picture = pictures[index].astype(np.float32)
        plate = np.where(seen[..., None], ground.plate[index], picture)
        above = picture - plate - SLACK * (cv2.dilate(plate, kernel) - plate)
        below = plate - picture - SLACK * (plate - cv2.erode(plate, kernel))
        missed = np.maximum(0.0, np.maximum(above, below))
        scatter = NOISE**2 + (1.48 * ground.deviation[index]) ** 2
        distance = np.sqrt((missed**2 / scatter).sum(axis=2))
        share = cv2.blur(seen.astype(np.float32), (SPECK, SPECK))
        difference[index] = cv2.blur(distance * seen, (SPECK, SPECK)) / np.maximum(share, 1e-3)
    return difference


def learn_odds(values: np.ndarray, asked: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Return log P(value | object) / P(value | ground), 0 where not ``asked``.

    Learnt from the ``values`` [T, H, W] of the pixels that are ``asked`` and their object
    ``probability``; a larger value never says less.
    """
    odds = np.zeros(values.shape, np.float32)
    chosen, share = values[asked], probability[asked]
    if not len(chosen):
        return odds
    edges = np.quantile(chosen, np.linspace(0.0, 1.0, BINS + 1)[1:-1])
    bins = np.searchsorted(edges, chosen)
    parts = []
    for votes in (share, 1.0 - share):
        counts = np.bincount(bins, votes, BINS).astype(np.float32)[None]
        smooth = cv2.GaussianBlur(counts, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)[0]
        parts.append(smooth / max(float(smooth.sum()), 1e-6) + LEAST_COUNT)
    table = np.log(parts[0] / parts[1])
    rising = np.maximum.accumulate(table) + np.minimum.accumulate(table[::-1])[::-1]
    odds[asked] = np.clip(0.5 * rising, -MOST_ODDS, MOST_ODDS)[bins]
    return odds


def near_to(support: np.ndarray) -> np.ndarray:
    """Say which pixels [T, H, W] are within reach of ``support`` bool [T, H, W]."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * REACH + 1, 2 * REACH + 1))
    return np.stack([cv2.dilate(one.astype(np.uint8), kernel) > 0 for one in support])


def _where_shaded(ground: Ground, frames: np.ndarray) -> np.ndarray:
    """Say where the ``ground``, in Lab, may only lie in shadow, bool [T, H, W]."""
    plates = (np.rint(one).astype(np.uint8) for one in ground.plate)
    return np.stack(
        [
            where_darkened(frame, cv2.cvtColor(plate, cv2.COLOR_LAB2RGB))
            for frame, plate in zip(frames, plates, strict=True)
        ]
    )


def _round(
    appearance: Appearance,
    flow: Flow,
    probability: np.ndarray,
    known: np.ndarray,
    certain: Mapping[int, Certain],
    *,
    tick: Callable[[], None],
) -> np.ndarray:
    """Ask colours, places and neighbouring frames beside what is ``known``, log odds [T, H, W]."""
    colour = colour_odds(appearance.colour, probability, appearance.colour)
    smooth = along_time(probability, flow)
    vote = appearance.local.everywhere(smooth)
    updated = np.empty_like(probability)
    for index in range(len(probability)):
        odds = known[index] + COLOUR_WEIGHT * np.clip(colour[index], -3.0, 3.0)
        odds += log_odds(vote[index], most=4.0) + TIME_WEIGHT * log_odds(smooth[index])
        chance = (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)
        updated[index] = edge_aware(appearance.guide[index], chance, radius=EDGE_RADIUS)
        if index in certain:
            updated[index] = certain[index].obey(updated[index])
        tick()
    return updated
