"""Where CLIP looks: crops of the object, seen from a side, on their background or on black.

A crop is left, top, width, height in pixels of a canvas (see `canvas`). Everything random is
drawn on the CPU from one generator; one `grid_sample` does crop, perspective and resize.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from .. import device as devices
from ..contract.settings import ViewsSettings

TRIES = 50  # crops drawn for each local view before the best of them is taken


@dataclass(frozen=True)
class Views:
    """V places to look at, with the same size of picture for each."""

    crops: Tensor  # [V, 4]
    warps: Tensor  # [V, 3, 3], from the view's square [-1, 1]^2 to the crop's
    black: Tensor  # bool [V], the background is removed
    fallback: Tensor  # bool [V], no crop was found that holds enough of the object

    def and_then(self, others: Views) -> Views:
        """Return these and ``others``."""
        pairs = {name: (getattr(self, name), getattr(others, name)) for name in vars(self)}
        return Views(**{name: torch.cat(pair) for name, pair in pairs.items()})

    def scaled(self, factor: float) -> Views:
        """Return the same views of a canvas that is ``factor`` times as large."""
        return replace(self, crops=self.crops * factor)


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
        height, width = self.mask.shape
        left, top = crops[..., 0].round(), crops[..., 1].round()
        right = (crops[..., 0] + crops[..., 2]).round()
        bottom = (crops[..., 1] + crops[..., 3]).round()
        x0, x1 = (x.clamp(0, width).long() for x in (left, right))
        y0, y1 = (y.clamp(0, height).long() for y in (top, bottom))
        table = self.integral
        inside = table[y1, x1] - table[y0, x1] - table[y1, x0] + table[y0, x0]
        whole = table[-1, -1] if of == "object" else (right - left) * (bottom - top)
        return inside / whole.clamp_min(1)


def draw_views(
    subject: Subject, settings: ViewsSettings, generator: torch.Generator
) -> tuple[Views, Views]:
    """Draw the global and the local views of one frame (TDS, sec. 3.3 and 6.2)."""
    coins = torch.rand(3, generator=generator) if settings.shared_coins else None
    whole = _global_crops if settings.keep_whole else _printed_global_crops
    crops = whole(subject, settings, generator)
    complete = torch.zeros(len(crops), dtype=torch.bool)
    local, fallback = _local_crops(subject, settings, generator)
    return (
        _views(crops, complete, settings, generator, coins),
        _views(local, fallback, settings, generator, coins),
    )


def look(picture: Tensor, views: Views, size: int) -> Tensor:
    """Return ``views`` of ``picture`` as [V, 3, S, S], black where there is nothing to see.

    ``picture`` [6, h, w] is the object's colour times alpha over the background's colour times
    one minus alpha. A seventh channel, where there is one, says what stays where the background
    is removed; else alpha does. Antialiased: each view reads the level of the pyramid that fits
    its size.
    """
    height, width = picture.shape[1:]
    levels = _levels(picture, views, size)
    order = levels.argsort(stable=True)
    crops = views.crops * 2 / torch.tensor([width, height, width, height])
    facts = [crops[order], views.warps[order].flatten(1), (~views.black)[:, None]]
    # In one piece: each way to a GPU costs more than what is carried on it.
    packed = torch.cat([each.float() for each in (*facts, order.argsort()[:, None])], 1)
    sent = devices.sent(packed, picture.device)  # [V, 15]
    parts, first = [], 0
    for level, count in zip(*levels.unique(return_counts=True), strict=True):
        some = sent[first : first + int(count)]
        parts.append(_sample(picture, int(level), some[:, :4], some[:, 4:13], size))
        first += int(count)
    seen = torch.cat(parts)[sent[:, 14].long()]
    kept = sent[:, 13, None, None, None]
    if len(picture) == 6:
        return seen[:, :3] + kept * seen[:, 3:]
    stays = torch.where(kept > 0, 1.0, seen[:, 6:])
    return (seen[:, :3] + seen[:, 3:6]) * stays


def _global_crops(subject: Subject, settings: ViewsSettings, generator: torch.Generator) -> Tensor:
    """Crops of the box's square hull that hold the whole object, [V, 4]."""
    count = settings.global_views
    span = subject.box[2:] - subject.box[:2]  # [2]
    side = (span.max() + 2 * subject.margin).expand(count)
    area = _global_parts(settings, count, generator) * side.square()
    sizes = _sizes(area, settings, generator)  # [V, 2]
    return _placed(sizes, subject.box[2:] - sizes, subject.box[:2].expand(count, 2), generator)


def _printed_global_crops(
    subject: Subject, settings: ViewsSettings, generator: torch.Generator
) -> Tensor:
    """Crops of the box itself, [V, 4], as the usual random resized crop takes them.

    Where none of ten tries fits into the box, its middle is taken at the nearest aspect.
    """
    count, tries = settings.global_views, 10
    first, last = subject.box[:2] - subject.margin, subject.box[2:] + subject.margin
    room = last - first  # [2]
    area = _global_parts(settings, count * tries, generator) * room.prod()
    sizes = _sizes(area, settings, generator).reshape(count, tries, 2)
    fits = (sizes <= room).all(2)  # [V, tries]
    aspect = (room[0] / room[1]).clamp(settings.aspect_low, settings.aspect_high)
    middle = torch.minimum(room, torch.stack([room[1] * aspect, room[0] / aspect]))
    drawn = sizes[torch.arange(count), fits.int().argmax(1)]
    sizes = torch.where(fits.any(1)[:, None], drawn, middle.expand(count, 2))
    corner = torch.where(fits.any(1)[:, None], first, (first + last - sizes) / 2)
    return _placed(sizes, corner, last - sizes, generator)


def _global_parts(settings: ViewsSettings, count: int, generator: torch.Generator) -> Tensor:
    """Which parts of the box's area global crops take, [count]."""
    part = _uniform(settings.global_scale_low, settings.global_scale_high, count, generator)
    return part.square() if settings.scale_of == "side" else part


def _local_crops(
    subject: Subject, settings: ViewsSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Crops [V, 4] inside the box that the object fills well, and which do not, bool [V].

    The last try is always a crop around a random pixel of the object: thin objects end there.
    """
    count = settings.local_views
    first, last = subject.box[:2] - subject.margin, subject.box[2:] + subject.margin
    many = count * TRIES
    part = _uniform(settings.local_scale_low, settings.local_scale_high, many, generator)
    part = part.square() if settings.scale_of == "side" else part
    area = part * (last - first).prod()
    sizes = _sizes(area, settings, generator)  # [V TRIES, 2]
    crops = _placed(sizes, first.expand(many, 2), last - sizes, generator)
    crops = crops.reshape(count, TRIES, 4)
    crops[:, -1, :2] = _object_pixels(subject, count, generator) - crops[:, -1, 2:] / 2
    covered = subject.coverage(crops, settings.coverage_of)  # [V, TRIES]
    enough = covered >= settings.coverage
    chosen = torch.where(enough.any(1), enough.int().argmax(1), covered.argmax(1))
    rows = torch.arange(count)
    return crops[rows, chosen], ~enough[rows, chosen]


def _object_pixels(subject: Subject, count: int, generator: torch.Generator) -> Tensor:
    """Random pixels (x, y) of the object, [count, 2]; the box's centre where it has none."""
    pixels = subject.pixels
    if not len(pixels):
        return ((subject.box[:2] + subject.box[2:]) / 2).expand(count, 2)
    chosen = torch.randint(len(pixels), (count,), generator=generator)
    return pixels[chosen].flip(1).double() + 0.5


def _sizes(area: Tensor, settings: ViewsSettings, generator: torch.Generator) -> Tensor:
    """Width and height [N, 2] of rectangles with ``area`` [N] and a random aspect."""
    aspect = _uniform(settings.aspect_low, settings.aspect_high, len(area), generator)
    return torch.stack([(area * aspect).sqrt(), (area / aspect).sqrt()], 1)


def _placed(sizes: Tensor, low: Tensor, high: Tensor, generator: torch.Generator) -> Tensor:
    """Put rectangles with their top left corner between ``low`` and ``high`` [N, 2].

    Where ``high`` is below ``low`` there is no room to choose: the rectangle is centred.
    """
    part = torch.rand(sizes.shape, generator=generator, dtype=torch.float64)
    part = torch.where(high >= low, part, 0.5)
    return torch.cat([low + part * (high - low), sizes], 1)


def _views(
    crops: Tensor,
    fallback: Tensor,
    settings: ViewsSettings,
    generator: torch.Generator,
    coins: Tensor | None,
) -> Views:
    """Turn crops into views; ``coins`` [3] are chances that all views of a frame share."""
    count = len(crops)
    chances = torch.rand(2, count, generator=generator)
    strength = torch.rand(count, generator=generator, dtype=torch.float64)
    if coins is not None:
        chances = coins[:2, None].expand(2, count)
        strength = coins[2].double().expand(count)
    black = chances[0] < settings.background_removal
    tilted = chances[1] < settings.perspective_chance
    least, most = settings.perspective_low, settings.perspective_high
    strength = least + (most - least) * strength
    moves = torch.rand(count, 4, 2, generator=generator, dtype=torch.float64)
    warps = perspective(moves * (strength * tilted)[:, None, None])
    return Views(crops, warps, black, fallback)


CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))


def perspective(moves: Tensor) -> Tensor:
    """Return the homographies [V, 3, 3] that read a square through a moved quadrangle.

    ``moves`` [V, 4, 2] is how far each corner of [-1, 1]^2 comes inward. The homography maps
    the quadrangle onto the whole square, so what lies around the quadrangle falls outside.
    """
    square = moves.new_tensor(CORNERS)  # [4, 2]
    quadrangle = square * (1 - moves)  # [V, 4, 2]
    x, y = quadrangle.unbind(2)
    u, v = square.expand_as(quadrangle).unbind(2)
    one, nought = torch.ones_like(x), torch.zeros_like(x)
    across = torch.stack([x, y, one, nought, nought, nought, -u * x, -u * y], 2)  # [V, 4, 8]
    down = torch.stack([nought, nought, nought, x, y, one, -v * x, -v * y], 2)
    solved = torch.linalg.solve(torch.cat([across, down], 1), torch.cat([u, v], 1))  # [V, 8]
    return torch.cat([solved, torch.ones_like(solved[:, :1])], 1).reshape(-1, 3, 3)


def _levels(picture: Tensor, views: Views, size: int) -> Tensor:
    """How often each view halves the picture before it reads it, [V]."""
    shrink = views.crops[:, 2:].mean(1) / size
    most = int(torch.tensor(min(picture.shape[1:])).log2())
    return shrink.log2().round().clamp(0, most).long()


def _sample(picture: Tensor, level: int, crops: Tensor, warps: Tensor, size: int) -> Tensor:
    """Read views at one level of the pyramid: [N, C, S, S].

    ``crops`` [N, 4] are in half sides of the picture, ``warps`` are [N, 9].
    """
    height, width = picture.shape[1:]
    inner, visible = _places(warps.unflatten(1, (3, 3)), size)
    crops = crops[:, None, None]  # [N, 1, 1, 4]
    grid = crops[..., :2] + (inner + 1) / 2 * crops[..., 2:] - 1  # [N, S, S, 2]
    coarse = picture[None]
    if level:
        shape = (max(1, height >> level), max(1, width >> level))
        coarse = functional.adaptive_avg_pool2d(coarse, shape)
    below = grid.reshape(1, -1, size, 2)  # the views lie under each other: no picture is copied
    read = functional.grid_sample(coarse, below, mode="bilinear", align_corners=False)
    stacked = read[0].reshape(len(picture), len(crops), size, size).transpose(0, 1)
    return stacked * visible[:, None]


def _places(warps: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Where the pixels of views lie in their crops [N, S, S, 2], and whether within, [N, S, S]."""
    steps = (torch.arange(size, device=warps.device) + 0.5) / size * 2 - 1
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    plane = torch.stack([columns, rows, torch.ones_like(rows)], 2)  # [S, S, 3]
    warped = torch.einsum("nij,yxj->nyxi", warps, plane)
    inner = warped[..., :2] / warped[..., 2:]
    return inner, ((inner.abs() <= 1).all(-1) & (warped[..., 2] > 0)).float()


def _uniform(low: float, high: float, count: int, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator, dtype=torch.float64)
