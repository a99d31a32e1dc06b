"""A picture as the stylized atlas: the form that any tool can read and edit.

In training it is a sum of waves. Natural pictures have most of their contrast in long waves,
and their colours change together: a spectrum whose step size falls with the frequency, without its
shortest waves, along the axes in which the colours of photographs vary, gives natural structure
where single texels give noise (Olah et al., Feature Visualization, 2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..checkpoint import on_device
from ..contract.settings import StylizationSettings
from ..contract.words.concepts import Colour
from ..decomposition.layers import Layers
from ..partial_results import UNSAVED, PartialResults
from .atlas import StylizedAtlas
from .canvas import AtlasFrame, Canvases, density
from .shading import ShadingStatistics

# How red, green and blue (rows), before the sigmoid, change along the three axes in which the
# colours of 464 of the encoder's photographs vary, each as long as its deviation beside the first.
COLOUR_AXES = ((0.54, 0.28, 0.08), (0.56, 0.02, -0.15), (0.63, -0.27, 0.07))
POWER = 1.2  # by which a wave's step size falls with its frequency
BAND = 0.6  # of the frequencies that the texels could carry
CONTRAST = 0.01  # of the first picture, which is grey
SHOULDER = 0.7  # brightness from which lit colours approach white without reaching it
MOST = 1024  # texels along a side
HALVINGS = 3  # at most, of a picture for views from far
WARM_UP = 8  # steps until the learning rate is whole
DARKEST = 0.04  # that a channel may begin with
LEVELS = (0.15, 0.5, 0.85)  # of red, green and blue that a texture may begin with
MEAN_RATE = 0.3  # learning rate of the mean colour, in that of the waves
SEEN = 0.05  # alpha from which on a pixel belongs to what the picture must reach
ROOM = 1.02  # of the square around all visible places


class TextureAtlas(StylizedAtlas):
    """A picture of albedo, lit by the footage's shading.

    ``picture`` [3, S, S] has channels in [0, 1]; its corner lies at ``corner`` [2] in uv, and it
    is ``extent`` [2] wide and high.
    """

    form = "texture"

    def __init__(
        self, statistics: ShadingStatistics, picture: Tensor, corner: Tensor, extent: Tensor
    ) -> None:
        super().__init__(statistics)
        assert picture.ndim == 3 and len(picture) == 3, f"picture {tuple(picture.shape)}"
        self.picture: Tensor
        self.corner: Tensor
        self.extent: Tensor
        self.register_buffer("picture", picture)
        self.register_buffer("corner", corner)
        self.register_buffer("extent", extent)

    def albedo(self, uv: Tensor, coarseness: float = 1.0) -> Tensor:
        """Return the albedo [N, 3] at ``uv`` [N, 2], the picture made coarser by that factor."""
        picture = self.albedo_picture()
        if coarseness > 1:
            side = max(1, round(picture.shape[1] / coarseness))
            picture = functional.interpolate(
                picture[None], (side, side), mode="bilinear", antialias=True
            )[0]
        grid = ((uv - self.corner) / self.extent * 2 - 1)[None, None]
        found = functional.grid_sample(
            picture[None], grid, padding_mode="border", align_corners=False
        )
        return found[0, :, 0].T

    def at_pixels(self, uv: Tensor, where: Tensor) -> Tensor:
        """Return the albedo [N, 3] at the pixels of ``where``, made as coarse as they are on it.

        Stripes and tiles have edges that single samples turn into stairs, which crawl as the
        object moves: a pixel has the mean of the albedo in it.
        """
        return self.albedo(uv[where], self.texels(usual_step(uv, where)))

    @classmethod
    def from_files(
        cls, facts: dict[str, Any], tensors: dict[str, Tensor], statistics: ShadingStatistics
    ) -> TextureAtlas:
        """Return the atlas of which files hold ``facts`` and ``tensors``."""
        return TextureAtlas(statistics, **tensors)

    def albedo_picture(self) -> Tensor:
        """Return the picture [3, S, S]."""
        return self.picture

    def pyramid(self) -> list[TextureAtlas]:
        """Return the atlas as it is, halved once, twice and so on up to `HALVINGS` times."""
        pictures = [self.albedo_picture()]
        for _ in range(HALVINGS):
            pictures.append(functional.avg_pool2d(pictures[-1], 2))
        place = self.corner, self.extent
        return [TextureAtlas(self.statistics, picture, *place) for picture in pictures]

    def texels(self, step: Tensor) -> float:
        """Return how many texels a ``step`` [2] in uv is, along the axis where it is more."""
        return float((step / self.extent).max()) * self.picture.shape[1]

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return ``albedo`` [N, 3] times ``shading`` [N], which near white approaches it."""
        lit = albedo * shading[:, None]
        over = lit - SHOULDER
        room = 1 - SHOULDER
        return torch.where(over > 0, SHOULDER + room * torch.tanh(over / room), lit)

    def for_inference(self) -> TextureAtlas:
        """Return the atlas as it is saved and rendered, without the parameters of the training."""
        picture = self.albedo_picture().detach()
        return TextureAtlas(self.statistics, picture, self.corner, self.extent)


class LearnedTexture(TextureAtlas):
    """A `TextureAtlas` that moves: its parameters are the waves that its picture is the sum of."""

    betas: ClassVar = (0.9, 0.99)

    def __init__(
        self,
        statistics: ShadingStatistics,
        corner: Tensor,
        extent: Tensor,
        *,
        side: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__(statistics, torch.zeros(3, side, side), corner, extent)
        # Only its size is of use: what it shows follows from the waves.
        self.register_buffer("picture", self.picture, persistent=False)
        rows, columns = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None]
        frequency = (rows.square() + columns.square()).sqrt()  # in waves for each texel
        passed = ((BAND / 2 - frequency) * side / 8).clamp(0, 1)  # a soft end of the band
        scale = passed / frequency.clamp_min(1 / side) ** POWER
        self.scale: Tensor
        self.axes: Tensor
        self.register_buffer("scale", scale / scale.square().mean().sqrt(), persistent=False)
        self.register_buffer("axes", torch.tensor(COLOUR_AXES), persistent=False)
        self.waves = nn.Parameter(torch.zeros(3, *frequency.shape, 2))
        self.mean = nn.Parameter(torch.zeros(3))  # colour, before the sigmoid
        self.draw(generator)

    @classmethod
    def initial(
        cls,
        layers: Layers,
        canvases: Canvases,
        settings: StylizationSettings,
        *,
        size: int,
        generator: torch.Generator,
    ) -> LearnedTexture:
        """Return a grey picture, to train on views of ``size`` pixels, see `initial_texture`."""
        return initial_texture(
            layers, canvases.atlas_frame, canvases.statistics,
            density=density(size, settings), generator=generator,
        )  # fmt: skip

    @torch.no_grad()
    def begin_with(self, colour: Colour) -> None:
        """Begin as ``colour``, short of black and white, from which hardly a gradient leads away.

        Networks answer to a hue and, more weakly, to its opposite: from grey, gold may end in blue.
        """
        self.mean.copy_(torch.logit(self.mean.new_tensor(colour).clamp(DARKEST, 1 - DARKEST)))

    @torch.no_grad()
    def choose_initial_colour(
        self, loss: Callable[[], Tensor], partial: PartialResults = UNSAVED
    ) -> None:
        """Begin as that of 27 even colours with the least ``loss`` of the atlas as it is."""
        colours = torch.tensor(list(product(LEVELS, repeat=3)), device=self.mean.device)  # [27, 3]

        def losses(first: int) -> Iterator[list[Tensor]]:
            for colour in colours[first:]:
                self.mean.copy_(torch.logit(colour))
                yield [loss()]

        found = [
            on_device(value, self.mean.device)
            for (value,) in partial.each("initial colour", losses)
        ]
        self.mean.copy_(torch.logit(colours[torch.stack(found).argmin()]))

    def rates(self, rate: float) -> list[tuple[Sequence[nn.Parameter], float]]:
        """Return the waves and the mean colour, and how fast they move."""
        return [([self.waves], rate), ([self.mean], MEAN_RATE * rate)]

    @staticmethod
    def rate_factor(step: int, settings: StylizationSettings) -> float:
        """Return a short warm-up, and a linear decay to 0 in the second half."""
        return min(1.0, (step + 1) / WARM_UP, 2 * (1 - step / settings.steps))

    def restart(self, first: dict[str, Tensor], generator: torch.Generator) -> None:
        """Begin again as another noise."""
        super().restart(first, generator)
        self.draw(generator)

    @torch.no_grad()
    def draw(self, generator: torch.Generator) -> None:
        """Begin as faint noise, on the CPU drawn, whatever the device."""
        drawn = torch.randn(self.waves.shape, generator=generator)
        self.waves.copy_(CONTRAST * drawn)

    def albedo_picture(self) -> Tensor:
        """Return the sum of the waves as a picture [3, S, S] in (0, 1)."""
        waves = torch.view_as_complex(self.waves) * self.scale
        plain = torch.fft.irfft2(waves, s=self.picture.shape[1:], norm="ortho")
        return torch.sigmoid(
            torch.einsum("ij,jhw->ihw", self.axes, plain) + self.mean[:, None, None]
        )


def initial_texture(
    layers: Layers,
    frame: AtlasFrame,
    statistics: ShadingStatistics,
    *,
    density: float,
    generator: torch.Generator,
) -> LearnedTexture:
    """Return a grey picture over all that ``layers`` show of the object.

    It is square in units of ``frame``, however the decomposition stretched the object, with
    ``density`` texels in a unit.
    """
    used = layers.uv[layers.alpha > SEEN]
    used = used if len(used) else layers.uv.reshape(-1, 2)
    scale = used.new_tensor(frame.scale)
    low, high = used.amin(0), used.amax(0)
    reach = ROOM * float(((high - low) * scale).max())
    part = 2**HALVINGS  # so that each level of the pyramid has whole texels
    side = part * math.ceil(reach * density / part)
    extent = side / density / scale
    side = min(MOST, side)
    return LearnedTexture(
        statistics, (low + high - extent) / 2, extent, side=side, generator=generator
    )


def usual_step(uv: Tensor, where: Tensor) -> Tensor:
    """Return how far [2] in u and in v a pixel of ``where`` usually is from the next."""
    right = (uv[:, 1:] - uv[:, :-1])[where[:, 1:] & where[:, :-1]]
    down = (uv[1:] - uv[:-1])[where[1:] & where[:-1]]
    if not len(right) or not len(down):
        return uv.new_zeros(2)
    return torch.stack([right.abs().median(0).values, down.abs().median(0).values]).amax(0)
