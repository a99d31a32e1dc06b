"""Object probabilities that agree with colour, place, time and edges.

Works on the whole video at once (`settle`) or outwards from one frame (`follow`). Each round asks
four witnesses for the odds of every pixel: the video's colours, the colours nearby, the
neighbouring frames along the flow, and what was known before; edges of the picture then shape
the answer. Does not know where the first guess came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .flow import Flow, warp
from .votes import COLOUR_BINS, LOCAL_BINS, colour_bins, colour_odds, local_vote

ROUNDS = 6
COLOUR_WEIGHT = 0.5
PRIOR_WEIGHT = 0.7
TIME_WEIGHT = 0.7
NEIGHBOUR_TRUST = 0.5  # how much a neighbouring frame counts beside the frame itself
MOST_ODDS = 3.0  # no single witness decides alone
EDGE_RADIUS = 4  # px
EDGE_SOFTNESS = 4e-4  # variance of colour (0 to 1) that counts as an edge
RECENT = 4  # frames whose colours are remembered beside those of the first frame
REACH_PART = 0.05  # how far an object's edge may leave its warped place, of the longer side


@dataclass(frozen=True)
class Appearance:
    """The video prepared for the witnesses: ``guide`` in [0, 1] and bins of Lab colour."""

    guide: np.ndarray  # [T, H, W, 3]
    colour: np.ndarray  # [T, H, W, 3]
    local: np.ndarray  # [T, H, W, 3]


def appearance(frames: np.ndarray) -> Appearance:
    """Prepare ``frames``, uint8 RGB [T, H, W, 3]."""
    guide = frames.astype(np.float32) / 255.0
    return Appearance(guide, colour_bins(guide, COLOUR_BINS), colour_bins(guide, LOCAL_BINS))


def settle(look: Appearance, prior: np.ndarray, flow: Flow, tick: Callable[[], None]) -> np.ndarray:
    """Return the probability [T, H, W] that all witnesses settle on, starting from ``prior``.

    The prior loses half of its weight on the way. ``tick`` is called after each frame of a round.
    """
    probability = prior.copy()
    for round_ in range(ROUNDS):
        prior_weight = PRIOR_WEIGHT * (1.0 - 0.5 * round_ / (ROUNDS - 1))
        colour = colour_odds(look.colour, probability, look.colour)
        smooth = _along_time(probability, flow)
        updated = np.empty_like(probability)
        for index in range(len(probability)):
            known = prior_weight * _odds(prior[index]) + TIME_WEIGHT * _odds(smooth[index])
            updated[index] = _judged(look, smooth, index, colour=colour[index], known=known)
            tick()
        probability = updated
    return probability


def follow(
    look: Appearance, first: np.ndarray, start: int, flow: Flow, tick: Callable[[], None]
) -> np.ndarray:
    """Carry the probability ``first`` [H, W] of frame ``start`` to all frames, [T, H, W].

    Each frame begins with its neighbour's answer brought along the flow and is then judged anew,
    but only near the edge that was brought, so that nothing leaks far or drifts for long.
    """
    count, height, width = look.guide.shape[:3]
    probability = np.zeros((count, height, width), np.float32)
    probability[start] = first
    reach = max(2, round(REACH_PART * max(height, width)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    tick()
    for direction in (1, -1):
        seen = [start]
        stop = count if direction == 1 else -1
        for index in range(start + direction, stop, direction):
            vectors = flow.backward[index - 1] if direction == 1 else flow.forward[index]
            brought = warp(probability[index - direction], vectors)
            allowed = cv2.dilate((brought > 0.5).astype(np.uint8), kernel) > 0
            probability[index] = brought
            chosen = [start, *seen[-RECENT:]]
            colour = colour_odds(
                look.colour[chosen], probability[chosen], look.colour[index : index + 1]
            )[0]
            known = (PRIOR_WEIGHT + TIME_WEIGHT) * _odds(brought)
            answer = _judged(
                look, probability, index, colour=colour, known=known, among=(index, seen[-1])
            )
            probability[index] = np.where(allowed, answer, 0.0)
            seen.append(index)
            tick()
    return probability


def edge_aware(guide: np.ndarray, image: np.ndarray, radius: int = EDGE_RADIUS) -> np.ndarray:
    """Smooth ``image`` [H, W] except across the edges of ``guide`` [H, W, 3] in [0, 1].

    The guided filter with colour guidance (He, Sun, Tang 2013).
    """

    def mean(array: np.ndarray) -> np.ndarray:
        return cv2.blur(array, (2 * radius + 1, 2 * radius + 1))

    image = image.astype(np.float32)
    mean_guide, mean_image = mean(guide), mean(image)
    covariance = mean(guide * image[..., None]) - mean_guide * mean_image[..., None]
    products = [guide[..., one : one + 1] * guide for one in range(3)]
    spread = np.stack([mean(product) for product in products], axis=2)
    spread -= mean_guide[..., :, None] * mean_guide[..., None, :]
    spread += EDGE_SOFTNESS * np.eye(3, dtype=np.float32)
    slope = np.linalg.solve(spread, covariance[..., None])[..., 0]  # [H, W, 3]
    offset = mean_image - (slope * mean_guide).sum(axis=2)
    return np.clip((mean(slope) * guide).sum(axis=2) + mean(offset), 0.0, 1.0)


def _judged(
    look: Appearance,
    probability: np.ndarray,
    index: int,
    *,
    colour: np.ndarray,
    known: np.ndarray,
    among: tuple[int, ...] = (),
) -> np.ndarray:
    vote = local_vote(look.local, probability, index, among=among)
    odds = COLOUR_WEIGHT * np.clip(colour, -MOST_ODDS, MOST_ODDS) + _odds(vote, most=4.0) + known
    return edge_aware(look.guide[index], 1.0 / (1.0 + np.exp(-odds)))


def _odds(probability: np.ndarray, most: float = MOST_ODDS) -> np.ndarray:
    limited = np.clip(probability, 1e-4, 1.0 - 1e-4)
    return np.clip(np.log(limited / (1.0 - limited)), -most, most)


def _along_time(probability: np.ndarray, flow: Flow) -> np.ndarray:
    """Average each frame with its two neighbours, brought along the valid flow."""
    total, weight = probability.copy(), np.ones_like(probability)
    for index in range(len(probability) - 1):
        for here, there, vectors, valid in (
            (index, index + 1, flow.forward[index], flow.forward_valid[index]),
            (index + 1, index, flow.backward[index], flow.backward_valid[index]),
        ):
            trust = NEIGHBOUR_TRUST * valid
            total[here] += trust * warp(probability[there], vectors)
            weight[here] += trust
    return total / weight
