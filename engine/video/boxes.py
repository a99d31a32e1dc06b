"""From a box on one frame to the object in it, and where the box goes with the object."""

from __future__ import annotations

import cv2
import numpy as np

from ..contract.events import EngineError, Fault
from ..contract.job import Box
from .flow import Flow
from .segmentation import edge_aware
from .strokes import GRABCUT_ROUNDS

MOVING_PART = 0.3  # of a box's strongest evidence that makes a pixel of the box moving
MOVING_CONTRAST = 3.0  # how much stronger evidence in the box must be than around it
SURROUNDING = 0.5  # of a box: how far around it the background is looked at
LEAST_CUT = 0.3  # of what was expected that GrabCut must call object to be believed
BOX_ROOM = 1.1  # how much larger than drawn the box is that travels with the object
ROOM_PER_FRAME = 0.005
MOST_ROOM = 1.4
CARRIED_PIXELS = 600  # flow vectors that the box's motion is fitted to

Rectangle = tuple[int, int, int, int]  # left, top, right, bottom


def rectangle_of(box: Box, source_size: tuple[int, int], shape: tuple[int, ...]) -> Rectangle:
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


def moving_in(evidence: np.ndarray, rectangle: Rectangle) -> np.ndarray | None:
    """Say which pixels of the box move [H, W], or None where the box moves like the rest."""
    left, top, right, bottom = rectangle
    box = np.zeros(evidence.shape, bool)
    box[top:bottom, left:right] = True
    around = float(evidence[~box].mean()) if not box.all() else 1.0
    if np.percentile(evidence[box], 75) < MOVING_CONTRAST * around + 1e-3:
        return None
    return box & (evidence > MOVING_PART * np.percentile(evidence[box], 90))


def cut_by_box(
    frame: np.ndarray,
    rectangle: Rectangle,
    moving: np.ndarray | None,
) -> np.ndarray:
    """Cut the object out of its box by GrabCut, from its ``moving`` pixels; probability [H, W].

    Where that calls next to nothing of the box object, the moving pixels, or an ellipse in the
    box, are the better answer.
    """
    ellipse = _ellipse(rectangle, frame.shape[:2])
    around = _with_room(rectangle, frame.shape)
    labels = np.full(frame.shape[:2], cv2.GC_BGD, np.uint8)
    left, top, right, bottom = rectangle
    labels[top:bottom, left:right] = cv2.GC_PR_FGD if moving is None else cv2.GC_PR_BGD
    if moving is not None:
        labels[moving] = cv2.GC_PR_FGD
    elif np.mean(labels[around] == cv2.GC_BGD) < 0.02:
        labels[ellipse == 0] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    models, cut = (np.zeros((1, 65)), np.zeros((1, 65))), np.zeros(frame.shape[:2], bool)
    seen = np.ascontiguousarray(labels[around])
    cv2.grabCut(
        np.ascontiguousarray(frame[around]), seen, (0, 0, 1, 1), *models, GRABCUT_ROUNDS,
        cv2.GC_INIT_WITH_MASK,
    )  # fmt: skip
    cut[around] = seen == cv2.GC_PR_FGD
    expected = ellipse > 0 if moving is None else moving
    cut = cut if cut.sum() > LEAST_CUT * expected.sum() else expected
    return edge_aware(frame.astype(np.float32) / 255.0, cut.astype(np.float32), radius=1)


def _ellipse(rectangle: Rectangle, shape: tuple[int, ...]) -> np.ndarray:
    left, top, right, bottom = rectangle
    ellipse = np.zeros(shape, np.uint8)
    centre, sides = ((left + right) / 2, (top + bottom) / 2), (right - left, bottom - top)
    cv2.ellipse(ellipse, (centre, sides, 0.0), 1, -1)
    return ellipse


def _with_room(rectangle: Rectangle, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns of the box and of what surrounds it: what is to be told apart."""
    left, top, right, bottom = rectangle
    across, down = round(SURROUNDING * (right - left)), round(SURROUNDING * (bottom - top))
    rows = slice(max(0, top - down), min(shape[0], bottom + down))
    return rows, slice(max(0, left - across), min(shape[1], right + across))


def travelling_box(
    followed: np.ndarray, rectangle: Rectangle, start: int, flow: Flow
) -> np.ndarray:
    """Move and scale the box of frame ``start`` with the ``followed`` object; bool [T, H, W].

    The core of the object carries it, so that what leaks out at the edges does not; the farther
    it travels, the more room it gets, since objects turn and stretch.
    """
    gates = np.zeros(followed.shape, bool)
    for direction, stop in ((1, len(gates)), (-1, -1)):
        left, top, right, bottom = rectangle
        corners = np.array([[left, top], [right, bottom]], np.float64)
        room = BOX_ROOM
        for index in range(start, stop, direction):
            if index != start:
                vectors = flow.forward[index - 1] if direction == 1 else flow.backward[index]
                corners = _move(corners, followed[index - direction], vectors)
                room = min(MOST_ROOM, room + ROOM_PER_FRAME)
            centre = corners.mean(axis=0)
            (x0, y0), (x1, y1) = np.rint((corners - centre) * room + centre).astype(int)
            gates[index, max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = True
    return gates


def _move(corners: np.ndarray, support: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Move ``corners`` [2, 2] as most of the ``support`` [H, W] moves: shift and scale."""
    rows, columns = np.nonzero(support > 0.5)
    step = max(1, len(rows) // CARRIED_PIXELS)
    rows, columns = rows[::step], columns[::step]
    if len(rows) < 6:
        return corners
    points = np.stack([columns, rows], axis=1).astype(np.float32)
    ends = points + vectors[rows, columns]
    motion, _ = cv2.estimateAffinePartial2D(points, ends, ransacReprojThreshold=1.0)
    if motion is None:
        return corners
    scale = float(np.clip(np.hypot(motion[0, 0], motion[1, 0]), 0.9, 1.1))
    centre = corners.mean(axis=0)
    return (corners - centre) * scale + motion[:, :2] @ centre + motion[:, 2]
