"""The finished layers, and the pictures that are shown on the way."""

from __future__ import annotations

import numpy as np
import torch
from numpy import ndarray as Array
from torch import Tensor

from ..layers import Layers
from . import model, textures
from .chunks import of_frames
from .model import Model
from .scene import Scene

SEEN = 0.05


@torch.no_grad()
def layers(learned: Model, scene: Scene) -> Layers:
    """Render every frame's layers at the working size, on the CPU."""
    count, height, width = scene.frames.shape[:3]
    uv = torch.empty(count, height, width, 2)
    alphas = torch.empty(count, height, width)
    front = torch.empty(count, height, width, 3, dtype=torch.half)
    behind = torch.empty_like(front)
    seen = coverage(learned, scene)
    atlas = _complete(model.atlas(learned), seen).clamp(0, 1)
    for frames in scene.by_frame():
        part = slice(frames.start, frames.stop)
        places = scene.foreground.uv(frames, *scene.whole(frames))
        whole = places.new_zeros(places.shape[:3])
        alpha = model.alpha(scene, of_frames(learned.logits, frames), frames)
        for number, frame in enumerate(frames):
            scene.in_box(places[number], frame).copy_(scene.uv[frame])
            scene.in_box(whole[number], frame).copy_(alpha[number])
        uv[part], alphas[part] = places, whole
        front[part] = _lit(learned, scene, atlas, places, frames)
        behind[part] = model.background(learned, scene, frames).permute(1, 2, 3, 0).clamp(0, 1)
    return Layers(
        uv=uv,
        alpha=alphas,
        foreground=front,
        background=behind,
        atlas=atlas.permute(1, 2, 0).cpu(),
        coverage=seen.cpu(),
        atlas_background=learned.panorama.permute(1, 2, 0).clamp(0, 1).cpu(),
        uv_background=scene.uv_background.cpu(),
    )


def _lit(learned: Model, scene: Scene, atlas: Tensor, uv: Tensor, frames: range) -> Tensor:
    """Return the atlas as whole frames read it at ``uv``, with their gain, [n, H, W, 3]."""
    changes = textures.each(model.pages(learned, frames), uv).permute(1, 2, 3, 0)
    gain = model.frame_gain(learned, scene, frames)
    return (textures.read(atlas, uv) * gain + changes).clamp(0, 1)


@torch.no_grad()
def coverage(learned: Model, scene: Scene) -> Tensor:
    """Return the greatest alpha of each texel over all frames, [S, S]."""
    size = learned.atlas.shape[1]
    seen = torch.zeros(size, size, device=learned.atlas.device)
    for frames in scene.by_box():
        uv = of_frames(scene.uv, frames)
        alphas = model.alpha(scene, of_frames(learned.logits, frames), frames)
        finer = textures.fineness(uv, alphas, size)
        for times in sorted(set(finer)):
            alike = [number for number, each in enumerate(finer) if each == times]
            textures.cover(of_frames(uv, alike), of_frames(alphas, alike), times, seen)
    return seen


def _complete(atlas: Tensor, seen: Tensor) -> Tensor:
    """Fill texels that no frame shows by a smooth continuation of the others."""
    weight = (seen > SEEN).float()[None, None]
    return textures.push_pull(atlas[None] * weight, weight)[0]


@torch.no_grad()
def reconstruction_picture(learned: Model, scene: Scene) -> Array:
    """Return the middle frame as the layers explain it, uint8 [H, W, 3]."""
    frames = [len(scene.frames) // 2]
    alphas = model.alpha(scene, learned.logits[frames[0]][None], frames)
    front = model.foreground(learned, scene, frames)
    behind = model.background(learned, scene, frames)
    return _picture(model.blend(scene, front, behind, alphas, frames)[:, 0].permute(1, 2, 0))


@torch.no_grad()
def atlas_picture(learned: Model, seen: Tensor) -> Array:
    """Return the object's atlas, white where ``seen`` [S, S] is 0, uint8 [S, S, 3]."""
    seen = seen[..., None]
    return _picture(model.atlas(learned).permute(1, 2, 0) * seen + 1 - seen)


def _picture(colours: Tensor) -> Array:
    return (colours.clamp(0, 1) * 255 + 0.5).to(torch.uint8).cpu().numpy().astype(np.uint8)
