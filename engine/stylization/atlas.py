"""The stylized atlas: where a pixel reads and how the footage lights it, to the pixel's colour.

Two forms behind one interface: in `network` the paper's, the decomposition's colour network,
finetuned; in `texture` a picture times the footage's light.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..checkpoint import Checkpoint
from ..contract.settings import StylizationSettings
from ..contract.words.concepts import Colour
from ..decomposition.layers import Layers
from ..device import at_once
from ..partial_results import UNSAVED, PartialResults
from .canvas import Canvases
from .rendering import AtlasSampler
from .shading import ShadingStatistics

AT_ONCE = 65_536  # pixels rendered in one call

Counting = Callable[[float], Callable[[int], None]]


class StylizedAtlas(nn.Module):
    """What both forms share; ``statistics`` are for `shading`, at any size of the footage.

    ``holds_light`` says that the colours have the footage's shading and blur already; else they
    are albedo, which is lit, and blurred where the footage is.
    """

    form = ""
    holds_light = False
    betas: ClassVar = (0.9, 0.999)  # of Adam

    def __init__(self, statistics: ShadingStatistics) -> None:
        super().__init__()
        self.statistics = statistics

    def render(self, uv: Tensor, shading: Tensor) -> Tensor:
        """Return the colours [N, 3] in [0, 1] at ``uv`` [N, 2], lit by ``shading`` [N]."""
        return self.lit(self.albedo(uv), shading)

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the colours at ``uv`` [N, 2] before the light, [N, 3]."""
        raise NotImplementedError

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return the colours [N, 3] of ``albedo`` under ``shading`` [N]."""
        raise NotImplementedError

    def at_pixels(self, uv: Tensor, where: Tensor) -> Tensor:
        """Return the albedo [N, 3] at the pixels of ``where`` bool [H, W] that read at ``uv``.

        ``uv`` is [H, W, 2]. Each pixel is sampled once: a form that is fitted to the footage has
        its blur.
        """
        return torch.cat([self.albedo(chunk) for chunk in uv[where].split(at_once(AT_ONCE))])

    def sampler(self, canvases: Canvases, size: int, settings: StylizationSettings) -> AtlasSampler:
        """Return the sampler of ``canvases`` in training, for views of ``size`` pixels."""
        return self

    def rates(self, rate: float) -> list[tuple[Sequence[nn.Parameter], float]]:
        """Return all that may move, and how fast, where ``rate`` is the learning rate."""
        return [(list(self.parameters()), rate)]

    def optimiser(self, settings: StylizationSettings) -> torch.optim.Adam:
        """Return Adam over all that may move: the atlas, nothing else."""
        rate = settings.learning_rate
        fused = next(self.parameters()).device.type == "cuda" or None
        groups = [{"params": some, "base": part, "lr": part} for some, part in self.rates(rate)]
        return torch.optim.Adam(groups, lr=rate, betas=self.betas, fused=fused)

    @staticmethod
    def rate_factor(step: int, settings: StylizationSettings) -> float:
        """Return the part of the learning rate that counts in ``step``: the paper's stairs."""
        return settings.decay ** (step // settings.decay_every)

    @staticmethod
    def steps_ahead(settings: StylizationSettings) -> int:
        """Return how many steps the work before the first one takes as long as."""
        return 0

    def prepare(
        self,
        layers: Layers,
        settings: StylizationSettings,
        *,
        generator: torch.Generator,
        counting: Counting,
        checkpoint: Checkpoint,
    ) -> None:
        """Do what comes before the first step, if anything; goes on from ``checkpoint``.

        ``counting`` gives, for steps that are as long as a part of one, a callback for the number
        of them that are done. Raises Stopped.
        """

    def begin_with(self, colour: Colour) -> None:
        """Begin as ``colour``, RGB in [0, 1], if the atlas is free to begin anywhere."""

    def choose_initial_colour(
        self, loss: Callable[[], Tensor], partial: PartialResults = UNSAVED
    ) -> None:
        """Begin as the colour with the least ``loss`` of the atlas as it is, if it is free.

        Losses that are in ``partial`` are not computed again.
        """

    def restart(self, first: dict[str, Tensor], generator: torch.Generator) -> None:
        """Begin again at the state ``first``, as another candidate."""
        self.load_state_dict(first)

    def for_inference(self) -> StylizedAtlas:
        """Return the atlas as it is saved and rendered, without the parameters of the training."""
        return self

    def facts(self) -> dict[str, Any]:
        """Return what `load_atlas` must know beside the weights."""
        return {"form": self.form, "statistics": asdict(self.statistics)}
