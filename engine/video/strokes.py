"""Painted strokes as facts about pixels, and the object cut out of a frame by them.

Knows pictures and strokes; what other frames say comes in as a guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from ..contract.events import EngineError, Fault
from ..contract.job import Stroke
from .segmentation import edge_aware
from .votes import COLOUR_BINS, colour_bins, colour_odds

LEAST_RADIUS = 0.5  # px at the size that is drawn at: a stroke marks at least its own line
ROOM = 0.15  # of the longer side: how far from its strokes an object is looked for first
GRABCUT_ROUNDS = 5  # as in OpenCV's tutorial
SHIFT = 4  # fractional bits of the points, for cv2


@dataclass(frozen=True)
class Marks:
    """What was painted over one frame: two disjoint sets of pixels, bool [H, W]."""

    inside: np.ndarray
    outside: np.ndarray

    def obey(self, probability: np.ndarray) -> np.ndarray:
        """Return ``probability`` [H, W] with what was painted made certain."""
        return np.where(self.inside, 1.0, np.where(self.outside, 0.0, probability)).astype(
            np.float32
        )

    def reduce(self, shape: tuple[int, ...]) -> Marks:
        """Return the marks of a smaller picture of ``shape`` (H, W); doubtful pixels are none's."""
        if self.inside.shape == shape:
            return self
        inside, outside = (
            shrunk(part.astype(np.float32), shape) for part in (self.inside, self.outside)
        )
        return Marks((inside > 0) & (inside > outside), (outside > 0) & (outside > inside))

    @classmethod
    def around(cls, rectangle: tuple[int, int, int, int], shape: tuple[int, ...]) -> Marks:
        """Return the marks of a box (left, top, right, bottom): nothing outside it is object."""
        left, top, right, bottom = rectangle
        outside = np.ones(shape, bool)
        outside[top:bottom, left:right] = False
        return cls(np.zeros(shape, bool), outside)


def draw(
    strokes: Iterable[Stroke], source_size: tuple[int, int], shape: tuple[int, int, int]
) -> dict[int, Marks]:
    """Draw ``strokes`` at the size of a video of ``shape`` (T, H, W), by frame, ascending.

    Where strokes cross, the later one holds. Raises EngineError BAD_JOB.
    """
    count, height, width = shape
    scale = np.array([width / source_size[0], height / source_size[1]])
    painted: dict[int, np.ndarray] = {}
    for stroke in strokes:
        _check(stroke, count)
        canvas = painted.setdefault(stroke.frame, np.zeros((height, width), np.uint8))
        _draw(canvas, stroke, scale)
    return {frame: Marks(painted[frame] == 1, painted[frame] == 2) for frame in sorted(painted)}


def shrunk(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return ``picture`` float32 [H, W] at a smaller ``shape``, by area."""
    if picture.shape == shape:
        return picture
    return cv2.resize(picture, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)


def cut_by_marks(frame: np.ndarray, marks: Marks, guess: np.ndarray) -> np.ndarray:
    """Cut the object out of ``frame``, uint8 [H, W, 3]; probability [H, W] that obeys ``marks``.

    ``guess`` bool [H, W] is what is thought to be the object (see `first_guess`);
    GrabCut (Rother et al. 2004) does the rest.
    """
    labels = np.where(guess, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[marks.inside] = cv2.GC_FGD
    labels[marks.outside] = cv2.GC_BGD
    seen = labels.copy()
    called = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if called.all() or not called.any():
        return marks.obey(guess.astype(np.float32))
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(frame, seen, (0, 0, 1, 1), *models, GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    cut = _keep_meant(np.isin(seen, (cv2.GC_FGD, cv2.GC_PR_FGD)), marks, guess)
    return marks.obey(
        edge_aware(frame.astype(np.float32) / 255.0, cut.astype(np.float32), radius=1)
    )


def _keep_meant(cut: np.ndarray, marks: Marks, guess: np.ndarray) -> np.ndarray:
    """Keep the components that a stroke touches, or that were thought to be the object before."""
    count, found = cv2.connectedComponents(cut.astype(np.uint8))
    labels = np.asarray(found, np.int64)
    area = np.bincount(labels.ravel(), minlength=count)
    keep = np.bincount(labels[guess], minlength=count) > area / 2
    keep[labels[marks.inside]] = True
    keep[0] = False
    return keep[labels]


def first_guess(frame: np.ndarray, marks: Marks) -> np.ndarray:
    """Say which pixels look like the object's strokes and lie near them, bool [H, W]."""
    around = near(marks)
    other = marks.outside if marks.outside.any() else ~around
    bins = colour_bins(frame[None].astype(np.float32) / 255.0, COLOUR_BINS)[0]
    examples = np.concatenate([bins[marks.inside], bins[other]])
    truth = np.repeat([1.0, 0.0], [marks.inside.sum(), other.sum()])
    return around & (colour_odds(examples, truth, bins) > 0)


def near(marks: Marks) -> np.ndarray:
    """Say which pixels are near enough to the object's strokes to be the object's, bool [H, W]."""
    reach = round(ROOM * max(marks.inside.shape))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(marks.inside.astype(np.uint8), kernel) > 0


def _draw(canvas: np.ndarray, stroke: Stroke, scale: np.ndarray) -> None:
    value = 1 if stroke.is_object else 2
    # The middle of the first pixel is at 0.5 of the footage and at 0 for cv2.
    points = np.reshape(stroke.points, (-1, 2)) * scale - 0.5
    radius = max(LEAST_RADIUS, stroke.radius * float(scale.mean()))
    fixed = np.rint(points * 2**SHIFT).astype(int)
    for x, y in fixed.tolist():
        cv2.circle(canvas, (x, y), round(radius * 2**SHIFT), value, -1, shift=SHIFT)
    thickness = max(1, round(2 * radius))
    for start, end in zip(fixed[:-1].tolist(), fixed[1:].tolist(), strict=True):
        cv2.line(canvas, start, end, value, thickness, shift=SHIFT)


def _check(stroke: Stroke, count: int) -> None:
    if not 0 <= stroke.frame < count:
        raise EngineError(
            Fault.BAD_JOB,
            f"A stroke is on frame {stroke.frame}, but the job has {count} frames, from 0.",
            "Paint on a frame of the strip.",
        )
    if not stroke.points or len(stroke.points) % 2:
        raise EngineError(
            Fault.BAD_JOB,
            f"A stroke on frame {stroke.frame} has {len(stroke.points)} numbers; "
            "a stroke is x, y, x, y and so on.",
            "Paint the stroke again.",
        )
