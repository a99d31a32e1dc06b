"""Finished frames from the footage, alpha and the stylized atlas, at the footage's own size.

Pixels where alpha is 0 are the footage's, bit for bit. Knows nothing of jobs and folders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .contract.settings import RenderSettings
from .decomposition.layers import Layers
from .stylization.atlas import StylizedAtlas
from .stylization.previews import paint_many
from .stylization.shading import RELIEF_POWER, detail, shading

ALPHA_FLOOR = 0.02
GUIDE_RADIUS = 2  # working pixels
GUIDE_SMOOTHNESS = 1e-3


@dataclass(frozen=True)
class Part:
    """One object, or what is behind all objects, and what it becomes; None stays as it is."""

    layers: Layers
    atlas: StylizedAtlas | None
    is_background: bool = False


def stylized_frames(
    source: Iterable[np.ndarray],
    parts: Sequence[Part],
    settings: RenderSettings,
    *,
    device: torch.device,
) -> Iterator[np.ndarray]:
    """Yield one frame for each frame of ``source``, with alpha for the object alone.

    Frames are uint8 or uint16 as the source's are, [H, W, 3], or [H, W, 4] with straight alpha
    where the source has alpha: that of the footage stays, and cuts the object. The size is the
    source's; layers are at the working size and are brought up to it. ``parts`` are all objects,
    from front to back, and perhaps the background as the last.
    """
    parts = [
        part if part.atlas is None else replace(part, atlas=part.atlas.to(device).eval())
        for part in parts
    ]
    for index, frame in enumerate(source):
        yield _frame(frame, index, parts, settings, device)


@torch.no_grad()
def _frame(
    frame: np.ndarray,  # [H, W, 3] or [H, W, 4]
    index: int,
    parts: Sequence[Part],
    settings: RenderSettings,
    device: torch.device,
) -> np.ndarray:
    most = np.iinfo(frame.dtype).max
    pixels = torch.from_numpy(frame.astype(np.float32)).to(device) / most
    source = pixels[..., :3]  # [H, W, 3]
    change = torch.zeros_like(source)  # weighted by alpha
    covered, restyled = torch.zeros(2, *source.shape[:2], device=device)
    for part in parts:
        if part.is_background:
            alpha = 1 - covered
        else:
            alpha = full_alpha(part.layers.alpha[index].to(device), source)
            alpha = torch.minimum(alpha, 1 - covered)
            covered = covered + alpha
        if part.atlas is not None:
            seen = alpha > 0
            colour = _painted(source, part.layers, part.atlas, index, alpha, settings)
            change[seen] += alpha[seen][:, None] * (colour - source[seen])
            restyled = restyled + alpha
    seen = restyled > 0
    if settings.foreground_only:
        colour = source[seen] + change[seen] / restyled[seen][:, None]
        opacity = restyled * pixels[..., 3] if frame.shape[2] == 4 else restyled
        return _cut_out(colour, opacity, seen, frame.dtype)
    result = frame.copy()
    result[seen.cpu().numpy(), :3] = _whole_numbers(source[seen] + change[seen], frame.dtype)
    return result


def _painted(
    source: Tensor,  # [H, W, 3]
    layers: Layers,
    atlas: StylizedAtlas,
    index: int,
    alpha: Tensor,  # [H, W]
    settings: RenderSettings,
) -> Tensor:
    """Return the restyled colours where ``alpha`` is above 0, [N, 3]."""
    size, seen = source.shape[:2], alpha > 0
    uv = resized(layers.uv[index].to(source.device), size)[seen]  # [N, 2]
    light = shading(source, alpha, atlas.statistics)[seen]  # [N]
    painted = paint_many(atlas, uv, light)  # [N, 3]
    if settings.composite == "residual" and atlas.form == "network":
        before = resized(layers.foreground[index].to(source.device), size)[seen]
        painted = source[seen] + painted - before
    if settings.keep_detail:
        laid = 1 - RELIEF_POWER if atlas.form == "palette" else 1.0  # the rest is in the shading
        relief = detail(source, alpha, atlas.statistics)[seen]
        painted = painted * relief.pow(laid * settings.keep_detail)[:, None]
    return torch.lerp(source[seen], painted.clamp(0, 1), settings.strength)


def _cut_out(colour: Tensor, alpha: Tensor, seen: Tensor, dtype: np.dtype) -> np.ndarray:
    result = np.zeros((*alpha.shape, 4), dtype)
    where = seen.cpu().numpy()
    result[where, :3] = _whole_numbers(colour, dtype)
    result[where, 3] = _whole_numbers(alpha[seen], dtype)
    return result


def _whole_numbers(values: Tensor, dtype: np.dtype) -> np.ndarray:
    most = np.iinfo(dtype).max
    return (values.clamp(0, 1) * most).round().cpu().numpy().astype(dtype)


def resized(picture: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
    """Bring a picture [h, w, C] to ``size`` (H, W), bilinear."""
    scaled = functional.interpolate(
        picture.permute(2, 0, 1)[None], tuple(size), mode="bilinear", align_corners=False
    )
    return scaled[0].permute(1, 2, 0)


def full_alpha(alpha: Tensor, source: Tensor) -> Tensor:
    """Bring ``alpha`` [h, w] to the size of ``source`` [H, W, 3], with the source's edges.

    Where the two sizes differ, alpha is a locally linear function of the source's luminance
    (guided filter, He et al. 2013, with its coefficients found at the working size), confined to
    the pixels that the coarse alpha reaches. What is below the floor becomes 0.
    """
    size = source.shape[:2]
    if alpha.shape != size:
        guide = source.mean(dim=2)
        small = functional.interpolate(guide[None, None], alpha.shape, mode="area")[0, 0]
        slope, offset = _guided(alpha, small)
        coarse = resized(torch.stack([alpha, slope, offset], 2), size)
        reach = functional.max_pool2d(alpha[None, None], 3, 1, 1)
        reach = functional.interpolate(reach, size, mode="bilinear", align_corners=False)[0, 0]
        alpha = (coarse[..., 1] * guide + coarse[..., 2]).clamp(0, 1) * (reach * 4).clamp(0, 1)
    rescaled = (alpha - ALPHA_FLOOR) / (1 - 2 * ALPHA_FLOOR)
    return rescaled.clamp(0, 1)


def _guided(alpha: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
    stack = torch.stack([alpha, guide, guide * alpha, guide * guide])
    mean_alpha, mean_guide, product, square = _box(stack)
    slope = (product - mean_guide * mean_alpha) / (square - mean_guide**2 + GUIDE_SMOOTHNESS)
    offset = mean_alpha - slope * mean_guide
    smooth = _box(torch.stack([slope, offset]))
    return smooth[0], smooth[1]


def _box(stack: Tensor) -> Tensor:
    side = 2 * GUIDE_RADIUS + 1
    return functional.avg_pool2d(stack[None], side, 1, GUIDE_RADIUS, count_include_pad=False)[0]
