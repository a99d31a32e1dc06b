"""The views for CLIP: random crops of the object in perspective, on their background or black.

A crop is left, top, width, height in pixels of a canvas (see `canvas`). Everything random is
drawn on the CPU from one generator, and worked out in NumPy: for so few numbers it is several
times as fast as PyTorch. `looking` reads the views.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..contract.settings import ViewsSettings

Array = np.ndarray

TRIES = 50  # crops drawn for each local view before the best of them is taken
SMALLEST = 0.15  # area of the last try around a thin part of the object, in that of the first


@dataclass(frozen=True)
class Views:
    """V crops, to be sampled at one size."""

    crops: Tensor  # [V, 4]
    warps: Tensor  # [V, 3, 3], from the view's square [-1, 1]^2 to the crop's
    black: Tensor  # bool [V], the background is removed
    fallback: Tensor  # bool [V], no crop was found that holds enough of the object

    def scale(self, factor: float) -> Views:
        """Return the same views of a canvas that is ``factor`` times as large."""
        return replace(self, crops=self.crops * factor)

    def take(self, numbers: slice) -> Views:
        """Return the views with these numbers."""
        kept = (each[numbers] for each in (self.crops, self.warps, self.black, self.fallback))
        return Views(*kept)


@dataclass(frozen=True)
class Subject:
    """Where the object is on a canvas."""

    box: Tensor  # [4] left, top, right, bottom of the object itself
    margin: float  # pixels around that box
    mask: Tensor  # bool [h, w]
    integral: Tensor  # [h + 1, w + 1], sums of the mask

    @staticmethod
    def of(mask: Tensor, box: Tensor, *, margin: float) -> Subject:
        """Make a subject of its ``mask`` bool [h, w] and ``box`` [4] on the canvas."""
        mask = mask.cpu()
        integral = functional.pad(mask.double().cumsum(0).cumsum(1), (1, 0, 1, 0))
        return Subject(box.cpu().double(), margin, mask, integral)

    @cached_property
    def pixels(self) -> Tensor:
        """Rows and columns of the object's pixels, [N, 2]."""
        return self.mask.nonzero()

    def coverage(self, crops: Tensor, of: str = "view") -> Tensor:
        """Return which part of each of ``crops`` [..., 4] the object fills, [...].

        ``of`` "object" gives which part of the object each of them holds.
        """
        return torch.from_numpy(np.asarray(self.coverage_of_arrays(crops.numpy(), of)))

    def coverage_of_arrays(self, crops: Array, of: str) -> Array:
        """Return `coverage` of crops that are no tensor."""
        height, width = self.mask.shape
        table = self.integral.numpy()
        first, last = np.rint(crops[..., :2]), np.rint(crops[..., :2] + crops[..., 2:])
        corners = np.stack([first, last]).clip(0, (width, height)).astype(np.int64)
        (x0, x1), (y0, y1) = corners[..., 0], corners[..., 1]
        inside = table[y1, x1] - table[y0, x1] - table[y1, x0] + table[y0, x0]
        whole = table[-1, -1] if of == "object" else (last - first).prod(-1)
        return inside / np.maximum(whole, 1)


def draw_views(
    subject: Subject, settings: ViewsSettings, generator: torch.Generator
) -> tuple[Views, Views]:
    """Draw the global and the local views of one frame (TDS, sec. 3.3 and 6.2)."""
    both = draw_both(subject, settings, generator)
    split = settings.global_views
    parts = ({name: each[some] for name, each in vars(both).items()}
             for some in (slice(split), slice(split, None)))  # fmt: skip
    whole, close = (Views(**part) for part in parts)
    return whole, close


def draw_both(subject: Subject, settings: ViewsSettings, generator: torch.Generator) -> Views:
    """Draw the global views of one frame and after them the local ones."""
    crops = _global_crops(subject, settings, generator)
    local, fallback = _local_crops(subject, settings, generator)
    fallback = np.append(np.zeros(len(crops), dtype=bool), fallback)
    turns = [_turns(len(some), settings, generator) for some in (crops, local)]
    moves, black = (np.concatenate(each) for each in zip(*turns, strict=True))
    drawn = np.concatenate([crops, local]), _homographies(moves), black, fallback
    return Views(*(torch.from_numpy(each) for each in drawn))


def _global_crops(subject: Subject, settings: ViewsSettings, generator: torch.Generator) -> Array:
    """Crops of the box's square hull that hold the whole object, [V, 4]."""
    count = settings.global_views
    box = subject.box.numpy()
    side = (box[2:] - box[:2]).max() + 2 * subject.margin
    part = _uniform(settings.global_scale_low, settings.global_scale_high, count, generator)
    area = part * side**2
    sizes = _sizes(area, settings, generator)  # [V, 2]
    return _place(sizes, box[2:] - sizes, box[:2], generator)


def _local_crops(
    subject: Subject, settings: ViewsSettings, generator: torch.Generator
) -> tuple[Array, Array]:
    """Crops [V, 4] that the object fills well, and which do not, bool [V]."""
    place = _around_object if settings.local_placement == "object" else _in_box
    crops = place(subject, settings, generator)  # [V, TRIES, 4]
    covered = subject.coverage_of_arrays(crops, settings.coverage_of)  # [V, TRIES]
    enough = covered >= settings.coverage
    chosen = np.where(enough.any(1), enough.argmax(1), covered.argmax(1))
    rows = np.arange(len(crops))
    return crops[rows, chosen], ~enough[rows, chosen]


def _in_box(subject: Subject, settings: ViewsSettings, generator: torch.Generator) -> Array:
    """Crops [V, TRIES, 4] anywhere in the object's box.

    The last try is always a crop around a random pixel of the object: thin objects end there.
    """
    count = settings.local_views
    first, last = _room(subject)
    sizes = _local_sizes(subject, settings, generator).reshape(-1, 2)
    crops = _place(sizes, first, last - sizes, generator).reshape(count, TRIES, 4)
    crops[:, -1, :2] = _object_pixels(subject, count, generator) - crops[:, -1, 2:] / 2
    return crops


def _around_object(subject: Subject, settings: ViewsSettings, generator: torch.Generator) -> Array:
    """Crops [V, TRIES, 4] around a random pixel of the object each, smaller from try to try.

    In the box, a crop that is a third of a neck is hardly ever found: it would be seen in views of
    the whole object alone. Here all pixels are as likely, and crops become as small as is needed.
    """
    count = settings.local_views
    first, last = _room(subject)
    smaller = np.geomspace(1, SMALLEST, TRIES)[:, None] ** 0.5
    sizes = _local_sizes(subject, settings, generator) * smaller  # [V, TRIES, 2]
    part = _uniform(0.25, 0.75, sizes.size, generator).reshape(sizes.shape)
    corners = _object_pixels(subject, count, generator)[:, None] - part * sizes
    corners = np.maximum(np.minimum(corners, last - sizes), first)  # in the box, if it has room
    return np.concatenate([corners, sizes], 2)


def _local_sizes(subject: Subject, settings: ViewsSettings, generator: torch.Generator) -> Array:
    """Width and height of all tries of local crops, [V, TRIES, 2]."""
    first, last = _room(subject)
    many = settings.local_views * TRIES
    part = _uniform(settings.local_scale_low, settings.local_scale_high, many, generator)
    return _sizes(part * (last - first).prod(), settings, generator).reshape(-1, TRIES, 2)


def _room(subject: Subject) -> tuple[Array, Array]:
    """The first and the last corner (x, y) of the box with its margin, [2] each."""
    box = subject.box.numpy()
    return box[:2] - subject.margin, box[2:] + subject.margin


def _object_pixels(subject: Subject, count: int, generator: torch.Generator) -> Array:
    """Random pixels (x, y) of the object, [count, 2]; the box's centre where it has none."""
    pixels = subject.pixels.numpy()
    if not len(pixels):
        box = subject.box.numpy()
        return np.broadcast_to((box[:2] + box[2:]) / 2, (count, 2))
    chosen = torch.randint(len(pixels), (count,), generator=generator).numpy()
    return pixels[chosen][:, ::-1] + 0.5


def _sizes(area: Array, settings: ViewsSettings, generator: torch.Generator) -> Array:
    """Width and height [N, 2] of rectangles with ``area`` [N] and a random aspect."""
    aspect = _uniform(settings.aspect_low, settings.aspect_high, len(area), generator)
    return np.sqrt(np.stack([area * aspect, area / aspect], 1))


def _place(sizes: Array, low: Array, high: Array, generator: torch.Generator) -> Array:
    """Put rectangles with their top left corner between ``low`` and ``high`` [N, 2].

    Where ``high`` is below ``low`` there is no room to choose: the rectangle is centred.
    """
    part = torch.rand(sizes.shape, generator=generator, dtype=torch.float64).numpy()
    part = np.where(high >= low, part, 0.5)
    return np.concatenate([low + part * (high - low), sizes], 1)


def _turns(count: int, settings: ViewsSettings, generator: torch.Generator) -> tuple[Array, Array]:
    """How far the corners of views come inward [V, 4, 2], and which lose their background, [V]."""
    chances = torch.rand(2, count, generator=generator).numpy()
    strength = torch.rand(count, generator=generator, dtype=torch.float64).numpy()
    black = chances[0] < settings.background_removal
    tilted = chances[1] < settings.perspective_chance
    least, most = settings.perspective_low, settings.perspective_high
    strength = least + (most - least) * strength
    moves = torch.rand(count, 4, 2, generator=generator, dtype=torch.float64).numpy()
    return moves * (strength * tilted)[:, None, None], black


CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))


def perspective(moves: Tensor) -> Tensor:
    """Return the homographies [V, 3, 3] that read a square through a moved quadrangle.

    ``moves`` [V, 4, 2] is how far each corner of [-1, 1]^2 comes inward. The homography maps
    the quadrangle onto the whole square, so what lies around the quadrangle falls outside.
    """
    return torch.from_numpy(_homographies(moves.numpy()))


def _homographies(moves: Array) -> Array:
    """Return `perspective` of ``moves``: eight equations for each view."""
    square = np.array(CORNERS, dtype=moves.dtype)  # [4, 2]
    quadrangle = np.concatenate([square * (1 - moves), np.ones_like(moves[..., :1])], 2)
    equations = np.zeros((len(moves), 2, 4, 8), dtype=moves.dtype)
    equations[:, 0, :, :3] = equations[:, 1, :, 3:6] = quadrangle
    equations[..., 6:] = -square.T[:, :, None] * quadrangle[:, None, :, :2]
    wanted = np.broadcast_to(square.T.reshape(8, 1), (len(moves), 8, 1))
    solved = np.linalg.solve(equations.reshape(-1, 8, 8), wanted)[..., 0]  # [V, 8]
    return np.concatenate([solved, np.ones_like(solved[:, :1])], 1).reshape(-1, 3, 3)


def _uniform(low: float, high: float, count: int, generator: torch.Generator) -> Array:
    part = torch.rand(count, generator=generator, dtype=torch.float64).numpy()
    return low + (high - low) * part
