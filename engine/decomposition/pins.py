"""Pins: spots that a person points at in several frames get one place on the atlas.

Pins are few and the mapping is right nearly everywhere: what a pin says is carried on around it and
between its frames by a Gaussian process (kriging) over the atlas and time. Each frame's atlas is
warped smoothly, so what the footage told the mapping of neighbouring frames stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from numpy import ndarray as Array
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from ..contract.events import EngineError, Fault, Report
from ..contract.job import Pin
from .grid.folds import areas, least_areas, move_without_folds

REACH = 0.15  # of the square root of the seen area: where half of the movement is left, about
LASTING = 100.0  # frames after which a correction is still done by 1/e
EXACTNESS = 1e-3  # variance of what a pin says, where that of the correction is 1
FILE_NAME = "mapping.safetensors"
ITERATIONS = 6
GRID = 96  # places of the atlas along a side at which the correction is computed
INSIDE = 0.3  # alpha from which on a pixel shows the object
BESIDE = 0.1  # mask up to which a pin is not on the object


@dataclass(frozen=True)
class Corrections:
    """What the pins say: in ``frames`` [N] what belongs at ``places`` [N, 2] lies ``steps`` before.

    In uv. In a pin's first frame the step is 0.
    """

    frames: Tensor
    places: Tensor
    steps: Tensor

    def field(self, frame: int, reach: float) -> Tensor:
        """Return the steps of all places of the atlas in a frame, [1, 2, GRID, GRID], uv."""
        own = self._covariance(self.frames, self.places, reach)
        exact = own + EXACTNESS * torch.eye(len(own), dtype=own.dtype)
        shares = torch.linalg.solve(exact, self.steps.double())  # [N, 2]
        side = (torch.arange(GRID) + 0.5) / GRID
        grid = torch.stack(torch.meshgrid(side, side, indexing="xy"), 2).reshape(-1, 2)
        near = self._covariance(torch.full((len(grid),), frame), grid, reach)
        return (near @ shares).T.reshape(1, 2, GRID, GRID).float()

    def _covariance(self, frames: Tensor, places: Tensor, reach: float) -> Tensor:
        """Return how alike corrections are at ``places`` [M, 2] of ``frames`` [M], [M, N]."""
        far = torch.cdist(places.double(), self.places.double()) * (5**0.5 / reach)
        alike = (1 + far + far.square() / 3) * (-far).exp()  # Matern, 5/2
        apart = (frames[:, None] - self.frames).abs() / LASTING
        return alike * (-apart.double()).exp()


def read_pins(pins: Sequence[Pin], uv: Tensor, size: tuple[int, int]) -> Corrections:
    """Return what ``pins`` say of ``uv`` [T, h, w, 2]; ``size`` is the footage's (width, height).

    Each pin's first frame says where on the atlas the others belong.
    """
    frames, places, steps = [], [], []
    for pin in pins:
        found = torch.stack([_read(uv[frame], point, size) for frame, point in spots(pin)])
        frames += pin.frames
        places.append(found[:1].expand_as(found))
        steps.append(found[:1] - found)
    return Corrections(torch.tensor(frames), torch.cat(places), torch.cat(steps))


def spots(pin: Pin) -> Iterator[tuple[int, tuple[float, float]]]:
    """Yield the frames of a pin, each with its point in px of the footage."""
    yield from zip(pin.frames, zip(pin.points[::2], pin.points[1::2], strict=True), strict=True)


def check_pins(pins: Sequence[Pin], masks: Array, size: tuple[int, int], report: Report) -> None:
    """Warn of pins that lie beside the object; ``masks`` uint8 [T, h, w].

    Raises EngineError (BAD_JOB) where one is on a frame, or at a place, that the footage of
    ``size`` (width, height) does not have.
    """
    hint = "Set the pin again on a frame that shows the object, within the picture."
    for number, pin in enumerate(pins, 1):
        for frame, (x, y) in spots(pin):
            if frame >= len(masks):
                message = f"Pin {number} is on frame {frame}, but the last one is {len(masks) - 1}."
                raise EngineError(Fault.BAD_JOB, message, hint)
            if not (0 <= x <= size[0] and 0 <= y <= size[1]):
                message = f"Pin {number} at {x:g}, {y:g} on frame {frame} is outside the picture."
                raise EngineError(Fault.BAD_JOB, f"{message[:-1]} of {size[0]} x {size[1]}.", hint)
        beside = [
            frame
            for frame, point in spots(pin)
            if float(_read(torch.from_numpy(masks[frame])[..., None] / 255, point, size)) < BESIDE
        ]
        if beside:
            listed = ", ".join(map(str, beside))
            report.warning(f"Pin {number} is beside the object on frames: {listed}.", hint)


def correct_mapping(uv: Tensor, alpha: Tensor, corrections: Corrections) -> Tensor:
    """Return ``uv`` [T, h, w, 2] after the atlas moved beneath each frame as ``corrections`` say.

    ``alpha`` [T, h, w]. Nothing folds that did not before: there the frame moves less.
    """
    inside = (alpha > INSIDE).float()[:, None]
    first = uv.permute(0, 3, 1, 2)
    corrected = uv.clone()
    sizes = areas(first) * inside[:, 0, :-1, :-1]
    usual = sizes[sizes > 0].median() if (sizes > 0).any() else 0.0
    reach = REACH * float(sizes.clamp(min=0).sum((1, 2)).max().clamp_min(1e-12)) ** 0.5
    for frame, here in enumerate(uv):
        if not inside[frame].any():
            continue
        movement = _movement(here[None], corrections.field(frame, reach))
        old = first[frame : frame + 1]
        least = least_areas(old, inside[frame : frame + 1], usual)
        moved = move_without_folds(old, movement, least, reach=2)
        corrected[frame] = moved[0].permute(1, 2, 0).clamp(0, 1)
    return corrected


def save_mapping(uv: Tensor, folder: Path) -> None:
    """Write what `correct_mapping` returns into ``folder``."""
    save_file({"uv": uv.contiguous()}, folder / FILE_NAME)


def load_mapping(folder: Path) -> Tensor:
    """Read what `save_mapping` wrote."""
    return load_file(folder / FILE_NAME)["uv"]


def _movement(uv: Tensor, field: Tensor) -> Tensor:
    """Return by how much ``uv`` [1, h, w, 2] moves, [1, 2, h, w].

    ``field`` [1, 2, GRID, GRID] is over the atlas, and read where the movement ends.
    """
    movement = torch.zeros_like(uv)
    for _ in range(ITERATIONS):
        grid = (uv + movement) * 2 - 1
        read = functional.grid_sample(field, grid, padding_mode="border", align_corners=False)
        movement = read.permute(0, 2, 3, 1)
    return movement.permute(0, 3, 1, 2)


def _read(picture: Tensor, point: tuple[float, float], size: tuple[int, int]) -> Tensor:
    """Read ``picture`` [h, w, C] bilinearly at a point of the footage, [C]."""
    place = torch.tensor(point) / torch.tensor(size) * 2 - 1
    read = functional.grid_sample(
        picture.permute(2, 0, 1)[None], place[None, None, None], mode="bilinear",
        padding_mode="border", align_corners=False,
    )  # fmt: skip
    return read[0, :, 0, 0]
