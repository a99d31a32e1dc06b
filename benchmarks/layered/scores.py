"""How good layers are: the numbers of the benchmark, each with one definition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from engine.decomposition.layers import Layers, reconstruct, reconstruct_without_gain
from engine.evaluation import metrics
from engine.evaluation.drift import LONGER_SIDE, mapping_scores, slid
from engine.evaluation.points import Pairs, read_at

from .footage import Footage

Scores = dict[str, float | int | None]
WORST = 1e3  # what a folded pixel counts in the rigidity


def quick(layers: Layers, footage: Footage) -> Scores:
    """Return the reconstruction's PSNR in dB: whole, in the object, without gain, leak-free."""
    where = torch.from_numpy(footage.visible)
    near = torch.from_numpy(metrics.dilate(footage.visible))
    # As if alpha were 0 farther than 5 px from the object: nothing explained by leaking.
    tight = replace(layers, alpha=layers.alpha * near)

    def likeness(frames: Iterator[torch.Tensor], where: torch.Tensor | None = None) -> float:
        video = (torch.from_numpy(metrics.unit(frame)) for frame in footage.frames)
        return metrics.psnr(frames, video, where)

    return {
        "psnr": likeness(reconstruct([layers])),
        "psnr_object": likeness(reconstruct([layers]), where),
        "psnr_no_gain": likeness(reconstruct_without_gain([layers])),
        "psnr_object_no_gain": likeness(reconstruct_without_gain([layers]), where),
        "psnr_leak_free": likeness(reconstruct([tight])),
    }


def full(layers: Layers, footage: Footage) -> Scores:
    """Return all scores of finished ``layers``."""
    alpha = layers.alpha.numpy()
    return {
        **quick(layers, footage),
        "mask_iou": metrics.mask_iou(alpha, footage.visible),
        "alpha_leak": metrics.alpha_leak(alpha, footage.visible),
        "uv_error_flow": flow_error(layers, footage),
        "uv_error_truth": truth_error(layers, footage),
        "rigidity": rigidity(layers, footage),
        **drift_of(layers, footage),
    }


def drift_of(layers: Layers, footage: Footage) -> Scores:
    """Return how far the mapping drifts where the object truly is, and how much of it folds."""
    return mapping_scores(footage.pictures, layers.uv.numpy(), footage.visible)


def flow_error(layers: Layers, footage: Footage) -> float:
    """Return the median distance in px of uv(p) and uv(p + flow), over the object's valid pixels.

    The flow is the true one where it is known. Elsewhere it is an estimate and wrong at places: a
    mean would judge the flow. A unit of uv is brought to pixels by the mapping's own mean scale.
    """
    uv = layers.uv.numpy()
    unit = _unit(uv, footage.visible)
    rows, columns = np.mgrid[: uv.shape[1], : uv.shape[2]]
    still = np.stack([columns, rows], 2)
    errors = []
    flow = footage.true_flow or footage.flow
    for index, (step, valid) in enumerate(zip(flow.forward, flow.forward_valid, strict=True)):
        counted = valid & footage.visible[index]
        there = read_at(uv[index + 1], (still + step)[counted])
        errors.append(np.linalg.norm(there - uv[index][counted], axis=1) / unit)
    return float(np.median(np.concatenate(errors)))


def truth_error(layers: Layers, footage: Footage) -> float | None:
    """Return the median distance in px between where a spot is and where uv has it.

    Spots of the middle frame, looked up in every other frame; None for real footage.
    """
    if footage.sprite is None or footage.truth is None:
        return None
    uv = layers.uv.numpy()
    middle = len(uv) // 2
    rows, columns = np.nonzero(footage.visible[middle])
    spots = footage.truth[middle, rows, columns]
    points = np.stack([columns, rows], 1).astype(float)
    errors = []
    for frame in range(len(uv)):
        there = footage.sprite.points(frame, spots)
        pairs = Pairs((middle, frame), points, there)
        errors.append(slid(pairs, uv.shape[1:3], uv))
    return float(np.median(np.concatenate(errors))) * max(uv.shape[1:3]) / LONGER_SIDE


def rigidity(layers: Layers, footage: Footage) -> float:
    """Return the median over the object of |J^T J| + |(J^T J)^-1|; 2.83 where J only turns.

    J is in units of the mapping's own mean scale, so that size alone does not count.
    """
    uv = layers.uv.numpy()
    unit = _unit(uv, footage.visible)
    values = []
    for picture, inside in zip(uv, footage.visible, strict=True):
        across, down = np.gradient(picture, axis=1) / unit, np.gradient(picture, axis=0) / unit
        xx, yy = (across**2).sum(2)[inside], (down**2).sum(2)[inside]
        xy = (across * down).sum(2)[inside]
        norm = np.sqrt(xx**2 + 2 * xy**2 + yy**2)
        determinant = np.maximum(xx * yy - xy**2, 1e-12)
        values.append(np.minimum(norm + norm / determinant, WORST))
    return float(np.median(np.concatenate(values)))


def _unit(uv: np.ndarray, visible: np.ndarray) -> float:
    """Return how far uv typically moves over one pixel of the object."""
    middle = len(uv) // 2
    inside = visible[middle]
    steps = [np.linalg.norm(np.gradient(uv[middle], axis=axis), axis=2)[inside] for axis in (0, 1)]
    return max(float(np.median(np.concatenate(steps))), 1e-9)
