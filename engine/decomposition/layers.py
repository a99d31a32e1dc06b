"""What a decomposition gives, whichever engine made it: one value for stylization and render.

All pictures are at the working size, colours in [0, 1].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

FILE_NAME = "layers.safetensors"
NETWORK_PREFIX = "atlas_network."


@dataclass(frozen=True)
class Layers:
    """A video as a foreground over a background, each read from its atlas.

    ``uv`` is where a pixel reads the foreground's atlas: (u, v) in [0, 1], u to the right and v
    down, the centre of texel (column i, row j) at ((i + 0.5) / S, (j + 0.5) / S).
    ``foreground`` and ``background`` are the two atlases as the frames see them, so that
    ``alpha * foreground + (1 - alpha) * background`` reconstructs the video. Engines give these
    two in half precision: colours do not need more, and they are half of what footage takes.
    ``coverage`` is the greatest alpha of a texel over all frames. ``uv_background`` is
    where a pixel reads the background's atlas, likewise in [0, 1] of its width and height.
    ``atlas_network`` are the weights of the colour network, where the engine has one.
    """

    uv: Tensor  # [T, H, W, 2]
    alpha: Tensor  # [T, H, W]
    foreground: Tensor  # [T, H, W, 3]
    background: Tensor  # [T, H, W, 3]
    atlas: Tensor  # [S, S, 3]
    coverage: Tensor  # [S, S]
    atlas_background: Tensor  # [P, Q, 3]
    uv_background: Tensor  # [T, H, W, 2]
    atlas_network: dict[str, Tensor] | None = None

    def __post_init__(self) -> None:
        frames, height, width = self.alpha.shape
        channels_of = {"uv": 2, "uv_background": 2, "foreground": 3, "background": 3}
        for name, channels in channels_of.items():
            shape = tuple(getattr(self, name).shape)
            assert shape == (frames, height, width, channels), f"{name} {shape}"
        assert self.coverage.shape == self.atlas.shape[:2], f"coverage {self.coverage.shape}"

    def tensors(self) -> dict[str, Tensor]:
        """Return all by its name, but for the network."""
        names = [item.name for item in fields(self) if item.name != "atlas_network"]
        return {name: getattr(self, name) for name in names}

    def reconstruction(self) -> Tensor:
        """Return the video as the layers explain it, [T, H, W, 3]."""
        return torch.stack(list(reconstruct([self])))

    def frame(self, index: int) -> Tensor:
        """Return one frame of it, [H, W, 3]."""
        alpha, behind = self.alpha[index][..., None], self.background[index].float()
        return behind + alpha * (self.foreground[index].float() - behind)


def reconstruct(layers: Sequence[Layers]) -> Iterator[Tensor]:
    """Yield the frames [H, W, 3] as the layers of all objects explain them together."""
    for index in range(len(layers[0].alpha)):
        behind = layers[0].background[index].float()
        frame = behind.clone()
        for each in layers:
            frame += each.alpha[index][..., None] * (each.foreground[index].float() - behind)
        yield frame


@torch.no_grad()
def reconstruct_without_gain(layers: Sequence[Layers]) -> Iterator[Tensor]:
    """Yield the frames [H, W, 3] as the atlases alone explain them, without their own light.

    Where a network has the colours there is no gain, and nothing is left out.
    """
    if any(each.atlas_network is not None for each in layers):
        yield from reconstruct(layers)
        return
    first = layers[0]
    for index in range(len(first.alpha)):
        behind = sample_atlas(first.atlas_background, first.uv_background[index])
        frame = behind.clone()
        for each in layers:
            front = sample_atlas(each.atlas, each.uv[index])
            frame += each.alpha[index][..., None] * (front - behind)
        yield frame


def save_layers(layers: Layers, folder: Path) -> None:
    """Write ``layers`` into ``folder``."""
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in layers.tensors().items()
    }
    for name, tensor in (layers.atlas_network or {}).items():
        tensors[NETWORK_PREFIX + name] = tensor.detach().cpu().contiguous()
    save_file(tensors, folder / FILE_NAME)


def load_layers(folder: Path) -> Layers:
    """Read what `save_layers` wrote."""
    tensors = load_file(folder / FILE_NAME)
    network = {
        name.removeprefix(NETWORK_PREFIX): tensors.pop(name)
        for name in [name for name in tensors if name.startswith(NETWORK_PREFIX)]
    }
    return Layers(**tensors, atlas_network=network or None)


def of_background(layers: Sequence[Layers], *, is_bare: bool) -> Layers:
    """Return the background behind all objects as if it were a foreground of its own.

    ``layers`` are those of all objects, from front to back, or where ``is_bare`` the only one, in
    which no object is. The atlas is made square by room at its right or lower edge.
    """
    first = layers[0]
    rows, columns = first.atlas_background.shape[:2]
    side = max(rows, columns)
    room = (0, 0, 0, side - columns, 0, side - rows)
    alpha = torch.ones_like(first.alpha)
    for each in () if is_bare else layers:
        alpha = alpha - each.alpha
    alpha = alpha.clamp(0, 1)
    uv = first.uv_background * torch.tensor([columns / side, rows / side])
    coverage = torch.zeros(side, side)
    for frame in range(len(alpha)):
        seen = alpha[frame] > 0.5
        texels = (uv[frame][seen] * side).long().clamp(0, side - 1)
        coverage[texels[:, 1], texels[:, 0]] = 1
    # Texels between the pixels of a picture that is coarser than the atlas are seen, too.
    coverage = functional.max_pool2d(coverage[None, None], 3, 1, 1)[0, 0]
    return replace(
        first,
        uv=uv,
        alpha=alpha,
        foreground=first.background,
        atlas=functional.pad(first.atlas_background, room),
        coverage=coverage,
        atlas_network=None,
    )


def of_one_frame(layers: Layers, index: int, frame: Tensor) -> Layers:
    """Return the layers of frame ``index`` on its own: its atlas is ``frame`` [H, W, 3] itself."""
    height, width = frame.shape[:2]
    side = max(height, width)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    uv = (torch.stack([columns, rows], 2) + 0.5) / side
    room = (0, side - width, 0, side - height)
    return replace(
        layers,
        uv=uv[None],
        alpha=layers.alpha[index][None],
        foreground=frame[None],
        background=layers.background[index : index + 1],
        atlas=functional.pad(frame, (0, 0, *room)),
        coverage=functional.pad(layers.alpha[index], room),
        uv_background=uv[None],
        atlas_network=None,
    )


def half_texel_grid(uv: Tensor) -> Tensor:
    """Turn uv in [0, 1] into the grid of `grid_sample` with ``align_corners=False``."""
    return uv * 2 - 1


def sample_atlas(atlas: Tensor, uv: Tensor) -> Tensor:
    """Read ``atlas`` [S, S, C] bilinearly at ``uv`` [..., 2]; returns [..., C]."""
    picture = atlas.permute(2, 0, 1)[None]
    grid = half_texel_grid(uv.reshape(1, 1, -1, 2))
    read = functional.grid_sample(
        picture, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return read[0, :, 0].T.reshape(*uv.shape[:-1], atlas.shape[2])
