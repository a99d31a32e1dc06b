"""A window that follows the object in place and size, and the pictures that are matched in it.

In the window the object nearly stands still, so that its motion left over is small and smooth.
Nothing here knows how the pictures are matched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy import ndarray as Array

from ...ahead import ahead
from .path import Path, frames_with_object

LONGEST_SIDE = 160
MARGIN = 10
LARGEST_MAGNIFICATION = 4.0
SMALLEST_SIDE = 64
SURE = 0.7  # the least mask whose grey is the object's alone
SIGMAS = (24, 12, 6, 3, 1.5)  # px
GREY = 128
LARGEST = 256  # px of the longer side; what is so smooth needs no more


@dataclass(frozen=True)
class Crop:
    """Where the window is: its centre in frame pixels, and frame pixels per crop pixel."""

    centre: Array  # [T, 2]
    scale: Array  # [T]
    width: int
    height: int

    @property
    def middle(self) -> Array:
        """The window's centre in crop pixels, [2]."""
        return np.array([self.width - 1, self.height - 1]) / 2

    def to_crop(self, points: Array, frame: Array | int) -> Array:
        """Turn frame pixels [N, 2] into crop pixels."""
        offset = points - self.centre[frame]
        return offset / np.asarray(self.scale[frame])[..., None] + self.middle

    def to_frame(self, points: Array, frame: Array) -> Array:
        """Undo `to_crop`."""
        return (points - self.middle) * self.scale[frame][..., None] + self.centre[frame]

    def at_scale(self, factor: float) -> Crop:
        """Return the same window over the frames at ``factor`` times their size."""
        return replace(self, centre=(self.centre + 0.5) * factor - 0.5, scale=self.scale * factor)

    def columns(self, frame: int, first: int, count: int) -> Array:
        """Return the crop positions of ``count`` pixel columns from ``first`` on, [count]."""
        offset = np.arange(first, first + count) - self.centre[frame, 0]
        return offset / self.scale[frame] + self.middle[0]

    def rows(self, frame: int, first: int, count: int) -> Array:
        """Return the crop positions of ``count`` pixel rows from ``first`` on, [count]."""
        offset = np.arange(first, first + count) - self.centre[frame, 1]
        return offset / self.scale[frame] + self.middle[1]


def follow(masks: Array, path: Path) -> Crop:
    """Fit the window to the object, ``masks`` [T, H, W] in [0, 1], as it goes along ``path``."""
    frames = np.flatnonzero(frames_with_object(masks))
    centre = np.stack([_smooth(values, sigma=1.0) for values in path.centre.T], 1)
    deviation = np.exp(_smooth(np.log(path.deviation), sigma=2.0))
    reach = _reach(masks, frames, centre, deviation)
    magnification = (LONGEST_SIDE / 2 - MARGIN) / max(reach)
    magnification = min(magnification, LARGEST_MAGNIFICATION * deviation.min())
    width, height = (
        max(SMALLEST_SIDE, 2 * int(np.ceil(side * magnification + MARGIN))) for side in reach
    )
    return Crop(centre, deviation / magnification, width, height)


def cut(image: Array, crop: Crop, frame: int) -> Array:
    """Return the window of one frame, [h, w] or [h, w, C]; black outside the frame."""
    scale = float(crop.scale[frame])
    if scale > 1.05:
        image = cv2.GaussianBlur(image, (0, 0), 0.5 * np.sqrt(scale**2 - 1))
    shift = crop.centre[frame] - scale * crop.middle
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(
        image, matrix, (crop.width, crop.height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )


def matching_pictures(greys: Array, masks: Array, crop: Crop) -> tuple[Array, Array]:
    """Return what is matched, uint8 [T, h, w], and the masks in the window, [T, h, w].

    ``greys`` uint8 [T, H', W'] at any size, ``masks`` [T, H, W] in [0, 1]. The object is continued
    smoothly beyond its edge, so that neither silhouette nor background is matched.
    """
    cuts = [cut(mask, crop, frame) for frame, mask in enumerate(masks)]
    larger = crop.at_scale(greys.shape[2] / masks.shape[2])
    windows = [cut(_gamma_corrected(image), larger, frame) for frame, image in enumerate(greys)]
    inside = np.concatenate([part[mask > 0.5] for part, mask in zip(windows, cuts, strict=True)])
    mean, deviation = (inside.mean(), inside.std() + 1e-3) if len(inside) else (0.5, 1.0)
    pictures = ahead(
        lambda both: _alone((both[0] - mean) / deviation * 45 + 128, both[1]),
        zip(windows, cuts, strict=True),
    )
    return np.stack(list(pictures)), np.stack(cuts)


def _alone(picture: Array, mask: Array) -> Array:
    return blend(picture, continue_smoothly(picture, mask), np.clip(mask, 0, 1))


def _reach(masks: Array, frames: Array, centre: Array, deviation: Array) -> tuple[float, float]:
    """How far the object reaches from the window's centre, in deviations, along x and y."""
    reach = []
    for axis, across in ((0, 0), (1, 1)):
        most = 0.0
        for frame in frames:
            there = np.flatnonzero((masks[frame] > 0.5).any(across))
            distance = np.abs(there[[0, -1]] - centre[frame, axis]).max()
            most = max(most, (distance + 0.5) / deviation[frame])
        reach.append(most)
    return reach[0], reach[1]


def _smooth(values: Array, *, sigma: float) -> Array:
    radius = int(3 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    # Mirrored through the end points, so that a steady motion stays what it is.
    padded = np.pad(values, radius, mode="reflect" if len(values) > radius else "edge")
    if len(values) > radius:
        padded[:radius] = 2 * values[0] - padded[:radius]
        padded[-radius:] = 2 * values[-1] - padded[-radius:]
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def _gamma_corrected(grey: Array) -> Array:
    return np.sqrt(grey.astype(np.float32) / 255)


def continue_smoothly(picture: Array, mask: Array) -> Array:
    """Return the object's greys smoothly continued over all of ``picture``, float32 [h, w].

    ``mask`` [h, w] in [0, 1]. Middle grey where it shows no object.
    """
    picture = picture.astype(np.float32)
    inside = (mask > SURE).astype(np.float32)
    if not inside.any():
        return np.full_like(picture, GREY)
    filled = np.full_like(picture, (picture * inside).sum() / inside.sum())
    for sigma in SIGMAS:
        amount = cv2.GaussianBlur(inside, (0, 0), sigma)
        blurred = cv2.GaussianBlur(picture * inside, (0, 0), sigma)
        confidence = np.clip(amount * 4, 0, 1)
        filled += confidence * (blurred / np.maximum(amount, 1e-4) - filled)
    return filled


def replace_surroundings(picture: Array, mask: Array) -> Array:
    """Return ``picture`` uint8 [H, W] with the object's own greys around it.

    ``mask`` [h, w] in [0, 1]; at its size, or smaller, the greys are continued.
    """
    share = np.clip(mask, 0, 1).astype(np.float32)
    shrunk = min(1.0, LARGEST / max(mask.shape))
    size = (round(mask.shape[1] * shrunk), round(mask.shape[0] * shrunk))
    small, where = (
        cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (picture, share)
    )
    around, share = (
        cv2.resize(each, picture.shape[::-1]) for each in (continue_smoothly(small, where), share)
    )
    return blend(picture, around, share)


def blend(picture: Array, around: Array, share: Array) -> Array:
    """Return ``picture`` where ``share`` is 1 and ``around`` where it is 0, uint8."""
    return np.clip(around + share * (picture - around), 0, 255).astype(np.uint8)
