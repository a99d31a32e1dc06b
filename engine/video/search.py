"""What every search for the object shares: small pictures, steps, a first guess, a second look.

The answer is brought from the small pictures to the working size along its edges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import cv2
import numpy as np

from ..contract.events import Report, Stopped
from .border_refinement import REFINED_ROUNDS, refine_border
from .feature_memory import EmbedFrames
from .flow import Flow
from .frames import working_size
from .segmentation import Appearance, Certain, edge_aware
from .steadiness import SOLID_ROUNDS, segment_solid

BORDER_PART = 0.08  # of the longer side: objects rarely begin at the border
BORDER_WEIGHT = 0.3  # what is left of the evidence at the very border
STRONG = 0.6  # part of a frame's strongest evidence that makes a pixel probable
SOFTNESS = 0.12  # how quickly evidence turns into probability
SEARCH_SIDE = 256  # px
# How often `refine_masks` ticks for each frame at most.
FINAL_ROUNDS = SOLID_ROUNDS + REFINED_ROUNDS


class Steps:
    """Counts steps towards the report and stops where the host asks for it."""

    def __init__(self, report: Report, total: int) -> None:
        self.report, self.total, self.done = report, total, 0

    def tick(self) -> None:
        """Count one step. Raises Stopped."""
        if self.report.stopping():
            raise Stopped
        self.done = min(self.done + 1, self.total)
        self.report.progress(self.done, self.total)

    def finish(self) -> None:
        """Say that all is done, where something could be left out."""
        self.done = self.total
        self.report.progress(self.done, self.total)


def refine_masks(
    appearance: Appearance,
    frames: np.ndarray,
    flow: Flow,
    found: np.ndarray,
    tick: Callable[[], None],
    *,
    certain: Mapping[int, Certain] = MappingProxyType({}),
    embed: EmbedFrames | None = None,
) -> np.ndarray:
    """Take away what only moves along, then draw the border anew.

    That asks the ground only where nothing was taken away: a reflection and a wake differ from it
    as much as the object does.
    """
    solid = segment_solid(appearance, frames, flow, found, tick, certain=certain)
    return refine_border(
        appearance, frames, flow, solid, tick,
        certain=certain, embed=embed, by_ground=solid is found,
    )  # fmt: skip


def motion_prior(evidence: np.ndarray) -> np.ndarray:
    """Turn motion evidence into a first probability, with doubts at the frame's border."""
    height, width = evidence.shape[1:]
    rows, columns = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in (height, width))
    depth = np.minimum.outer(rows, columns) / (BORDER_PART * max(height, width))
    weighted = evidence * np.clip(depth, BORDER_WEIGHT, 1.0)
    strongest = np.percentile(weighted.reshape(len(weighted), -1), 98, axis=1)
    usual = np.median(strongest)
    strongest = np.clip(strongest, 0.5 * usual, 1.5 * usual) + 1e-6
    ratio = np.clip(weighted / strongest[:, None, None], 0.0, 1.0)
    return (1.0 / (1.0 + np.exp((STRONG - ratio) / SOFTNESS))).astype(np.float32)


def reduce(frames: np.ndarray, flow: Flow) -> tuple[np.ndarray, Flow]:
    """Bring ``frames`` [T, H, W, 3] and their ``flow`` to the size of the search."""
    height, width = frames.shape[1:3]
    size = working_size((width, height), SEARCH_SIDE)
    if size == (width, height):
        return frames, flow
    scale = np.array([size[0] / width, size[1] / height], np.float32)

    def smaller(images: np.ndarray) -> np.ndarray:
        return np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in images])

    return smaller(frames), replace(
        flow,
        forward=smaller(flow.forward) * scale,
        backward=smaller(flow.backward) * scale,
        forward_valid=smaller(flow.forward_valid.astype(np.uint8)) > 0,
        backward_valid=smaller(flow.backward_valid.astype(np.uint8)) > 0,
    )


def enlarge(probability: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Bring ``probability`` [T, h, w] to the size of ``frames``, along their edges."""
    height, width = frames.shape[1:3]
    if probability.shape[1:] == (height, width):
        return probability
    radius = max(2, round(max(height, width) / SEARCH_SIDE))
    return np.stack(
        [
            edge_aware(
                frame.astype(np.float32) / 255.0,
                cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR),
                radius=radius,
            )
            for one, frame in zip(probability, frames, strict=True)
        ]
    )
