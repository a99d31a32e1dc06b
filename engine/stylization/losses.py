"""The terms of the stylization (TDS: Loeschcke et al. 2022): tensors in, scalars out, no weights.

A frame's embedding is the raw mean over its views (eq. 1); it comes in as [F, V, E].
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .shading import luminance


def global_similarity(views: Tensor, text: Tensor) -> Tensor:
    """TDS eq. 3: one minus the cosine of the whole object's views [F, V, E] and text [E]."""
    return _distance(views, text)


def local_similarity(views: Tensor, text: Tensor) -> Tensor:
    """TDS eq. 2: one minus the cosine of the close views [F, V, E] and text [E]."""
    return _distance(views, text)


def temporal(views: Tensor, frames: list[int], *, sigma: float, literal: bool) -> Tensor:
    """TDS eq. 4: of frames t1 < t2 < t3, t3 must not be nearer to t1 than t2 is.

    ``views`` [F, V, E] are global views of the frames with the sorted numbers ``frames``. With
    more than three frames it is the mean over successive triplets, with less it is 0.
    """
    means = views.mean(1)  # [F, E]
    triplets = range(len(frames) - 2)
    hinges = [
        triplet_weight(frames[i + 2] - frames[i], sigma=sigma, literal=literal)
        * functional.relu(_cosine(means[i], means[i + 2]) - _cosine(means[i], means[i + 1]))
        for i in triplets
    ]
    return torch.stack(hinges).mean() if hinges else means.new_zeros(())


def triplet_weight(span: float, *, sigma: float, literal: bool) -> float:
    """Weight of a triplet that spans ``span`` frames: a Gaussian with peak 1.

    ``literal`` gives the density as TDS prints it, with peak 0.4 / sigma.
    """
    peak = 1 / (sigma * (2 * torch.pi) ** 0.5) if literal else 1.0
    return peak * float(torch.exp(torch.tensor(-0.5 * (span / sigma) ** 2, dtype=torch.float64)))


def sparsity(colours: Tensor, alpha: Tensor) -> Tensor:
    """TDS eq. 5 with the norm of NLA: no colour [N, 3] where alpha [N] hides the object."""
    return ((1 - alpha)[:, None] * colours).square().sum(1).mean()


def chroma(albedo: Tensor) -> Tensor:
    """Mean distance of the paint [N, 3] from grey. Linear: it pulls on a strong tint too."""
    grey = luminance(albedo)[:, None]
    return (albedo - grey).square().sum(1).add(1e-8).sqrt().mean()


def smoothness(colours: Tensor, neighbours: Tensor) -> Tensor:
    """Total variation: mean difference between colours [N, 3] and those one step away [N, 3]."""
    return (colours - neighbours).abs().mean()


def _distance(views: Tensor, text: Tensor) -> Tensor:
    return (1 - _cosine(views.mean(1), text)).mean()


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    return functional.cosine_similarity(one, other, dim=-1)
