"""What is learned, and how the frames are rendered from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from . import textures
from .chunks import of_frames
from .derivatives import over, smooth
from .scene import Scene
from .splines import field, planes

# Alpha reaches 0 and 1 at finite logits.
STRETCH = 0.02
ROBUST_SCALE = 0.01
SPLAT_ROUNDS = 2
PAGE_FRAMES = 5
PAGE_SIDE = 256
PAGE_CAUTION = 0.3  # the weight of no change


@dataclass
class Model:
    """The learned tensors; those of a frame are apart, so that each step moves its frames only."""

    atlas: Tensor  # [3, S, S]
    panorama: Tensor  # [3, P, Q]
    pages: list[Tensor]  # of [3, s, s], what changes on the object, every `PAGE_FRAMES` frames
    logits: list[Tensor]  # T of [h, w]
    gains: list[Tensor]  # T of [rows, columns, 3], of the foreground, logarithmic
    gains_background: list[Tensor]  # T of [rows, columns, 3]

    def parameters(self) -> list[Tensor]:
        """Return all tensors in a fixed order."""
        return [
            self.atlas,
            self.panorama,
            *self.pages,
            *self.logits,
            *self.gains,
            *self.gains_background,
        ]


def start(scene: Scene, atlas_size: int) -> Model:
    """Return textures splatted from all frames, alpha as in the masks, no smooth gain."""
    device = scene.frames.device
    edge = torch.logit(scene.masks.clamp(STRETCH, 1 - STRETCH))
    shape = (scene.gain_box_down.shape[2], scene.gain_box_across.shape[2], 3)
    whole = (scene.gain_down.shape[1], scene.gain_across.shape[1], 3)
    count = len(scene.frames)
    texture = _splatted_atlas(scene, atlas_size)
    model = Model(
        texture,
        _splatted_panorama(scene),
        [each.clone() for each in _splatted_pages(scene, texture)],
        [edge[frame].clone() for frame in range(count)],
        [torch.zeros(shape, device=device) for _ in range(count)],
        [torch.zeros(whole, device=device) for _ in range(count)],
    )
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return model


def atlas(model: Model) -> Tensor:
    """Return the object's texture, [3, S, S].

    What is learned is smoothed over three texels: the frames are coarser than the atlas, and
    would leave a pattern in it that no frame shows.
    """
    return smooth(model.atlas)


def alpha(scene: Scene, logits: Tensor, frames: Sequence[int]) -> Tensor:
    """Return alpha in the boxes, [n, h, w], from ``logits`` [n, h, w]."""
    stretched = torch.sigmoid(logits) * (1 + 2 * STRETCH) - STRETCH
    return torch.minimum(stretched.clamp(0, 1), of_frames(scene.support, frames))


def foreground(model: Model, scene: Scene, frames: Sequence[int]) -> Tensor:
    """Return the object's colours in the boxes, [3, n, h, w]."""
    uv = of_frames(scene.uv, frames)
    colours = textures.planes(atlas(model), uv)
    across, down = (
        of_frames(basis, frames) for basis in (scene.gain_box_across, scene.gain_box_down)
    )
    gain = planes(of_frames(model.gains, frames), across, down).exp()
    return colours * gain + textures.each(pages(model, frames), uv)


def pages(model: Model, frames: Sequence[int]) -> Tensor:
    """Return by how much the object's texture is another in each frame, [n, 3, s, s]."""
    return torch.stack([_page(model, frame) for frame in frames])


def _page(model: Model, frame: int) -> Tensor:
    number, after = divmod(frame, PAGE_FRAMES)
    following = model.pages[min(number + 1, len(model.pages) - 1)]
    return torch.lerp(model.pages[number], following, after / PAGE_FRAMES)


def frame_gain(model: Model, scene: Scene, frames: Sequence[int]) -> Tensor:
    """Return the object's gain on whole frames, [n, H, W, 3]; constant beyond its window."""
    rows, columns = scene.whole(frames)
    across = scene.gain_window.basis_x(columns).to(model.atlas)
    down = scene.gain_window.basis_y(rows).to(model.atlas)
    return field(of_frames(model.gains, frames), across, down).exp()


def background(model: Model, scene: Scene, frames: Sequence[int]) -> Tensor:
    """Return the background's colours, [3, n, H, W]."""
    colours = textures.planes(model.panorama, of_frames(scene.uv_background, frames))
    knots = of_frames(model.gains_background, frames)
    return colours * planes(knots, scene.gain_across, scene.gain_down).exp()


def blend(
    scene: Scene, front: Tensor, behind: Tensor, alphas: Tensor, frames: Sequence[int]
) -> Tensor:
    """Return the frames [3, n, H, W]: ``front`` over ``behind`` within the boxes."""
    return over(front, behind, alphas, [scene.corners[frame] for frame in frames])


def next_alpha(scene: Scene, alphas: Tensor, firsts: Sequence[int]) -> Tensor:
    """Read the next frames' ``alphas`` [n, h, w] where the flow of ``firsts`` ends."""
    grid = of_frames(scene.ahead, firsts)
    return functional.grid_sample(alphas[:, None], grid, align_corners=False)[:, 0]


def _splatted_atlas(scene: Scene, size: int) -> Tensor:
    texture = None
    for _ in range(SPLAT_ROUNDS):
        splat = textures.Splat((size, size), scene.frames.device)
        for frames in scene.by_box():
            _add(splat, texture, *_object_colours(scene, frames), of_frames(scene.uv, frames))
        texture = splat.fill()
    assert texture is not None
    return texture


def _object_colours(scene: Scene, frames: range) -> tuple[Tensor, Tensor]:
    """Return the object's colours in the boxes, [n, h, w, 3], and how much each counts."""
    colours = scene.boxes(scene.frames, frames).float() / 255
    weight = (2 * of_frames(scene.masks, frames) - 1).clamp(min=0)
    return colours, weight * scene.boxes(scene.loss_mask, frames)


def _splatted_pages(scene: Scene, texture: Tensor) -> list[Tensor]:
    """Return what the frames near each page show otherwise than ``texture`` [3, S, S] does."""
    count = (len(scene.frames) - 1) // PAGE_FRAMES + 2
    side = min(PAGE_SIDE, texture.shape[1])
    splat = textures.Splat((side, side), texture.device, count)
    for frames in scene.by_box():
        colours, weight = _object_colours(scene, frames)
        uv = of_frames(scene.uv, frames)
        error = colours - textures.read(texture, uv)
        kept = _where_weighted(weight)
        error, uv, weight = (each.flatten(0, 2)[kept] for each in (error, uv, weight))
        frame = torch.arange(frames.start, frames.stop, device=kept.device)
        frame = frame.repeat_interleave(scene.box[0] * scene.box[1])[kept]
        number, after = frame // PAGE_FRAMES, frame % PAGE_FRAMES / PAGE_FRAMES
        splat.add(error, uv, weight * (1 - after), number)
        splat.add(error, uv, weight * after, number + 1)
    pages = splat.mean(PAGE_CAUTION)
    return list(smooth(pages.flatten(0, 1)).view_as(pages))


def _splatted_panorama(scene: Scene) -> Tensor:
    texture = None
    for _ in range(SPLAT_ROUNDS):
        splat = textures.Splat(scene.background.texels(), scene.frames.device)
        for frames in scene.by_frame():
            weight = of_frames(scene.loss_mask, frames).float()
            free = of_frames(scene.support, frames) == 0
            for frame, own, shown in zip(frames, weight, free, strict=True):
                scene.in_box(own, frame).mul_(shown)
            colours = of_frames(scene.frames, frames).float() / 255
            _add(splat, texture, colours, weight, of_frames(scene.uv_background, frames))
        texture = splat.fill()
    assert texture is not None
    return texture


def _add(
    splat: textures.Splat, texture: Tensor | None, colours: Tensor, weight: Tensor, uv: Tensor
) -> None:
    """Splat pictures [n, h, w, 3]; what an earlier texture does not show counts less."""
    if texture is not None:
        error = (textures.read(texture, uv) - colours).square().sum(3)
        weight = weight / (1 + error / ROBUST_SCALE)
    kept = _where_weighted(weight)
    splat.add(*(each.flatten(0, 2)[kept] for each in (colours, uv, weight)))


def _where_weighted(weight: Tensor) -> Tensor:
    """Return the numbers of the pixels with any ``weight`` [n, h, w]."""
    return weight.flatten().nonzero()[:, 0]
