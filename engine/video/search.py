"""What every search for the object shares: its steps, what motion makes probable, a second look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from ..contract.events import Report, Stopped
from .flow import Flow
from .refined import refined
from .segmentation import Appearance, Certain
from .solid import judged_solid

BORDER_PART = 0.08  # of the longer side: objects rarely begin at the border
BORDER_TRUST = 0.3  # what is left of the evidence at the very border
STRONG = 0.6  # part of a frame's strongest evidence that makes a pixel probable
SLOPE = 0.12  # how quickly evidence turns into probability


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


def judged_again(
    look: Appearance,
    frames: np.ndarray,
    flow: Flow,
    found: np.ndarray,
    tick: Callable[[], None],
    certain: Mapping[int, Certain] = MappingProxyType({}),
) -> np.ndarray:
    """Take away what only moves along; where nothing does, draw the border by the ground.

    A reflection and a wake differ from the ground as much as the object does.
    """
    solid = judged_solid(look, frames, flow, found, tick, certain)
    return refined(look, frames, flow, found, tick, certain) if solid is found else solid


def motion_prior(evidence: np.ndarray) -> np.ndarray:
    """Turn motion evidence into a first probability, with doubts at the frame's border."""
    height, width = evidence.shape[1:]
    rows, columns = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in (height, width))
    depth = np.minimum.outer(rows, columns) / (BORDER_PART * max(height, width))
    trusted = evidence * np.clip(depth, BORDER_TRUST, 1.0)
    strongest = np.percentile(trusted.reshape(len(trusted), -1), 98, axis=1)
    usual = np.median(strongest)
    strongest = np.clip(strongest, 0.5 * usual, 1.5 * usual) + 1e-6
    ratio = np.clip(trusted / strongest[:, None, None], 0.0, 1.0)
    return (1.0 / (1.0 + np.exp((STRONG - ratio) / SLOPE))).astype(np.float32)
