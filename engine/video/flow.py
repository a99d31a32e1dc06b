"""Optical flow between neighbouring frames, both ways, and where the two ways agree.

Flow vectors are in pixels of the working size, (column, row): the point p of one frame is found
at p + flow(p) in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from ..ahead import ahead
from ..contract.events import Report, Stopped
from ..contract.settings import FlowSettings
from ..partial_results import UNSAVED, PartialResults
from .repeatable import repeatable

PHOTOMETRIC_LIMIT = 20.0  # grey levels at a standard deviation of `GREY_DEVIATION`
GREY_DEVIATION = 48.0
CLOSER = 1.25  # times as large as the working size pictures must be to show more of the motion
# Squared px by which forth and back may miss each other where flow counts as sure: a share of their
# own squares, and so much more in pictures of such a longer side (Sundaram, Brox, Keutzer 2010).
RETURN_SHARE, RETURN_MORE, RETURN_SIDE = 0.01, 0.5, 854
SMALLEST_SIDE = 32  # the coarsest level of the DIS pyramid wants some pixels

Device = Callable[[], str]  # names where a network computes, asked only where there is one


def on_processor() -> str:
    """Name the device that is always there."""
    return "cpu"


@dataclass(frozen=True)
class Flow:
    """``forward`` [T-1, H, W, 2] leads from frame t to t+1, ``backward`` from t+1 to t; in px.

    The valid arrays, bool [T-1, H, W], belong to the frame where the vector starts.
    """

    forward: np.ndarray
    backward: np.ndarray
    forward_valid: np.ndarray
    backward_valid: np.ndarray


def estimate_flow(
    frames: np.ndarray,
    settings: FlowSettings,
    report: Report,
    *,
    device: Device = on_processor,
    partial: PartialResults = UNSAVED,
) -> Flow:
    """Estimate the flow between neighbours of ``frames``, uint8 RGB [T, H, W, 3].

    A vector is valid where it ends inside the frame, where going forth and back misses by less
    than ``settings.consistency`` px, and where the two pixels look alike. Only RAFT works on
    ``device``. Pairs that are in ``partial`` are not computed again. Raises Stopped, and
    EngineError where RAFT's weights cannot be had.
    """
    assert frames.ndim == 4 and frames.shape[3] == 3, frames.shape
    greys = [normalised_grey(frame) for frame in frames]
    between = _estimator(settings, frames, greys, device)
    # RAFT computes on the device, one pair after the other.
    each = map if settings.quality == "raft" else ahead

    def pair(index: int) -> tuple[np.ndarray, ...]:
        forward, backward = between(index, index + 1), between(index + 1, index)
        return _with_validity(
            forward, backward, greys[index], greys[index + 1], limit=settings.consistency
        )

    def pairs(first: int) -> Iterator[tuple[np.ndarray, ...]]:
        return each(pair, range(first, len(frames) - 1))

    parts: list[Sequence[np.ndarray]] = []
    with repeatable():
        for found in partial.each("flow", pairs):
            parts.append(found)
            report.progress(len(parts), len(frames) - 1)
            if report.stopping():
                partial.save()
                raise Stopped
    return Flow(*(np.stack(part) for part in zip(*parts, strict=True)))


def closer_flow(
    flow: Flow,
    greys: np.ndarray,
    settings: FlowSettings,
    report: Report,
    *,
    partial: PartialResults = UNSAVED,
) -> Flow:
    """Return ``flow`` as larger pictures show it, ``greys`` uint8 [T, H', W'], at its own size.

    DIS stops at half the size of its pictures; at the working size that is coarse. What RAFT
    has found, and flow for which there are no larger pictures, stays. Pairs that are in
    ``partial`` are not computed again. Raises Stopped.
    """
    height, width = flow.forward.shape[1:3]
    ratio = greys.shape[2] / width
    if settings.quality == "raft" or ratio < CLOSER:
        return flow

    def pair(both: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, ...]:
        found = close_pair(*both, limit=settings.consistency * ratio)
        return tuple(_reduce(each, width, height) for each in found)

    def pairs(first: int) -> Iterator[tuple[np.ndarray, ...]]:
        return ahead(pair, pairwise(greys[first:]))

    parts: list[Sequence[np.ndarray]] = []
    with repeatable():
        for found in partial.each("closer flow", pairs):
            parts.append(found)
            if report.stopping():
                partial.save()
                raise Stopped
    return Flow(*(np.stack(part) for part in zip(*parts, strict=True)))


def close_pair(grey: np.ndarray, following: np.ndarray, *, limit: float) -> tuple[np.ndarray, ...]:
    """Return the flow between two greys uint8 [H, W] forth and back, and where each is valid.

    ``limit`` as `FlowSettings.consistency`, in pixels of these pictures.
    """
    estimator = _close_estimator()
    first, second = _normalise(grey), _normalise(following)
    there, back = dense_flow(estimator, first, second), dense_flow(estimator, second, first)
    return _with_validity(there, back, first, second, limit=limit)


def close_flow(grey: np.ndarray, following: np.ndarray) -> np.ndarray:
    """Return the first of what `close_pair` does, the flow forth [H, W, 2], on its own."""
    return dense_flow(_close_estimator(), _normalise(grey), _normalise(following))


def _close_estimator() -> cv2.DISOpticalFlow:
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)


def _with_validity(
    there: np.ndarray, back: np.ndarray, grey: np.ndarray, following: np.ndarray, *, limit: float
) -> tuple[np.ndarray, ...]:
    """Return flow forth and back, and where each is valid."""
    return (
        there,
        back,
        _valid(there, back, grey, following, limit=limit),
        _valid(back, there, following, grey, limit=limit),
    )


def _reduce(field: np.ndarray, width: int, height: int) -> np.ndarray:
    """Bring vectors [H, W, 2] or a validity [H, W] to another size."""
    if field.dtype == bool:
        share = cv2.resize(field.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
        return share > 0.5
    scale = np.array([width / field.shape[1], height / field.shape[0]], np.float32)
    return cv2.resize(field, (width, height), interpolation=cv2.INTER_AREA) * scale


def _estimator(
    settings: FlowSettings, frames: np.ndarray, greys: list[np.ndarray], device: Device
) -> Callable[[int, int], np.ndarray]:
    """Return a function of the numbers of two frames: the flow [H, W, 2] between the two."""
    if settings.quality == "raft":
        from .raft import Raft  # torch comes only for those who need it

        raft = Raft(settings.raft, device())
        return lambda first, second: raft.between(frames[first], frames[second])
    presets = {
        "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
        "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    }

    def between(first: int, second: int) -> np.ndarray:
        estimator = cv2.DISOpticalFlow.create(presets[settings.quality])  # of one thread only
        return dense_flow(estimator, greys[first], greys[second])

    return between


def normalised_grey(frame: np.ndarray) -> np.ndarray:
    """Return ``frame`` as uint8 grey [H, W] of fixed mean and contrast, against fades."""
    return _normalise(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))


def _normalise(grey: np.ndarray) -> np.ndarray:
    values = grey.astype(np.float32)
    gain = GREY_DEVIATION / max(float(values.std()), 4.0)
    return np.clip((values - values.mean()) * gain + 128.0, 0.0, 255.0).astype(np.uint8)


def dense_flow(estimator: cv2.DISOpticalFlow, grey: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the flow from ``grey`` to ``other``, float32 [H, W, 2]; tiny frames are padded."""
    height, width = grey.shape
    rows, columns = max(0, SMALLEST_SIDE - height), max(0, SMALLEST_SIDE - width)
    if rows or columns:
        grey, other = (np.pad(one, ((0, rows), (0, columns)), mode="edge") for one in (grey, other))
    return estimator.calc(grey, other, None)[:height, :width]  # pyright: ignore


def warp(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Look up ``image`` [H, W] or [H, W, C] at p + flow(p), bilinear; the border is repeated.

    With the flow from frame a to frame b, the image of b is brought to where a has it.
    """
    height, width = flow.shape[:2]
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    return cv2.remap(
        image,
        columns + flow[..., 0],
        rows + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def inside(flow: np.ndarray) -> np.ndarray:
    """Say for each vector of ``flow`` [H, W, 2] whether it ends inside the frame."""
    height, width = flow.shape[:2]
    columns = np.arange(width)[None, :] + flow[..., 0]
    rows = np.arange(height)[:, None] + flow[..., 1]
    return (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)


def where_agreeing(there: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Say where the flow ``there`` [H, W, 2] ends where ``back`` leads to where it began."""
    returned = warp(back, there)
    missed = ((there + returned) ** 2).sum(axis=2)
    moved = (there**2).sum(axis=2) + (returned**2).sum(axis=2)
    scale = max(there.shape[:2]) / RETURN_SIDE
    return inside(there) & (missed < RETURN_SHARE * moved + RETURN_MORE * scale**2)


def chains(
    flow: Flow, index: int, gaps: Collection[int]
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield how far the other frame is, forth and back, for each of ``gaps`` that there is.

    With it the flow [H, W, 2] from frame ``index`` to there, chained, and where that is valid.
    """
    count = len(flow.forward) + 1
    for sign in (1, -1):
        total = np.zeros(flow.forward.shape[1:], np.float32)
        valid = np.ones(total.shape[:2], bool)
        for step in range(max(gaps)):
            if not 0 <= index + sign * (step + 1) < count:
                break
            start = index + step if sign > 0 else index - step - 1
            vectors = flow.forward[start] if sign > 0 else flow.backward[start]
            good = flow.forward_valid[start] if sign > 0 else flow.backward_valid[start]
            valid = valid & (warp(good.astype(np.uint8), total) > 0)
            total = total + warp(vectors, total)
            valid &= inside(total)
            if step + 1 in gaps:
                yield sign * (step + 1), total, valid


def save_flow(flow: Flow, folder: Path) -> None:
    """Write ``flow`` into ``folder``, vectors in half precision."""
    np.savez(
        folder / "flow.npz",
        forward=flow.forward.astype(np.float16),
        backward=flow.backward.astype(np.float16),
        forward_valid=flow.forward_valid,
        backward_valid=flow.backward_valid,
    )


def load_flow(folder: Path) -> Flow:
    """Read what `save_flow` wrote."""
    with np.load(folder / "flow.npz") as arrays:
        return Flow(
            arrays["forward"].astype(np.float32),
            arrays["backward"].astype(np.float32),
            arrays["forward_valid"],
            arrays["backward_valid"],
        )


def _valid(
    there: np.ndarray, back: np.ndarray, grey: np.ndarray, other: np.ndarray, *, limit: float
) -> np.ndarray:
    residual = np.linalg.norm(there + warp(back, there), axis=2)
    difference = cv2.absdiff(cv2.blur(grey, (3, 3)), cv2.blur(warp(other, there), (3, 3)))
    return (residual < limit) & inside(there) & (difference < PHOTOMETRIC_LIMIT)
