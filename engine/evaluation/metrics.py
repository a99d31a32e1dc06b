"""How good a result is. Each number has one definition, here.

All take colours in [0, 1]. PSNR is the mean over frames of 10 log10(1 / MSE).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import repeat

import cv2
import numpy as np
import torch
from torch import Tensor

from ..stylization.losses import pool

RIM = 2  # px at the working size, as far as flow bleeds over an edge
DILATION = 5  # pixels
PATCHES = 10  # at most, along a picture's longer side, each of which may be bare or not
FINER = 4  # cells of a patch along a side, each of which is compared on its own
ALIKE = 0.15  # distance in RGB at which two colours look more alike than not


def psnr(
    video: Iterable[Tensor], reference: Iterable[Tensor], where: Tensor | None = None
) -> float:
    """Mean over frames of the PSNR in dB; frames [H, W, 3] one by one, or [T, H, W, 3].

    ``where`` bool [T, H, W] restricts it to some pixels; frames without any are left out. Capped
    at 99 dB, which stands for equality.
    """
    values = []
    chosen = repeat(None) if where is None else where
    for frame, wanted, inside in zip(video, reference, chosen, strict=False):
        error = (frame - wanted).square().mean(2)
        if inside is not None:
            error = error[inside]
        if error.numel():
            values.append(-10 * torch.log10(error.mean().clamp(min=10**-9.9)))
    return float(torch.stack(values).mean()) if values else 0.0


def dilate(masks: np.ndarray, pixels: int = DILATION) -> np.ndarray:
    """Grow boolean masks [T, H, W] by ``pixels`` in every direction."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return np.stack([cv2.dilate(mask.astype(np.uint8), kernel) > 0 for mask in masks])


def interior(masks: np.ndarray, pixels: int = RIM) -> np.ndarray:
    """Shrink boolean masks [T, H, W] by ``pixels``: at the rim flow mixes two motions."""
    return ~dilate(~masks, pixels)


def alpha_leak(alpha: np.ndarray, masks: np.ndarray) -> float:
    """Mean alpha outside the masks grown by 5 pixels; both [T, H, W], masks boolean."""
    outside = ~dilate(masks)
    return float(alpha[outside].mean()) if outside.any() else 0.0


def mask_iou(alpha: np.ndarray, masks: np.ndarray) -> float:
    """Mean over frames of |alpha > 0.5 and mask| / |alpha > 0.5 or mask| (DAVIS J)."""
    found = alpha > 0.5
    union = (found | masks).sum(axis=(1, 2))
    shared = (found & masks).sum(axis=(1, 2))
    return float(np.where(union > 0, shared / np.maximum(union, 1), 1.0).mean())


def warp_error(
    video: np.ndarray, forward: np.ndarray, valid: np.ndarray, where: np.ndarray | None = None
) -> float:
    """How much a video changes along the source's motion.

    Mean over t of sum_p M |O_t(p) - O_{t+1}(p + F(p))|^2 / sum_p M, summed over channels
    (Lai et al. 2018). ``video`` [T, H, W, 3] in [0, 1] or in bytes, ``forward`` [T-1, H, W, 2] and
    ``valid`` [T-1, H, W] are the source's flow and where it holds, ``where`` [T, H, W] restricts
    it.
    """
    height, width = video.shape[1:3]
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    base = np.stack([columns, rows], axis=2).astype(np.float32)
    errors = []
    for index in range(len(video) - 1):
        place = base + forward[index]
        following = cv2.remap(
            unit(video[index + 1]), place[..., 0], place[..., 1], cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        counted = valid[index] if where is None else valid[index] & where[index]
        if counted.any():
            errors.append(((unit(video[index]) - following) ** 2).sum(axis=2)[counted].mean())
    return float(np.mean(errors)) if errors else 0.0


def unit(picture: np.ndarray) -> np.ndarray:
    """Return ``picture`` with colours in [0, 1], whether it comes as bytes or as floats."""
    return picture.astype(np.float32) / 255 if picture.dtype == np.uint8 else picture


def frame_consistency(embeddings: Tensor) -> float:
    """Mean cosine of the embeddings [T, E] of neighbouring frames, clamped at 0."""
    unit = torch.nn.functional.normalize(embeddings.float(), dim=1)
    return float((unit[:-1] * unit[1:]).sum(dim=1).clamp(min=0).mean())


def text_similarity(embeddings: Tensor, text: Tensor) -> float:
    """Mean cosine of the embeddings [T, E] of the object's crops and of a text [E]."""
    return float(torch.nn.functional.cosine_similarity(embeddings.float(), text.float()).mean())


def bareness(stylized: Tensor, shown: Tensor, alpha: Tensor) -> Tensor:
    """Part of the object [...] that looks as it does in the footage.

    ``stylized`` and ``shown`` [..., 3, H, W] are the object's colours and the footage's, both times
    ``alpha`` [..., 1, H, W]. Stripes and spots do not count: over a patch it is the mean difference
    that says whether it is bare.
    """
    cell = math.ceil(max(alpha.shape[-2:]) / (FINER * PATCHES))
    difference, cover = (pool(each, cell) for each in (stylized - shown, alpha))
    distances = difference.square().sum(-3, keepdim=True).add(1e-8).sqrt()
    distance, share = (pool(each, FINER)[..., 0, :, :] for each in (distances, cover))
    alike = torch.exp(-((distance / share.clamp_min(1e-3) / ALIKE) ** 2) / 2)  # [..., h, w]
    return (alike * share).sum((-2, -1)) / share.sum((-2, -1)).clamp_min(1e-6)


class BackgroundError:
    """PSNR outside the object at the footage's own size, frame by frame: never all in memory."""

    def __init__(self) -> None:
        self._values: list[float] = []

    def add(self, result: np.ndarray, source: np.ndarray, outside: np.ndarray) -> None:
        """Count one frame; uint8 [H, W, 3], ``outside`` boolean [H, W]."""
        if not outside.any():
            return
        difference = result[outside].astype(np.float32) - source[outside].astype(np.float32)
        mse = float((difference**2).mean()) / 255**2
        self._values.append(-10 * np.log10(max(mse, 10**-9.9)))

    def psnr(self) -> float:
        """Mean over frames in dB; 99 stands for equality."""
        return float(np.mean(self._values)) if self._values else 0.0


def colour_variance(video: np.ndarray, where: np.ndarray) -> float:
    """Variance of the colours of ``video`` [T, H, W, 3] in ``where`` [T, H, W], over channels.

    A warp error divided by it can be compared between a zebra and a black swan.
    """
    return float(video[where].var(axis=0).sum()) if where.any() else 0.0


def variation(video: np.ndarray, where: np.ndarray) -> float:
    """Mean difference of neighbouring pixels in ``where`` [T, H, W]: how noisy it is."""
    across = np.abs(np.diff(video, axis=2)).mean(axis=3)
    both = where[:, :, 1:] & where[:, :, :-1]
    return float(across[both].mean()) if both.any() else 0.0
