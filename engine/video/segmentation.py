"""Object probabilities that agree with colour, place, time and edges.

Works on the whole video at once (`segment`) or outwards from one frame (`follow`). Each round asks
four witnesses for the odds of every pixel: the video's colours, the colours nearby, the
neighbouring frames along the flow, and what was known before; edges of the picture then shape
the answer. Does not know where the first guess came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import cv2
import numpy as np

from .flow import Flow, warp
from .votes import COLOUR_BINS, LOCAL_BINS, LocalVotes, colour_bins, colour_odds

ROUNDS = 6
COLOUR_WEIGHT = 0.5
PRIOR_WEIGHT = 0.7
TIME_WEIGHT = 0.7
NEIGHBOUR_WEIGHT = 0.5  # how much a neighbouring frame counts beside the frame itself
MOST_ODDS = 3.0  # no single witness decides alone
UPPER = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))  # of a symmetric 3 x 3 matrix
EDGE_RADIUS = 4  # px
EDGE_SOFTNESS = 4e-4  # variance of colour (0 to 1) that counts as an edge
RECENT = 4  # frames whose colours are remembered beside those of the first frame
REACH_PART = 0.05  # how far an object's edge may leave its warped place, of the longer side


class Certain(Protocol):
    """What is known for sure about some pixels of a frame."""

    def obey(self, probability: np.ndarray) -> np.ndarray:
        """Return ``probability`` [H, W] with what is sure."""
        ...


@dataclass(frozen=True)
class Appearance:
    """The video prepared for the witnesses: ``guide`` in [0, 1] and bins of Lab colour."""

    guide: np.ndarray  # [T, H, W, 3]
    colour: np.ndarray  # [T, H, W, 3]
    local: LocalVotes


def describe_appearance(frames: np.ndarray) -> Appearance:
    """Prepare ``frames``, uint8 RGB [T, H, W, 3]."""
    guide = frames.astype(np.float32) / 255.0
    local = LocalVotes(colour_bins(guide, LOCAL_BINS))
    return Appearance(guide, colour_bins(guide, COLOUR_BINS), local)


def segment(
    appearance: Appearance,
    prior: np.ndarray,
    flow: Flow,
    tick: Callable[[], None],
    certain: Mapping[int, Certain] = MappingProxyType({}),
    *,
    rounds: int = ROUNDS,
    prior_weight: float = PRIOR_WEIGHT,
) -> np.ndarray:
    """Return the object's probability [T, H, W] from colour, motion and votes, from ``prior`` on.

    The prior loses half of its weight on the way. What is ``certain`` about a frame holds after
    each round. ``tick`` is called after each frame of a round.
    """
    probability = prior.copy()
    for round_ in range(rounds):
        left = prior_weight * (1.0 - 0.5 * round_ / (rounds - 1))
        colour = colour_odds(appearance.colour, probability, appearance.colour)
        smooth = along_time(probability, flow)
        vote = appearance.local.everywhere(smooth)
        updated = np.empty_like(probability)
        for index in range(len(probability)):
            known = left * log_odds(prior[index]) + TIME_WEIGHT * log_odds(smooth[index])
            updated[index] = _posterior(
                appearance.guide[index], vote=vote[index], colour=colour[index], known=known
            )
            if index in certain:
                updated[index] = certain[index].obey(updated[index])
            tick()
        probability = updated
    return probability


def follow(
    appearance: Appearance, keys: dict[int, np.ndarray], flow: Flow, tick: Callable[[], None]
) -> np.ndarray:
    """Carry the probabilities [H, W] of the frames ``keys`` to all frames, [T, H, W].

    Between two keys both are carried; the nearer one counts more.
    """
    probability = np.zeros(appearance.guide.shape[:3], np.float32)
    frames = sorted(keys)
    for number, start in enumerate(frames):
        probability[start] = keys[start]
        tick()
        for direction, stop in ((-1, -1), (1, len(probability))):
            neighbour = number + direction
            other = frames[neighbour] if 0 <= neighbour < len(frames) else None
            walk = _walk(
                appearance,
                keys[start],
                range(start, stop if other is None else other, direction),
                flow,
            )
            for index, answer in walk:
                share = 1.0 if other is None else 1.0 - abs(index - start) / abs(other - start)
                probability[index] += share * answer
                tick()
    return probability


def _walk(
    appearance: Appearance, first: np.ndarray, frames: range, flow: Flow
) -> Iterator[tuple[int, np.ndarray]]:
    """Carry ``first`` from the first of ``frames`` to the others; yields frame and probability.

    Each frame begins with its neighbour's answer brought along the flow and is then judged anew,
    but only near the edge that was brought, so that nothing leaks far or drifts for long.
    """
    start, direction = frames.start, frames.step
    reach = max(2, round(REACH_PART * max(first.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    seen = {start: first}
    for index in frames[1:]:
        vectors = flow.backward[index - 1] if direction == 1 else flow.forward[index]
        brought = warp(seen[index - direction], vectors)
        allowed = cv2.dilate((brought > 0.5).astype(np.uint8), kernel) > 0
        chosen = [start, *list(seen)[-RECENT:]]
        colour = colour_odds(
            appearance.colour[chosen],
            np.stack([seen[frame] for frame in chosen]),
            appearance.colour[index : index + 1],
        )[0]
        vote = appearance.local.among(
            {index: brought, index - direction: seen[index - direction]}, index
        )
        known = (PRIOR_WEIGHT + TIME_WEIGHT) * log_odds(brought)
        answer = _posterior(appearance.guide[index], vote=vote, colour=colour, known=known)
        seen[index] = np.where(allowed, answer, np.float32(0.0))
        yield index, seen[index]


def edge_aware(guide: np.ndarray, image: np.ndarray, radius: int = EDGE_RADIUS) -> np.ndarray:
    """Smooth ``image`` [H, W] except across the edges of ``guide`` [H, W, 3] in [0, 1].

    The guided filter with colour guidance (He, Sun, Tang 2013).
    """

    def mean(array: np.ndarray) -> np.ndarray:
        return cv2.blur(array, (2 * radius + 1, 2 * radius + 1))

    image = image.astype(np.float32)
    mean_guide, mean_image = mean(guide), mean(image)
    covariance = mean(guide * image[..., None]) - mean_guide * mean_image[..., None]
    coefficients = _solve(_covariance(guide, mean_guide, mean), covariance)  # [H, W, 3]
    offset = mean_image - (coefficients * mean_guide).sum(axis=2)
    return np.clip((mean(coefficients) * guide).sum(axis=2) + mean(offset), 0.0, 1.0)


def _covariance(guide: np.ndarray, mean_guide: np.ndarray, mean: Callable) -> list[np.ndarray]:
    """Return the upper triangle of the colours' covariance, six pictures [H, W]."""
    products = [guide[..., one] * guide[..., other] for one, other in UPPER]
    means = [mean(np.stack(products[first : first + 3], axis=2)) for first in (0, 3)]
    return [
        means[number // 3][..., number % 3]
        - mean_guide[..., one] * mean_guide[..., other]
        + (EDGE_SOFTNESS if one == other else 0.0)
        for number, (one, other) in enumerate(UPPER)
    ]


def _solve(covariance: list[np.ndarray], right: np.ndarray) -> np.ndarray:
    """Solve the symmetric 3 x 3 system of each pixel by Cramer's rule."""
    rr, rg, rb, gg, gb, bb = covariance
    cofactors = {
        (0, 0): gg * bb - gb * gb,
        (0, 1): rb * gb - rg * bb,
        (0, 2): rg * gb - rb * gg,
        (1, 1): rr * bb - rb * rb,
        (1, 2): rg * rb - rr * gb,
        (2, 2): rr * gg - rg * rg,
    }
    scale = 1.0 / (rr * cofactors[0, 0] + rg * cofactors[0, 1] + rb * cofactors[0, 2])
    rows = [
        sum(cofactors[min(row, k), max(row, k)] * right[..., k] for k in range(3)) * scale
        for row in range(3)
    ]
    return np.stack(rows, axis=2)


def _posterior(
    guide: np.ndarray, *, vote: np.ndarray, colour: np.ndarray, known: np.ndarray
) -> np.ndarray:
    odds = COLOUR_WEIGHT * np.clip(colour, -MOST_ODDS, MOST_ODDS) + log_odds(vote, most=4.0) + known
    return edge_aware(guide, 1.0 / (1.0 + np.exp(-odds)))


def log_odds(probability: np.ndarray, most: float = MOST_ODDS) -> np.ndarray:
    """Return log(p / (1 - p)) of ``probability``, limited to ``most`` either way."""
    limited = np.clip(probability, 1e-4, 1.0 - 1e-4)
    return np.clip(np.log(limited / (1.0 - limited)), -most, most)


def along_time(probability: np.ndarray, flow: Flow) -> np.ndarray:
    """Average each frame with its two neighbours, brought along the valid flow."""
    total, weight = probability.copy(), np.ones_like(probability)
    for index in range(len(probability) - 1):
        for here, there, vectors, valid in (
            (index, index + 1, flow.forward[index], flow.forward_valid[index]),
            (index + 1, index, flow.backward[index], flow.backward_valid[index]),
        ):
            neighbour = NEIGHBOUR_WEIGHT * valid
            total[here] += neighbour * warp(probability[there], vectors)
            weight[here] += neighbour
    return total / weight
