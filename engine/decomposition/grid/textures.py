"""Pictures from scattered colours and back: splatting, filling holes, reading."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ...device import at_once
from .chunks import PIXELS


def read(texture: Tensor, uv: Tensor) -> Tensor:
    """Read ``texture`` [C, P, Q] bilinearly at ``uv`` [n, h, w, 2]; returns [n, h, w, C]."""
    return planes(texture, uv).permute(1, 2, 3, 0)


def planes(texture: Tensor, uv: Tensor) -> Tensor:
    """Return what `read` does, channels first, [C, n, h, w]."""
    flat = uv.reshape(1, -1, uv.shape[-2], 2) * 2 - 1
    picture = functional.grid_sample(
        texture[None], flat, mode="bilinear", padding_mode="border", align_corners=False
    )
    return picture.view(texture.shape[0], *uv.shape[:-1])


def each(textures: Tensor, uv: Tensor) -> Tensor:
    """Read a texture for each picture, ``textures`` [n, C, P, Q], as `planes` does."""
    pictures = functional.grid_sample(
        textures, uv * 2 - 1, mode="bilinear", padding_mode="border", align_corners=False
    )
    return pictures.transpose(0, 1)


def corners(uv: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return the four texels around each ``uv`` [N, 2] and their shares, both [4, N].

    Texels are numbered row by row; ``size`` is (rows, columns).
    """
    rows, columns = size
    place = torch.stack([uv[:, 0] * columns, uv[:, 1] * rows], 1) - 0.5
    lower = place.floor()
    part = place - lower
    numbers, shares = [], []
    for down in (0, 1):
        for right in (0, 1):
            x = (lower[:, 0] + right).clamp(0, columns - 1)
            y = (lower[:, 1] + down).clamp(0, rows - 1)
            numbers.append((y * columns + x).long())
            across = part[:, 0] if right else 1 - part[:, 0]
            shares.append(across * (part[:, 1] if down else 1 - part[:, 1]))
    return torch.stack(numbers), torch.stack(shares)


class Splat:
    """Textures that gather weighted colours, ``count`` of them; the adjoint of `read`."""

    def __init__(self, size: tuple[int, int], device: torch.device, count: int = 1) -> None:
        self.size, self.count = size, count
        self.sums = torch.zeros(count * size[0] * size[1], 4, device=device)

    def add(self, colours: Tensor, uv: Tensor, weight: Tensor, which: Tensor | None = None) -> None:
        """Add ``colours`` [N, 3] at ``uv`` [N, 2] with ``weight`` [N] to the textures ``which``."""
        numbers, shares = corners(uv, self.size)
        if which is not None:
            numbers = numbers + which * (self.size[0] * self.size[1])
        values = torch.cat([colours, torch.ones_like(colours[:, :1])], 1) * weight[:, None]
        for number, share in zip(numbers, shares, strict=True):
            self.sums.index_add_(0, number, values * share[:, None])

    def fill(self) -> Tensor:
        """Return one texture's mean colours [3, P, Q], smoothly continued where none are."""
        picture = self.sums.T.reshape(1, 4, *self.size)
        return push_pull(picture[:, :3], picture[:, 3:])[0]

    def mean(self, caution: float) -> Tensor:
        """Return the mean colours [n, 3, P, Q], towards 0 where less than ``caution`` was added."""
        sums = self.sums.view(self.count, -1, 4).mT.reshape(self.count, 4, *self.size)
        return sums[:, :3] / (sums[:, 3:] + caution)


def push_pull(sums: Tensor, weight: Tensor) -> Tensor:
    """Return ``sums / weight`` where there is weight, smoothly filled elsewhere.

    ``sums`` [1, C, P, Q] are colours times ``weight`` [1, 1, P, Q].
    """
    confidence = weight.clamp(max=1)
    mean = sums / weight.clamp(min=1e-6)
    if max(weight.shape[-2:]) <= 2:
        whole = confidence.sum().clamp(min=1e-6)
        average = (mean * confidence).sum((2, 3), keepdim=True) / whole
        return confidence * mean + (1 - confidence) * average
    smaller = [
        functional.avg_pool2d(part, 2, ceil_mode=True, count_include_pad=False) * 4
        for part in (mean * confidence, confidence)
    ]
    coarse = push_pull(*smaller)
    upper = functional.interpolate(
        coarse, size=weight.shape[-2:], mode="bilinear", align_corners=False
    )
    return confidence * mean + (1 - confidence) * upper


def fineness(uv: Tensor, alpha: Tensor, side: int) -> list[int]:
    """Return how much more densely each frame must be read so that it misses no texel between.

    ``uv`` [n, h, w, 2] and ``alpha`` [n, h, w] are read into a texture of ``side`` squared.
    """
    steps = (uv[:, :, 1:] - uv[:, :, :-1]).norm(dim=3)
    inside = alpha[:, :, 1:] > 0.5
    steps = steps.masked_fill(~inside, torch.inf).flatten(1)
    if steps.shape[1] == 0:
        return [8] * len(uv)
    counts = inside.sum((1, 2)).tolist()
    # Almost the widest: some parts of the object are spread over more texels than others.
    widest = [
        each.kthvalue(max(1, int(0.97 * count))).values
        for each, count in zip(steps, counts, strict=True)
    ]
    return (torch.stack(widest) * side * 1.5).ceil().clamp(1, 8).int().tolist()


def cover(uv: Tensor, alpha: Tensor, finer: int, texture: Tensor) -> None:
    """Raise ``texture`` [S, S] to the alphas with which frames see its texels, in place.

    ``uv`` [n, h, w, 2] and ``alpha`` [n, h, w] are read ``finer`` times as densely as pixels lie,
    some rows at a time.
    """
    side = texture.shape[0]
    packed = torch.cat([uv, alpha[..., None]], 3).permute(0, 3, 1, 2)
    height = packed.shape[2]
    rows = max(1, at_once(PIXELS) // (alpha[:, 0].numel() * finer**2))
    for top in range(0, height, rows):
        # One more row above and below, so that nothing changes between strips.
        first, last = max(0, top - 1), min(top + rows + 1, height)
        dense = functional.interpolate(
            packed[:, :, first:last], scale_factor=finer, mode="bilinear"
        )
        dense = dense[:, :, (top - first) * finer : (top - first + rows) * finer]
        values = dense.permute(0, 2, 3, 1).flatten(0, 2)
        values = values[values[:, 2] > 1e-3]
        numbers, shares = corners(values[:, :2], (side, side))
        # A texel is seen where a reading takes a good share of it.
        seen = values[:, 2].expand_as(shares) * (shares > 0.1)
        texture.view(-1).scatter_reduce_(0, numbers.flatten(), seen.flatten(), "amax")
