"""How light or dark the footage makes each pixel of the object, whatever its paint.

A texture is paint without light; its product with the shading keeps the object's
relief. Frame in, shading out: the renderer calls the same function at the footage's own size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

LUMA = (0.299, 0.587, 0.114)
FLOOR = 0.02  # added to luminance, so that ratios of dark pixels stay bounded
BLUR = 0.03  # of the object's side: what is coarser is form, what is finer is relief
FORM_POWER, FORM_LOW, FORM_HIGH = 0.8, 0.4, 1.7
RELIEF_POWER, RELIEF_LOW, RELIEF_HIGH = 0.4, 0.075, 2.0
DARK = 0.75  # of its surroundings' luminance, below which relief is not dampened: eyes, gaps
BLUR_REACH = 3.0  # deviations, how far a blur looks
LEAST_SIGMA = 0.3  # px; a kernel of less is one pixel


@dataclass(frozen=True)
class ShadingStatistics:
    """What one video shares between its frames, so that the shading does not flicker.

    ``level`` is the geometric mean of the blurred luminance over the object in all frames;
    ``side`` the object's longer side, as part of the frame's longer side.
    """

    level: float
    side: float


def luminance(rgb: Tensor) -> Tensor:
    """Return the luma of colours [..., 3] as [...]."""
    return rgb @ _luma(rgb.device, rgb.dtype)


@lru_cache(maxsize=8)
def _luma(device: torch.device, kind: torch.dtype) -> Tensor:
    """Return `LUMA` on ``device``, carried there once: each way to a GPU waits for it."""
    return torch.tensor(LUMA, dtype=kind, device=device)


def measure_shading(frames: Iterable[tuple[Tensor, Tensor]], *, side: float) -> ShadingStatistics:
    """Measure a video given as pairs of colours [H, W, 3] in [0, 1] and alpha [H, W]."""
    total = weight = 0.0
    for rgb, alpha in frames:
        base = _base(luminance(rgb) + FLOOR, alpha, side)
        total += float((base.log() * alpha).sum())
        weight += float(alpha.sum())
    level = torch.tensor(total / max(weight, 1e-6)).exp()
    return ShadingStatistics(float(level), side)


def reach(statistics: ShadingStatistics, length: int) -> int:
    """Return how far in px `shading` and `detail` look in a frame whose longer side is ``length``.

    A part of a frame that is so much wider than the object on each side is as good as all of it.
    """
    return radius_of(BLUR * statistics.side * length)


def shading(
    frame_rgb: Tensor, alpha: Tensor, statistics: ShadingStatistics, length: int = 0
) -> Tensor:
    """Return the shading [H, W] of a frame: colours [H, W, 3] in [0, 1], alpha [H, W].

    Of a part of a frame, ``length`` is the whole frame's longer side; see `reach`.

    Form is the blurred luminance against the video's level, relief the luminance against its
    blur; both are dampened and bounded. What is much darker than its surroundings is not: eyes,
    nostrils and the gaps between panels stay what they are, whatever the texture shows there.
    Outside the object it is defined but means nothing.
    """
    light = luminance(frame_rgb) + FLOOR  # [H, W]
    base = _base(light, alpha, statistics.side, length)
    form = (base / statistics.level).pow(FORM_POWER).clamp(FORM_LOW, FORM_HIGH)
    contrast = light / base
    return form * _relief(contrast)


def detail(
    frame_rgb: Tensor,
    alpha: Tensor,
    statistics: ShadingStatistics,
    length: int = 0,
    *,
    shaded: bool = False,
) -> Tensor:
    """Return how much lighter or darker each pixel is than what surrounds it, [H, W].

    Its product with a colour lays the footage's folds and grain over it. Where the colour is
    ``shaded``, its relief is there already, dampened: then it is the rest.
    """
    light = luminance(frame_rgb) + FLOOR
    contrast = light / _base(light, alpha, statistics.side, length)
    whole = contrast.clamp(RELIEF_LOW, RELIEF_HIGH)
    return whole / _relief(contrast) if shaded else whole


def _relief(contrast: Tensor) -> Tensor:
    """Dampen ``contrast``, luminance against its blur, but for what is dark: see `shading`."""
    dark = (contrast / DARK).clamp(RELIEF_LOW / DARK, 1).pow(1 - RELIEF_POWER)
    return contrast.clamp(RELIEF_LOW, RELIEF_HIGH).pow(RELIEF_POWER) * dark


def _base(light: Tensor, alpha: Tensor, side: float, length: int = 0) -> Tensor:
    """Blur the object's luminance [H, W] without taking in what surrounds it."""
    sigma = BLUR * side * (length or max(light.shape))
    stacked = torch.stack([light * alpha, alpha, light])  # [3, H, W]
    weighted, weight, plain = gaussian_blur(stacked, sigma, repeat_edges=True)
    prior = 1e-3
    return (weighted + prior * plain) / (weight + prior)


def radius_of(sigma: float) -> int:
    """Return how far in px a blur of ``sigma`` px looks."""
    return max(1, round(BLUR_REACH * sigma))


def gaussian_blur(pictures: Tensor, sigma: float, *, repeat_edges: bool = False) -> Tensor:
    """Return ``pictures`` [C, H, W] blurred by ``sigma`` px.

    What lies outside counts as 0, or with ``repeat_edges`` as the nearest pixel. On a processor
    OpenCV does it, several times as fast as PyTorch's convolutions of one channel.
    """
    assert pictures.ndim == 3, f"pictures {tuple(pictures.shape)}"
    radius = radius_of(sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (offsets / max(sigma, LEAST_SIGMA)) ** 2)
    kernel = (kernel / kernel.sum()).float()
    if pictures.device.type == "cpu":
        border = cv2.BORDER_REPLICATE if repeat_edges else cv2.BORDER_CONSTANT
        line = kernel.numpy()
        blurred = [
            cv2.sepFilter2D(each, cv2.CV_32F, line, line, borderType=border)
            for each in pictures.detach().float().contiguous().numpy()
        ]
        return torch.from_numpy(np.stack(blurred))
    mode = "replicate" if repeat_edges else "constant"
    padded = functional.pad(pictures[None], (radius,) * 4, mode=mode)[0][:, None]
    kernel = kernel.to(pictures)[None, None]
    across = functional.conv2d(padded, kernel[:, :, None])
    return functional.conv2d(across, kernel[..., None])[:, 0]
