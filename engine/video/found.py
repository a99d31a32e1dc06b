"""Masks that nobody drew: found from one box, or from what moves against the background.

Searching happens on small pictures; the answer is brought to the working size along its edges.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from ..contract.events import EngineError, Fault, Report, Stopped
from ..contract.job import Box
from ..contract.settings import MasksSettings
from .flow import Flow, warp
from .frames import Video, working_size
from .motion import motion_evidence
from .segmentation import ROUNDS, appearance, edge_aware, follow, settle

SEARCH_SIDE = 256  # px
BORDER_PART = 0.08  # of the longer side: objects rarely begin at the border
BORDER_TRUST = 0.3  # what is left of the evidence at the very border
STRONG = 0.65  # part of a frame's strongest evidence that makes a pixel probable
MOVING_PART = 0.3  # of a box's strongest evidence that makes a pixel of the box moving
MOVING_CONTRAST = 3.0  # how much stronger evidence in the box must be than around it
BOX_ROOM = 1.15  # how much the box grows where it travels with the object
SLOPE = 0.12  # how quickly evidence turns into probability


class _Steps:
    """Counts steps towards the report and stops where the host asks for it."""

    def __init__(self, report: Report, total: int) -> None:
        self.report, self.total, self.done = report, total, 0

    def tick(self) -> None:
        if self.report.stopping():
            raise Stopped
        self.done += 1
        self.report.progress(self.done, self.total)


def find_by_motion(video: Video, flow: Flow, settings: MasksSettings, report: Report) -> np.ndarray:
    """Return the probability float32 [T, H, W] of the object that moves against the background."""
    frames, small_flow = _reduced(video.frames, flow)
    steps = _Steps(report, len(frames) * (ROUNDS + 1))
    evidence = motion_evidence(
        frames, small_flow, threshold=settings.motion_threshold, tick=steps.tick
    )
    look = appearance(frames)
    found = settle(look, _prior(evidence), small_flow, steps.tick)
    return _enlarged(_largest_persistent(found, small_flow), video.frames)


def find_by_box(
    video: Video, flow: Flow, box: Box, settings: MasksSettings, report: Report
) -> np.ndarray:
    """Return the probability float32 [T, H, W] of the object in ``box`` on one frame."""
    frames, small_flow = _reduced(video.frames, flow)
    if not 0 <= box.frame < len(frames):
        raise EngineError(
            Fault.BAD_JOB,
            f"The box is on frame {box.frame}, but the job has {len(frames)} frames, from 0.",
            "Draw the box on a frame of the strip.",
        )
    steps = _Steps(report, len(frames) * (ROUNDS + 2))
    rectangle = _rectangle(box, video.source_size, frames.shape[1:3])
    evidence = motion_evidence(
        frames, small_flow, threshold=settings.motion_threshold, tick=steps.tick
    )
    moving = _moving(evidence[box.frame], rectangle)
    first = _cut_out(frames[box.frame], rectangle, moving, rounds=settings.grabcut_rounds)
    look = appearance(frames)
    prior = follow(look, first, box.frame, small_flow, steps.tick)
    if moving is not None:
        motion = _prior(evidence) * _travelling_box(prior, rectangle, box.frame)
        prior = 0.5 * (prior + motion)
    found = settle(look, prior, small_flow, steps.tick)
    return _enlarged(_largest_persistent(found, small_flow, box.frame), video.frames)


def _rectangle(
    box: Box, source_size: tuple[int, int], shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of ``box`` in pixels of a picture of ``shape`` (H, W)."""
    across, down = shape[1] / source_size[0], shape[0] / source_size[1]
    left, right = (round(x * across) for x in (box.x, box.x + box.width))
    top, bottom = (round(y * down) for y in (box.y, box.y + box.height))
    left, right = (min(max(x, 0), shape[1]) for x in (left, right))
    top, bottom = (min(max(y, 0), shape[0]) for y in (top, bottom))
    if right - left < 3 or bottom - top < 3:
        raise EngineError(
            Fault.OBJECT_NOT_FOUND,
            f"The box at ({box.x:g}, {box.y:g}) of {box.width:g} x {box.height:g} px covers almost "
            f"nothing of the {source_size[0]} x {source_size[1]} px frame.",
            "Draw a box around the whole object.",
        )
    return left, top, right, bottom


def _moving(evidence: np.ndarray, rectangle: tuple[int, int, int, int]) -> np.ndarray | None:
    """Say which pixels of the box move [H, W], or None where the box moves like the rest."""
    left, top, right, bottom = rectangle
    box = np.zeros(evidence.shape, bool)
    box[top:bottom, left:right] = True
    around = float(evidence[~box].mean()) if not box.all() else 1.0
    if np.percentile(evidence[box], 75) < MOVING_CONTRAST * around + 1e-3:
        return None
    return box & (evidence > MOVING_PART * np.percentile(evidence[box], 90))


def _cut_out(
    frame: np.ndarray,
    rectangle: tuple[int, int, int, int],
    moving: np.ndarray | None,
    *,
    rounds: int,
) -> np.ndarray:
    """Cut the object out of its box by GrabCut, from its ``moving`` pixels; probability [H, W].

    Where next to nothing of the box is called object, an ellipse in it is the better answer.
    """
    left, top, right, bottom = rectangle
    ellipse = np.zeros(frame.shape[:2], np.uint8)
    centre, sides = ((left + right) / 2, (top + bottom) / 2), (right - left, bottom - top)
    cv2.ellipse(ellipse, (centre, sides, 0.0), 1, -1)
    labels = np.full(frame.shape[:2], cv2.GC_BGD, np.uint8)
    labels[top:bottom, left:right] = cv2.GC_PR_FGD if moving is None else cv2.GC_PR_BGD
    if moving is not None:
        labels[moving] = cv2.GC_PR_FGD
    elif np.mean(labels == cv2.GC_BGD) < 0.02:
        labels[ellipse == 0] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(frame, labels, (0, 0, 1, 1), *models, rounds, cv2.GC_INIT_WITH_MASK)
    cut = np.asarray(labels == cv2.GC_PR_FGD)
    cut = cut if cut.sum() > 0.05 * sides[0] * sides[1] else ellipse > 0
    return edge_aware(frame.astype(np.float32) / 255.0, cut.astype(np.float32), radius=1)


def _travelling_box(
    followed: np.ndarray, rectangle: tuple[int, int, int, int], start: int
) -> np.ndarray:
    """Move and scale the box with the followed object; bool [T, H, W], with some room."""
    left, top, right, bottom = rectangle
    gates = np.zeros(followed.shape, bool)
    area_at_start, centre_at_start = _extent(followed[start])
    for gate, probability in zip(gates, followed, strict=True):
        area, centre = _extent(probability)
        scale = float(np.clip(np.sqrt(area / area_at_start), 0.5, 2.0)) * BOX_ROOM
        corners = np.array([[left, top], [right, bottom]]) - centre_at_start
        (x0, y0), (x1, y1) = np.rint(corners * scale + centre).astype(int)
        gate[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = True
    return gates


def _extent(probability: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the area in px and the centre (column, row) of a soft mask."""
    area = float(probability.sum()) + 1e-3
    rows, columns = np.indices(probability.shape)
    return area, np.array([(columns * probability).sum(), (rows * probability).sum()]) / area


def _prior(evidence: np.ndarray) -> np.ndarray:
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


def _largest_persistent(
    probability: np.ndarray, flow: Flow, start: int | None = None
) -> np.ndarray:
    """Keep what is joined through time with the largest piece of the frame ``start``.

    Without ``start`` the frame whose largest piece is of median size begins.
    """
    solid = probability > 0.5
    largest = [_largest_piece(frame) for frame in solid]
    if start is None:
        start = int(np.argsort([piece.sum() for piece in largest])[len(largest) // 2])
    kept = probability.copy()
    kept[start] *= _near(largest[start])
    for direction in (1, -1):
        support = largest[start].astype(np.float32)
        stop = len(solid) if direction == 1 else -1
        for index in range(start + direction, stop, direction):
            vectors = flow.backward[index - 1] if direction == 1 else flow.forward[index]
            brought = warp(support, vectors) > 0.5
            pieces = _overlapping(solid[index], brought)
            pieces = pieces if pieces.any() else largest[index]
            kept[index] *= _near(pieces)
            support = (pieces if pieces.any() else brought).astype(np.float32)
    return kept


def _largest_piece(solid: np.ndarray) -> np.ndarray:
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8))
    if count < 2:
        return solid
    return np.asarray(labels) == 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))


def _overlapping(solid: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Keep the pieces of ``solid`` of which a third was expected."""
    count, labels = cv2.connectedComponents(solid.astype(np.uint8))
    area = np.bincount(labels.ravel(), minlength=count)
    common = np.bincount(labels[expected], minlength=count)
    keep = common > area / 3
    keep[0] = False
    return keep[np.asarray(labels, np.int64)]


def _near(piece: np.ndarray) -> np.ndarray:
    """Include the soft edge around a piece."""
    return cv2.dilate(piece.astype(np.uint8), np.ones((5, 5), np.uint8))


def _reduced(frames: np.ndarray, flow: Flow) -> tuple[np.ndarray, Flow]:
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


def _enlarged(probability: np.ndarray, frames: np.ndarray) -> np.ndarray:
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
