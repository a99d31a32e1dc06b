"""One change of a layer's colours that lies in its atlas and so follows its surface.

Each texel holds an affine change of colour: how much of what is there is removed, and what is
added. Paint over a surface removes all and adds its colour, a picture that is multiplied removes
what it darkens, a graded atlas keeps the footage's detail; where nothing was changed both are 0
and the frames stay as they are, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor
from torch.nn import functional

from ..decomposition.layers import half_texel_grid
from ..stylization.texture import usual_step


@dataclass(frozen=True)
class AtlasEdit:
    """A change ``colour - removed * colour + added * light``.

    ``texels`` [6, h, w] are removed and added of red, green and blue; their upper left corner lies
    at ``corner`` in uv, and they are ``extent`` wide and high. ``stylized`` tells that the light is
    a stylized atlas's, not the `gain` of the footage's own.
    """

    texels: Tensor
    corner: tuple[float, float]
    extent: tuple[float, float]
    stylized: bool = False

    def apply(self, colours: Tensor, uv: Tensor, where: Tensor, light: Tensor) -> Tensor:
        """Return ``colours`` [N, 3] with the change, at the pixels of ``where`` bool [H, W].

        ``uv`` [H, W, 2] is where the pixels read the atlas, ``light`` [N, 3] what shines there.
        """
        removed, added = self.at(uv[where], usual_step(uv, where)).split(3, 1)
        return colours - removed * colours + added * light

    def at(self, uv: Tensor, step: Tensor) -> Tensor:
        """Return removed and added [N, 6] at ``uv`` [N, 2] for pixels that are ``step`` [2] apart.

        Where a pixel is larger than a texel it has the mean of the texels in it.
        """
        texels = self.texels.to(uv)
        extent = uv.new_tensor(self.extent)
        size = uv.new_tensor([texels.shape[2], texels.shape[1]])
        coarseness = float((step / extent * size).max())
        if coarseness > 1:
            smaller = [max(1, round(length / coarseness)) for length in texels.shape[1:]]
            texels = functional.interpolate(texels[None], smaller, mode="bilinear", antialias=True)[
                0
            ]
        grid = half_texel_grid((uv - uv.new_tensor(self.corner)) / extent)[None, None]
        read = functional.grid_sample(texels[None], grid, align_corners=False)
        return read[0, :, 0].T

    def crop(self) -> AtlasEdit:
        """Return the same change without the texels around it that hold none, but for a rim."""
        changed = (self.texels != 0).any(0)
        (top, bottom), (left, right) = (_span(changed.any(axis)) for axis in (1, 0))
        height, width = changed.shape
        texel = self.extent[0] / width, self.extent[1] / height
        texels = functional.pad(self.texels[:, top:bottom, left:right], (1, 1, 1, 1))
        return replace(
            self,
            texels=texels.contiguous(),
            corner=(self.corner[0] + (left - 1) * texel[0], self.corner[1] + (top - 1) * texel[1]),
            extent=(texels.shape[2] * texel[0], texels.shape[1] * texel[1]),
        )


def _span(occupied: Tensor) -> tuple[int, int]:
    """Return the first and one past the last true place; of nothing the first place."""
    places = occupied.nonzero()[:, 0]
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 1)
