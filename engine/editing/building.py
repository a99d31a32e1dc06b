"""From the edits of a request to changes of the atlas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..contract.events import EngineError, Fault
from ..contract.job import ANY, Blend, Edit, EditKind
from ..decomposition.layers import Layers
from ..video.images import read_image
from .atlas_edit import AtlasEdit
from .comparison import Painted, compare_painting
from .inverse import TexelGrid, places_of_texels, sample
from .whole_layer import measure_gain

DENSITY = 2.0  # texels for each pixel of the footage, so that reading twice blurs little
MOST = 2048  # texels along a side
SOLID = 0.5  # alpha from which on paint on a frame belongs to the layer
REACH = 0.05  # of the atlas, how far an edit may lie outside


@dataclass(frozen=True)
class Frame:
    """One frame as a layer has it: ``uv`` [h, w, 2], ``alpha`` [h, w], ``light`` [h, w, 3].

    ``scale`` is how many pixels of the footage one of them is, across and down.
    """

    uv: Tensor
    alpha: Tensor
    light: Tensor
    scale: tuple[float, float]

    @classmethod
    def of(cls, layers: Layers, index: int, size: tuple[int, int]) -> Frame:
        """Return the frame ``index`` of ``layers``; ``size`` is the footage's width and height."""
        alpha = layers.alpha[index].cpu()
        scale = size[0] / alpha.shape[1], size[1] / alpha.shape[0]
        return cls(layers.uv[index].cpu(), alpha, measure_gain(layers, index).cpu(), scale)

    def in_footage(self, places: Tensor) -> Tensor:
        """Return ``places`` [..., 2] px of this frame as px of the footage."""
        return (places + 0.5) * places.new_tensor(self.scale) - 0.5


Footage = Callable[[int], np.ndarray]


def build_edits(
    edit: Edit, layers: Sequence[Layers], size: tuple[int, int], footage: Footage
) -> list[tuple[int, AtlasEdit]]:
    """Return what ``edit`` changes: the places among ``layers``, and the change of each.

    ``layers`` are all objects, from front to back, and the background as the last where the edit
    may be on it. See `build_edit` for the rest.
    """
    if edit.layer != ANY:
        return [(edit.layer, build_edit(edit, layers[edit.layer], size, footage))]
    if edit.kind is EditKind.PICTURE:
        number = _at_middle(edit, layers, size)
        return [(number, build_edit(edit, layers[number], size, footage))]
    found, reason = [], None
    for number, each in enumerate(layers):
        try:
            found.append((number, build_edit(edit, each, size, footage)))
        except EngineError as error:
            if error.fault is not Fault.BAD_JOB:
                raise
            reason = error
    if reason is not None and not found:
        raise reason
    return found


def _at_middle(edit: Edit, layers: Sequence[Layers], size: tuple[int, int]) -> int:
    """Return the place of the layer that is seen at the middle of a picture."""
    middle = torch.tensor(edit.corners).reshape(4, 2).mean(0)
    for number, each in enumerate(layers[:-1]):
        if edit.frame < len(each.alpha):
            alpha = each.alpha[edit.frame]
            limits = middle.new_tensor([alpha.shape[1], alpha.shape[0]])
            place = (middle / middle.new_tensor(size) * limits).long()
            x, y = (int(n) for n in place.clamp_min(0).minimum(limits.long() - 1))
            if alpha[y, x] > SOLID:
                return number
    return len(layers) - 1


def build_edit(edit: Edit, layers: Layers, size: tuple[int, int], footage: Footage) -> AtlasEdit:
    """Return what ``edit`` changes of the atlas of ``layers``.

    ``size`` is the footage's width and height; ``footage`` gives one frame of it, uint8 or uint16
    [H, W, C]. Raises EngineError where a picture cannot be read or there is nothing to change.
    """
    if edit.kind is not EditKind.ATLAS and edit.frame >= len(layers.alpha):
        raise EngineError(
            Fault.BAD_JOB,
            f"The edit is on frame {edit.frame}, but there are {len(layers.alpha)}, from 0 on.",
            "Give a frame of the footage.",
        )
    if edit.kind is EditKind.ATLAS:
        built = _of_atlas(edit)
    elif edit.kind is EditKind.PICTURE:
        built = _of_picture(edit, Frame.of(layers, edit.frame, size))
    else:
        built = _of_frame(edit, Frame.of(layers, edit.frame, size), footage)
    return built.crop()


def _of_atlas(edit: Edit) -> AtlasEdit:
    """Return what was painted on the whole atlas. Its alpha says how much a texel counts."""
    before, after = _read(edit.before), _read(edit.path)
    if before.shape[:2] != after.shape[:2]:  # made anew by a program that scales: all is changed
        before = _resize(before, after.shape[1], after.shape[0])
    own, alpha = before[..., 3:], after[..., 3:]
    weight = torch.where(own > 0, alpha / own.clamp_min(1e-6), alpha).clamp(0, 1)
    shown = torch.lerp(before[..., :3], after[..., :3], weight)
    known = torch.maximum(own, alpha)
    change = compare_painting(before[..., :3], shown, opacity=edit.opacity, alpha=known)
    return AtlasEdit(_texels(change), (0.0, 0.0), (1.0, 1.0), edit.stylized)


def _of_picture(edit: Edit, frame: Frame) -> AtlasEdit:
    """Return a picture that lies in a frame with its corners at four places."""
    corners = torch.tensor(edit.corners).reshape(4, 2)
    to_picture = partial(_unproject, matrix=_homography(corners.numpy()))
    height, width = frame.alpha.shape
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    everywhere = to_picture(frame.in_footage(torch.stack([x, y], 2).float()) + 0.5)
    covered = ((everywhere >= 0) & (everywhere <= 1)).all(2)
    if not (covered & (frame.alpha > SOLID)).any():
        message = f"The picture lies beside its layer on frame {edit.frame}."
        raise EngineError(Fault.BAD_JOB, message, "Move it onto the layer, or choose another one.")
    texels = _texels_over(frame, covered)
    places, found = places_of_texels(frame.uv, frame.alpha, texels)
    spans = (corners.roll(-1, 0) - corners).norm(dim=1) * DENSITY  # of the four edges
    picture = _read(edit.path)
    across, down = (max(1, round(float(spans[i::2].max()))) for i in (0, 1))
    picture = torch.cat([picture[..., :3] * picture[..., 3:], picture[..., 3:]], 2)
    if across < picture.shape[1] or down < picture.shape[0]:
        picture = _resize(picture, min(across, picture.shape[1]), min(down, picture.shape[0]))
    grid = to_picture(frame.in_footage(places) + 0.5) * 2 - 1
    read = functional.grid_sample(picture.permute(2, 0, 1)[None], grid[None], align_corners=False)
    read = read[0].permute(1, 2, 0) * edit.opacity
    colour, alpha = read[..., :3], read[..., 3:]
    change = {
        Blend.OVER: lambda: Painted(alpha.expand_as(colour), colour),
        Blend.MULTIPLY: lambda: Painted(alpha - colour, torch.zeros_like(colour)),
        Blend.SCREEN: lambda: Painted(colour, colour),
    }[edit.blend]()
    return _in_atlas(change, frame, texels, places, found)


def _of_frame(edit: Edit, frame: Frame, footage: Footage) -> AtlasEdit:
    """Return what was painted on a frame, as far as it lies on the layer."""
    after = _read(edit.path)[..., :3]
    before = _read(edit.before)[..., :3] if edit.before else _colours(footage(edit.frame))[..., :3]
    if before.shape != after.shape:
        raise EngineError(
            Fault.BAD_JOB,
            f"{edit.path} is {after.shape[1]} x {after.shape[0]} px, but the frame "
            f"{before.shape[1]} x {before.shape[0]} px.",
            "Paint on the frame at its own size.",
        )
    change = compare_painting(before, after, opacity=edit.opacity)
    height, width = frame.alpha.shape
    shown = functional.interpolate(change.changed[None, None].float(), (height, width), mode="area")
    touched = (shown[0, 0] > 0) & (frame.alpha > SOLID)
    if not touched.any():
        message = f"Nothing on frame {edit.frame} was painted that lies on the layer."
        hint = "Paint on the layer and save the picture, or choose another layer."
        raise EngineError(Fault.BAD_JOB, message, hint)
    texels = _texels_over(frame, touched)
    places, found = places_of_texels(frame.uv, frame.alpha, texels)
    found &= sample(frame.alpha[..., None], places)[..., 0] > SOLID
    stacked = torch.cat([change.removed, change.added], 2)
    ratio = width * frame.scale[0] / after.shape[1]  # where the picture is not the footage's size
    read = sample(stacked, (frame.in_footage(places) + 0.5) / ratio - 0.5)
    moved = Painted(*read.split(3, 2))
    return _in_atlas(moved, frame, texels, places, found)


def _in_atlas(
    change: Painted, frame: Frame, texels: TexelGrid, places: Tensor, found: Tensor
) -> AtlasEdit:
    """Return a change of colours in ``frame``, [h, w] texels, free of the frame's own light."""
    light = sample(frame.light, places)
    stacked = torch.cat([change.removed, change.added / light], 2)
    stacked = torch.where(found[..., None], stacked, 0.0)
    return AtlasEdit(stacked.permute(2, 0, 1), texels.corner, texels.extent)


def _texels_over(frame: Frame, where: Tensor) -> TexelGrid:
    """Return texels over all that the pixels of ``where`` bool [h, w] read, and a little more."""
    uv = frame.uv[where]
    down, across = torch.gradient(frame.uv, dim=(0, 1))
    step = torch.stack([across, down]).abs().amax(0)[where].median(0).values.clamp_min(1e-6)
    low = (uv.amin(0) - 2 * step).clamp_min(-REACH)
    high = (uv.amax(0) + 2 * step).clamp_max(1 + REACH)
    extent = (high - low).clamp_min(1e-6)
    wanted = extent / step * torch.tensor(frame.scale) * DENSITY
    width, height = (min(MOST, max(2, round(float(count)))) for count in wanted)
    (left, top), (across_uv, down_uv) = low.tolist(), extent.tolist()
    return TexelGrid((left, top), (across_uv, down_uv), width, height)


def _texels(change: Painted) -> Tensor:
    return torch.cat([change.removed, change.added], 2).permute(2, 0, 1)


def _read(path: str) -> Tensor:
    """Return a picture as colours and alpha in [0, 1], [H, W, 4]."""
    return _colours(read_image(Path(path), depth=16))


def _colours(pixels: np.ndarray) -> Tensor:
    values = torch.from_numpy(pixels.astype(np.float32)) / float(np.iinfo(pixels.dtype).max)
    if values.shape[2] == 1:
        values = values.expand(-1, -1, 3)
    if values.shape[2] == 3:
        values = torch.cat([values, torch.ones_like(values[..., :1])], 2)
    return values


def _resize(picture: Tensor, width: int, height: int) -> Tensor:
    scaled = functional.interpolate(
        picture.permute(2, 0, 1)[None], (height, width), mode="bilinear", antialias=True
    )
    return scaled[0].permute(1, 2, 0)


def _homography(corners: np.ndarray) -> np.ndarray:
    """Return the 3 x 3 matrix from px of the footage to 0 to 1 over a picture with ``corners``."""
    rows, wanted = [], []
    for (x, y), (u, v) in zip(corners, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    try:
        return np.append(np.linalg.solve(np.array(rows, float), wanted), 1.0).reshape(3, 3)
    except np.linalg.LinAlgError as error:
        message = "The four corners of the picture lie on a line."
        hint = "Draw them apart from each other."
        raise EngineError(Fault.BAD_JOB, message, hint) from error


def _unproject(points: Tensor, matrix: np.ndarray) -> Tensor:
    joined = torch.cat([points, torch.ones_like(points[..., :1])], -1)
    projected = joined @ torch.from_numpy(matrix).to(points).T
    return projected[..., :2] / projected[..., 2:]
