"""Where the pixels of the frames read the two atlases: knots and frames made into uv."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .chunks import chunks, of_frames
from .crop import Crop
from .matches import NONE, Matches
from .relaxation import Relaxation
from .splines import Lattice, field

ATLAS_MARGIN = 0.03
STRAY = 0.25  # sides of the atlas, by which pixels may lie beyond most and still be within
ROOM = 2.0  # crop px around the object that the refinement may take
# In frames, along each side and in all.
LARGEST_PANORAMA = 6.0
MOST_TEXELS = 6.0


@dataclass(frozen=True)
class Foreground:
    """The object's mapping: window of each frame, knots, and the atlas's place around it.

    With the tracks that it was registered by, in crop px.
    """

    crop: Crop
    lattice: Lattice
    knots: Tensor  # [T, rows, columns, 2], crop px
    origin: Tensor  # [2], crop px of the atlas's upper left corner
    extent: float  # crop px of the atlas's side
    relaxation: Relaxation | None = None
    tracks: Matches = NONE

    def place(self, frames: Sequence[int], rows: Tensor, columns: Tensor) -> Tensor:
        """Return where pixels lie in the reference frame's window, relaxed, [n, h, w, 2].

        ``rows`` [n, h] and ``columns`` [n, w] are crop positions of the pixels in ``frames``.
        """
        rows, columns = rows.to(self.knots), columns.to(self.knots)
        across, down = self.lattice.basis_x(columns), self.lattice.basis_y(rows)
        shift = field(of_frames(self.knots, frames), across, down)
        shape = shift.shape[:3]
        still = torch.stack([columns[:, None].expand(shape), rows[:, :, None].expand(shape)], 3)
        place = still + shift
        return place if self.relaxation is None else self.relaxation(place)

    def uv(self, frames: Sequence[int], rows: Tensor, columns: Tensor) -> Tensor:
        """Like `place`, in the atlas's unit square; pixels beyond it stay at its edge."""
        place = self.place(frames, rows, columns)
        return ((place - self.origin) / self.extent).clamp(0, 1)

    def to(self, device: torch.device) -> Foreground:
        """Return the mapping with its tensors on ``device``."""
        relaxation = self.relaxation.to(device) if self.relaxation else None
        knots, origin = self.knots.to(device), self.origin.to(device)
        return replace(self, knots=knots, origin=origin, relaxation=relaxation)


def around(mapping: Foreground, alphas: Tensor, corners: list[tuple[int, int]]) -> Foreground:
    """Return ``mapping`` with the atlas laid around all that is seen with alpha over 0.05.

    ``alphas`` [T, h, w] in boxes whose upper left pixels are ``corners`` (row, column).
    """
    seen, solid = [], []
    for frames in chunks(len(alphas), alphas[0].numel(), alphas.device):
        alpha = of_frames(alphas, frames)
        place = mapping.place(
            frames, *box_positions(mapping.crop, frames, corners, alpha.shape[1:])
        )
        seen.append(place[alpha > 0.05])
        solid.append(place[alpha > 0.5])
    places, core = torch.cat(seen), torch.cat(solid)
    if len(places) == 0:
        return mapping
    # A few stray pixels must not make the object small in its atlas.
    most = np.quantile(places.cpu().numpy(), (0.0005, 0.9995), axis=0)
    low, high = torch.from_numpy(most).to(places)
    side = float((high - low).max())
    # Beyond the atlas the mapping is flat: what the object shows must not lie there.
    core = core if len(core) else places
    first = torch.maximum(core.amin(0), low - STRAY * side) - ROOM
    last = torch.minimum(core.amax(0), high + STRAY * side) + ROOM
    extent = max(side * (1 + 2 * ATLAS_MARGIN) + 2, float((last - first).max()))
    origin = torch.maximum(torch.minimum((low + high - extent) / 2, first), last - extent)
    return replace(mapping, origin=origin, extent=extent)


def box_positions(
    crop: Crop,
    frames: Sequence[int],
    corners: Sequence[tuple[int, int]] | Mapping[int, tuple[int, int]],
    size: tuple[int, ...],
) -> tuple[Tensor, Tensor]:
    """Return the crop positions of the rows [n, h] and columns [n, w] of boxes of ``size``.

    ``corners`` of a frame are the row and the column of its box's upper left pixel.
    """
    rows = [crop.rows(frame, corners[frame][0], size[0]) for frame in frames]
    columns = [crop.columns(frame, corners[frame][1], size[1]) for frame in frames]
    return torch.from_numpy(np.stack(rows)).float(), torch.from_numpy(np.stack(columns)).float()


@dataclass(frozen=True)
class Background:
    """The background's mapping: a homography and knots for each frame, and the panorama.

    Its pixels are those in which the background was matched, ``shrunk`` of them to a frame pixel.
    """

    homographies: Tensor  # [T, 3, 3], px to px of the reference frame
    lattice: Lattice
    knots: Tensor  # [T, rows, columns, 2], reference px
    shrunk: Tensor  # [2]
    origin: Tensor  # [2], reference px of the panorama's upper left corner
    extent: Tensor  # [2], reference px of its sides

    def uv(self, frames: Sequence[int], height: int, width: int) -> Tensor:
        """Return where all pixels of ``frames`` read the panorama, [n, H, W, 2] in [0, 1]."""
        return ((self.place(frames, height, width) - self.origin) / self.extent).clamp(0, 1)

    def place(self, frames: Sequence[int], height: int, width: int) -> Tensor:
        """Return where all pixels lie in the reference frame, [n, H, W, 2]."""
        x, y = (
            (torch.arange(side, device=self.knots.device) + 0.5) * shrunk - 0.5
            for side, shrunk in zip((width, height), self.shrunk, strict=True)
        )
        points = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], 2)
        across = self.lattice.basis_x(x).expand(len(frames), -1, -1)
        down = self.lattice.basis_y(y).expand(len(frames), -1, -1)
        still = apply_homographies(of_frames(self.homographies, frames), points.reshape(1, -1, 2))
        shift = field(of_frames(self.knots, frames), across, down)
        return still.reshape(-1, height, width, 2) + shift

    def texels(self) -> tuple[int, int]:
        """Return the panorama's rows and columns, at most one texel to a frame pixel."""
        frames = self.extent / self.extent.new_tensor([self.lattice.width, self.lattice.height])
        density = min(1.0, float(MOST_TEXELS / frames.prod()) ** 0.5)
        width, height = (self.extent / self.shrunk * density).ceil().int().tolist()
        return height, width

    def to(self, device: torch.device) -> Background:
        """Return the mapping with its tensors on ``device``."""
        names = ("homographies", "knots", "shrunk", "origin", "extent")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


def apply_homographies(homographies: Tensor, points: Tensor) -> Tensor:
    """Apply ``homographies`` [n, 3, 3] to ``points`` [n or 1, N, 2]; returns [n, N, 2]."""
    turned = points @ homographies[:, :, :2].mT + homographies[:, None, :, 2]
    return turned[..., :2] / turned[..., 2:].clamp(min=1e-3)


def panorama(mapping: Background, height: int, width: int) -> Background:
    """Return ``mapping`` with the panorama laid around all frames, within reason."""
    low, high = (mapping.origin.new_full((2,), sign * torch.inf) for sign in (1, -1))
    for frames in chunks(len(mapping.knots), height * width, mapping.knots.device):
        places = mapping.place(frames, height, width).reshape(-1, 2)
        low, high = torch.minimum(low, places.amin(0)), torch.maximum(high, places.amax(0))
    size = mapping.shrunk.new_tensor([width, height]) * mapping.shrunk
    low = torch.maximum(low, size / 2 - size * LARGEST_PANORAMA / 2)
    high = torch.minimum(high, size / 2 + size * LARGEST_PANORAMA / 2)
    return replace(mapping, origin=low - 0.5, extent=high - low + 1)
