"""Crops of pictures, sampled on the device: one `grid_sample` for all views of several pictures.

A picture's pyramid lies in one texture, level beside level. Where each view samples it is computed
on the CPU in double precision and sent to the device in one copy: a copy to a GPU costs more by its
latency than by its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .. import device as devices
from .views import Views

GUTTER = 2  # texels beside a level that hold nothing: what reads beyond a level's edge ends there


def crop_views(picture: Tensor, views: Views, size: int) -> Tensor:
    """Return ``views`` of ``picture`` as [V, 3, S, S], black outside the picture.

    ``picture`` [6, h, w] or [7, h, w] is what `CropGrid.crops` takes, one over the other.
    """
    shape = picture.shape[1], picture.shape[2]
    grid = crop_grid([views], [shape], size, picture.device)
    return grid.crops(picture[None, :3], picture[None, 3:])[0]


def crop_grid(
    views: Sequence[Views], shapes: Sequence[tuple[int, int]], size: int, device: torch.device
) -> CropGrid:
    """Return where ``views``, as many of each picture, sample pictures of these ``shapes``.

    Antialiased: each view samples the level of the pyramid that fits its size.
    """
    crops = np.stack([each.crops.double().numpy() for each in views])  # [F, V, 4]
    warps = np.stack([each.warps.double().numpy() for each in views])  # [F, V, 3, 3]
    black = np.stack([each.black.numpy() for each in views])  # [F, V]
    levels = np.stack(
        [levels_of(each, shape, size) for each, shape in zip(views, shapes, strict=True)]
    )
    used = np.array(sorted(set(levels.flat)))
    sides = np.array([[halve(shape, level)[::-1] for level in used] for shape in shapes])
    widest, highest = sides.max((0, 1))
    columns = np.append(0, (sides[..., 0].max(0) + GUTTER).cumsum())
    texture = np.array([columns[-1] if len(used) > 1 else widest, highest])
    level = np.searchsorted(used, levels)  # [F, V]
    side = sides[np.arange(len(shapes))[:, None], level]  # [F, V, 2], of the view's level
    start = np.stack([columns[level], np.zeros_like(level)], -1)
    whole = np.array([shape[::-1] for shape in shapes])[:, None]  # [F, 1, 2]
    reach = crops[..., 2:] * side / whole / texture
    middle = 2 * ((crops[..., :2] + crops[..., 2:] / 2) * side / whole + start) / texture - 1
    facts = [
        homographies(warps, middle, reach),
        middle, reach, 2 * (start - 1) / texture - 1, 2 * (start + side + 1) / texture - 1,
        ~black[..., None],
    ]  # fmt: skip
    packed = torch.from_numpy(np.concatenate(facts, -1).astype(np.float32))
    return CropGrid(tuple(shapes), tuple(used.tolist()), size, devices.send(packed, device))


def homographies(warps: np.ndarray, middle: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Return the maps from the squares [-1, 1]^2 of views to that of a picture, see `project`.

    It is ``reach`` [..., 2] times what the ``warps`` [..., 3, 3] say, plus ``middle`` [..., 2]; the
    nine numbers of each, [..., 9], are those of its columns.
    """
    rows = reach[..., None] * warps[..., :2, :] + middle[..., None] * warps[..., 2:, :]
    whole = np.concatenate([rows, warps[..., 2:, :]], -2).swapaxes(-1, -2)
    return whole.reshape(*whole.shape[:-2], 9)


def project(matrices: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return where ``matrices`` [F, V, 9] put the pixels of views, and how far away they are.

    These are [F, V, S, S, 2] and [F, V, S, S, 1]; what is not above 0 lies behind the viewer.
    """
    across, down, rest = matrices[:, :, None, None].split(3, -1)
    columns, rows = _steps(size, matrices.device)
    mapped = torch.addcmul(rest, down, rows)
    mapped = torch.addcmul(mapped, across, columns)  # [F, V, S, S, 3]
    return mapped[..., :2] / mapped[..., 2:], mapped[..., 2:]


def levels_of(views: Views, shape: tuple[int, int], size: int) -> np.ndarray:
    """Return the levels [V] of the pyramid of a picture of ``shape`` that fit its ``views``."""
    levels = np.rint(np.log2(views.crops[:, 2:].double().numpy().mean(-1) / size))
    return levels.clip(0, min(shape).bit_length() - 1).astype(np.int64)


@dataclass(frozen=True)
class CropGrid:
    """The sampling positions of V views of S x S pixels of each of F pictures, see `crop_grid`."""

    shapes: tuple[tuple[int, int], ...]  # of the pictures, without what fills them up to one size
    levels: tuple[int, ...]  # of the pyramid that any view reads
    size: int
    facts: Tensor  # [F, V, 18], see `crop_grid`

    def crops(self, front: Tensor, behind: Tensor) -> Tensor:
        """Return the views [F, V, 3, S, S], black outside the pictures.

        ``front`` [F, 3, H, W] is the object's colour times alpha, ``behind`` the background's
        times one minus alpha. A fourth channel of ``behind``, where there is one, says what stays
        where the background is removed; else alpha does.
        """
        return self.over(self.read(front), self.read(behind))

    def over(self, front: Tensor, behind: Tensor) -> Tensor:
        """Return one over the other, as `crops` does, where both [F, V, C, S, S] are read."""
        kept = self.facts[..., 17, None, None, None]
        if behind.shape[2] == 3:
            return torch.addcmul(front, kept, behind)
        stays = torch.where(kept > 0, 1.0, behind[:, :, 3:])
        return (front + behind[:, :, :3]) * stays

    def read(self, pictures: Tensor) -> Tensor:
        """Return the views [F, V, C, S, S] of ``pictures`` [F, C, H, W]."""
        found = functional.grid_sample(
            self._texture(pictures), self._grid.flatten(1, 2), mode="bilinear", align_corners=False
        )
        return found.unflatten(2, (-1, self.size)).transpose(1, 2)

    @cached_property
    def _grid(self) -> Tensor:
        """Where the views' pixels lie in the texture, [F, V, S, S, 2]."""
        places, depth = project(self.facts[..., :9], self.size)
        middle, reach, low, high = self.facts[:, :, None, None, 9:17].split(2, -1)
        visible = ((places - middle).abs() <= reach).all(-1, keepdim=True) & (depth > 0)
        return torch.where(visible, torch.clamp(places, low, high), low)

    def _texture(self, pictures: Tensor) -> Tensor:
        """Return the pyramids of ``pictures`` [F, C, H, W], as far as views read them."""
        parts = [self._level(pictures, level) for level in self.levels]
        if len(parts) == 1:
            return parts[0]
        height = max(part.shape[2] for part in parts)
        shares = [functional.pad(part, (0, GUTTER, 0, height - part.shape[2])) for part in parts]
        return torch.cat(shares, 3)

    def _level(self, pictures: Tensor, level: int) -> Tensor:
        """Return ``pictures`` halved ``level`` times, filled up to one size again."""
        if level == 0:
            return pictures
        if len(set(self.shapes)) == 1:
            return functional.adaptive_avg_pool2d(pictures, halve(self.shapes[0], level))
        coarse = [
            functional.adaptive_avg_pool2d(picture[:, :height, :width], halve(shape, level))
            for picture, shape in zip(pictures, self.shapes, strict=True)
            for height, width in (shape,)
        ]
        return torch.stack(filled_up(coarse))


def filled_up(pictures: Sequence[Tensor]) -> list[Tensor]:
    """Return ``pictures`` [..., h, w] with nothing below and beside them, all of one size."""
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (-2, -1))
    return [
        picture
        if picture.shape[-2:] == (height, width)
        else functional.pad(picture, (0, width - picture.shape[-1], 0, height - picture.shape[-2]))
        for picture in pictures
    ]


def halve(shape: tuple[int, int], level: int) -> tuple[int, int]:
    """Return the ``shape`` of a picture that is halved ``level`` times."""
    return max(1, shape[0] >> level), max(1, shape[1] >> level)


@lru_cache(maxsize=4)
def _steps(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where a view's pixels lie in [-1, 1]: columns [S, 1] and rows [S, 1, 1]."""
    steps = (torch.arange(size, device=device) + 0.5) / size * 2 - 1
    return steps[:, None], steps[:, None, None]
