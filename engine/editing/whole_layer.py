"""Changes of a whole layer, without a picture: its colours, its sharpness, or what is behind it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..decomposition.layers import Layers, sample_atlas
from ..stylization.shading import FLOOR, gaussian_blur

LUMINANCE = (0.2126, 0.7152, 0.0722)  # of linear Rec. 709
LEAST_KNOWN = 0.5  # coverage from which on a texel of the background was seen
GAIN_BLUR = 0.02  # of the frame's longer side: light changes slowly, what is finer is no light
GAIN_PRIOR = 1e-3  # how much no change weighs where the layer is not
GAIN_RANGE = 0.2, 5.0
GROWN = 2  # px of the layers that a removed object is taken larger: its rim shows on both sides


@dataclass(frozen=True)
class Grade:
    """Colours times ``factor`` (red, green, blue), as colourful as ``saturation`` says; in light.

    The layer's rest and detail are graded with it: nothing else is changed.
    """

    factor: tuple[float, ...]
    saturation: float

    def apply(self, colours: Tensor, uv: Tensor, where: Tensor, light: Tensor) -> Tensor:
        """Return ``colours`` [N, 3], display codes, with the change; the rest does not matter."""
        linear = to_light(colours) * colours.new_tensor(self.factor)
        grey = (linear * colours.new_tensor(LUMINANCE)).sum(1, keepdim=True)
        return to_codes(grey + (linear - grey) * self.saturation)


@dataclass(frozen=True)
class LayerBlur:
    """A Gaussian blur of ``radius`` px of the footage within the layer: nothing runs into it."""

    radius: float

    def apply(self, colours: Tensor, uv: Tensor, where: Tensor, light: Tensor) -> Tensor:
        """Return ``colours`` [N, 3] at the pixels of ``where`` bool [H, W], blurred."""
        stacked = torch.zeros(4, *where.shape).to(colours)
        stacked[:3, where], stacked[3, where] = colours.T, 1.0
        blurred = gaussian_blur(stacked, self.radius, repeat_edges=True)[:, where]
        return (blurred[:3] / blurred[3:].clamp_min(1e-6)).T


@dataclass(frozen=True)
class Fill:
    """What is behind an object: the background as other frames show it, under this frame's light.

    ``behind`` are the background's layers; texels that no frame shows are filled from around them.
    """

    behind: Layers
    atlas: Tensor

    @classmethod
    def of(cls, behind: Layers) -> Fill:
        """Return the fill for what `decomposition.layers.of_background` gives."""
        known = (behind.coverage > LEAST_KNOWN).to(behind.atlas)
        return cls(behind, fill_unknown(behind.atlas, known))

    def colours(self, index: int) -> Tensor:
        """Return the whole background of a frame, [h, w, 3] at the working size."""
        return (
            sample_atlas(self.atlas, self.behind.uv[index]) * measure_gain(self.behind, index)
        ).clamp(0, 1)


def grow_alpha(alpha: Tensor) -> Tensor:
    """Return the alpha [h, w] of an object that is to be covered with all of its rim."""
    side = 2 * GROWN + 1
    return functional.max_pool2d(alpha[None, None], side, 1, GROWN)[0, 0]


def fill_unknown(picture: Tensor, known: Tensor) -> Tensor:
    """Return ``picture`` [h, w, 3], where ``known`` [h, w] is 0 what lies around.

    Push and pull: means of known pixels in pictures of half the size again and again, enlarged.
    """
    weighted = torch.cat([picture * known[..., None], known[..., None]], 2).permute(2, 0, 1)
    return _pull(weighted)[:3].permute(1, 2, 0)


def _pull(weighted: Tensor) -> Tensor:
    """Return colours and weight, [4, h, w], with colours everywhere and a weight of 1."""
    colours = weighted[:3] / weighted[3:].clamp_min(1e-6)
    share = weighted[3:].clamp(0, 1)
    if min(weighted.shape[1:]) <= 1 or bool((share == 1).all()):
        return torch.cat([colours, torch.ones_like(share)])
    height, width = weighted.shape[1:]
    smaller = functional.interpolate(
        weighted[None], ((height + 1) // 2, (width + 1) // 2), mode="area"
    )[0]
    strong = smaller / smaller[3:].clamp_min(1e-6) * (smaller[3:] > 0)  # one known pixel suffices
    below = functional.interpolate(
        _pull(strong)[None], (height, width), mode="bilinear", align_corners=False
    )[0]
    whole = share * colours + (1 - share) * below[:3]
    return torch.cat([whole, torch.ones_like(share)])


def to_light(codes: Tensor) -> Tensor:
    """Return sRGB display codes in [0, 1] as linear light."""
    codes = codes.clamp(0, 1)
    return torch.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055).pow(2.4))


def to_codes(light: Tensor) -> Tensor:
    """Return linear light as sRGB display codes, clipped to [0, 1]."""
    light = light.clamp(0, 1)
    high = 1.055 * light.clamp_min(1e-6).pow(1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, light * 12.92, high)


@torch.no_grad()
def measure_gain(layers: Layers, index: int) -> Tensor:
    """Return what the atlas's colours are multiplied by in a frame, [H, W, 3].

    It is the blurred ratio of the layer's colours, light and changes over time included, to
    what the atlas itself has there, at the working size.
    """
    weight = layers.alpha[index][..., None] + GAIN_PRIOR  # [H, W, 1]
    shown = layers.foreground[index].float() + FLOOR
    own = sample_atlas(layers.atlas, layers.uv[index]) + FLOOR
    sigma = GAIN_BLUR * max(weight.shape)
    stacked = torch.cat([shown * weight, own * weight], 2).permute(2, 0, 1)
    above, below = gaussian_blur(stacked, sigma, repeat_edges=True).permute(1, 2, 0).split(3, 2)
    return (above / below).clamp(*GAIN_RANGE)
