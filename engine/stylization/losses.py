"""The terms of the stylization (TDS: Loeschcke et al. 2022): tensors in, scalars out, no weights.

A frame's embedding is the raw mean over its views (eq. 1); it comes in as [F, V, E].
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

PARTS = 8  # at most, along a canvas's longer side, whose mean albedos should be equal
WEAKNESS = 0.1  # a view whose loss is this much higher counts e times as much


def global_similarity(views: Tensor, target: Tensor, *, average: str = "raw") -> Tensor:
    """TDS eq. 3: one minus the cosine of the whole object's views [F, V, E] and ``target`` [E]."""
    return _distance(views, target, average)


def local_similarity(views: Tensor, target: Tensor, *, average: str = "raw") -> Tensor:
    """TDS eq. 2: one minus the cosine of the close views [F, V, E] and ``target`` [E]."""
    return _distance(views, target, average)


def avoid(views: Tensor, unwanted: Tensor) -> Tensor:
    """Cosine of each frame's mean view [F, V, E] and of what it should not be [E], if above 0."""
    return functional.relu(_cosine(views.mean(1), unwanted)).mean()


def temporal(views: Tensor, frames: list[int], *, sigma: float, literal: bool) -> Tensor:
    """TDS eq. 4: of frames t1 < t2 < t3, t3 must not be nearer to t1 than t2 is.

    ``views`` [F, V, E] are global views of the frames with the sorted numbers ``frames``. With
    more than three frames it is the mean over successive triplets, with less it is 0.
    """
    means = views.mean(1)  # [F, E]
    if len(means) < 3:
        return means.new_zeros(())
    first = means[:-2]
    nearer = functional.relu(_cosine(first, means[2:]) - _cosine(first, means[1:-1]))
    hinges = [
        triplet_weight(frames[i + 2] - frames[i], sigma=sigma, literal=literal) * one
        for i, one in enumerate(nearer.unbind())
    ]
    return torch.stack(hinges).mean()


def triplet_weight(span: float, *, sigma: float, literal: bool) -> float:
    """Weight of a triplet that spans ``span`` frames: a Gaussian with peak 1.

    ``literal`` gives the density as TDS prints it, with peak 0.4 / sigma.
    """
    peak = 1 / (sigma * (2 * torch.pi) ** 0.5) if literal else 1.0
    return peak * math.exp(-0.5 * (span / sigma) ** 2)


def sparsity(colours: Tensor, alpha: Tensor, *, norm: str = "squared") -> Tensor:
    """TDS eq. 5: no colour [N, 3] where alpha [N] hides the object.

    ``norm`` "squared" is the mean squared norm, as in NLA; "plain" the mean norm as printed.
    """
    squares = ((1 - alpha)[:, None] * colours).square().sum(1)
    # The gradient of a norm is not bounded at 0.
    return squares.mean() if norm == "squared" else squares.add(1e-8).sqrt().mean()


def unevenness(albedo: Tensor, alpha: Tensor) -> Tensor:
    """Variance [...] of the albedo's mean colours over the object's parts, of all three channels.

    ``albedo`` [..., 3, H, W] are colours without light, times ``alpha`` [..., 1, H, W]. Stripes,
    spots and joints do not count where each part has its share of them.
    """
    side = math.ceil(max(alpha.shape[-2:]) / PARTS)
    coarse, share = pool(albedo, side), pool(alpha, side)
    total = share.sum((-3, -2, -1)).clamp_min(1e-6)
    means = coarse / share.clamp_min(1e-3)
    middle = coarse.sum((-2, -1), keepdim=True) / total[..., None, None, None]
    return ((means - middle).square() * share).sum((-3, -2, -1)) / total


def pool(pictures: Tensor, side: int) -> Tensor:
    """Return the means of squares of ``side`` pixels of ``pictures`` [..., H, W].

    Beyond the edges there is nothing: a square that is cut off counts as much as is left of it.
    """
    height, width = pictures.shape[-2:]
    whole = functional.pad(pictures.flatten(0, -3), (0, -width % side, 0, -height % side))
    return functional.avg_pool2d(whole, side).unflatten(0, pictures.shape[:-2])


def _distance(views: Tensor, target: Tensor, average: str) -> Tensor:
    """One minus the cosine of views [F, V, E] and ``target`` [E], averaged as ``average`` says.

    "raw": of mean embeddings; "weakest": of every view on its own, where views that match least
    count most, so that no part of the object is left plain because the others are good.
    """
    if average == "weakest":
        misses = 1 - _cosine(views, target)  # [F, V]
        return (misses * torch.softmax(misses.detach() / WEAKNESS, dim=1)).sum(1).mean()
    return (1 - _cosine(views.mean(1), target)).mean()


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    return functional.cosine_similarity(one, other, dim=-1)
