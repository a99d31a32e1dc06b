"""The paper's form of the stylized atlas: the decomposition's colour network, finetuned.

Where the decomposition gives a picture, a network is fitted to that first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint as recomputed

from ..checkpoint import Checkpoint
from ..contract.events import Stopped
from ..contract.settings import StylizationSettings
from ..decomposition.layers import Layers, sample_atlas
from ..decomposition.model import AtlasNetwork
from ..device import at_once
from .atlas import Counting, StylizedAtlas
from .canvas import AtlasFrame, Canvas, Canvases, density, resize
from .rendering import AtlasSampler
from .shading import ShadingStatistics
from .texels import Texels

WINDOW = 0.57  # texels, deviation of the window through which waves are seen
HELD = 131_072  # points whose activations in the colour network are held at a time
FITTED = 100  # steps of the fit that take as long as one with CLIP
POINTS = 8192  # of each step of the fit
LEARNING_RATE = 1e-3
LAST_RATE = 0.05  # part of the learning rate that is left at the end
SEEN = 0.1  # coverage below which a texel is not fitted


class NetworkAtlas(StylizedAtlas):
    """The paper's form: light and paint together in one coordinate network.

    Of its waves those count less that are short beside ``texel`` [2] (uv, across and down): the
    network learns at places that far apart, and what shorter waves do between them shows only
    after the end. 0: all count, as in the paper.
    """

    form = "network"
    holds_light = True

    def __init__(
        self,
        network: AtlasNetwork,
        statistics: ShadingStatistics,
        texel: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        super().__init__(statistics)
        self.network = network
        self.texel = texel
        self.shares: Tensor
        shares = wave_shares(network.frequencies, texel).to(next(network.parameters()))
        self.register_buffer("shares", shares, persistent=False)

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the network's colours; the foreground's quadrant is [0, 1]^2 itself."""
        return self.albedo_of(self.features(uv))

    def features(self, uv: Tensor) -> Tensor:
        """Return the network's input features [N, F] of ``uv`` [N, 2]."""
        return self.network.features(uv) * self.shares

    def albedo_of(self, features: Tensor) -> Tensor:
        """Return the colours [N, 3] where the features are these.

        The network's activations take 10 kB for each point. Of very many points they are computed
        again on the way back.
        """
        if len(features) <= at_once(HELD):
            return self.network.colours(features)
        chunks = [
            recomputed(self.network.colours, some, use_reentrant=False, preserve_rng_state=False)
            for some in features.split(at_once(HELD))
        ]
        return torch.cat(chunks)

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return ``albedo``: it carries the light already."""
        return albedo

    def sampler(self, canvases: Canvases, size: int, settings: StylizationSettings) -> AtlasSampler:
        """Return the network read through texels; in the paper's form every pixel on its own."""
        if settings.views.native_size:
            return self
        every = range(len(canvases.canvases))
        scaled = (resize(canvases, place, size, settings) for place in every)
        fine = density(size, settings)
        return NetworkTexels(self, canvases.atlas_frame, scaled, density=fine)

    @staticmethod
    def steps_ahead(settings: StylizationSettings) -> int:
        """Return how many steps the fit takes as long as."""
        return int(settings.distillation_steps / FITTED)

    @classmethod
    def initial(
        cls,
        layers: Layers,
        canvases: Canvases,
        settings: StylizationSettings,
        *,
        size: int,
        generator: torch.Generator,
    ) -> NetworkAtlas:
        """Return a network to learn from views of ``size`` pixels, see `initial_network`."""
        native = settings.views.native_size
        texel = (0.0, 0.0) if native else canvases.atlas_frame.texel(density(size, settings))
        return cls(initial_network(layers, generator), canvases.statistics, texel)

    def prepare(
        self,
        layers: Layers,
        settings: StylizationSettings,
        *,
        generator: torch.Generator,
        counting: Counting,
        checkpoint: Checkpoint,
    ) -> None:
        """Fit the network to the decomposition's colours, see `fit`."""
        # In the paper's form a network of the decomposition is taken as it is.
        if layers.atlas_network is None or not settings.views.native_size:
            fit(
                self, layers, steps=settings.distillation_steps, generator=generator,
                count=counting(1 / FITTED), checkpoint=checkpoint,
            )  # fmt: skip

    @classmethod
    def from_files(
        cls, facts: dict[str, Any], tensors: dict[str, Tensor], statistics: ShadingStatistics
    ) -> NetworkAtlas:
        """Return the atlas of which files hold ``facts`` and ``tensors``."""
        inner = {name.removeprefix("network."): tensor for name, tensor in tensors.items()}
        texel = tuple(facts.get("texel", (0.0, 0.0)))  # older files have none
        return cls(AtlasNetwork.from_state(inner), statistics, texel)

    def facts(self) -> dict[str, Any]:
        """Return what `load_atlas` must know beside the weights."""
        return {**super().facts(), "texel": self.texel}


class NetworkTexels:
    """A network atlas sampled at texels, whose input features are computed once.

    ``frame`` is where the object lies in it.
    """

    def __init__(
        self, atlas: NetworkAtlas, frame: AtlasFrame, canvases: Iterable[Canvas], *, density: float
    ) -> None:
        self.atlas = atlas
        some = next(atlas.parameters())
        centre, scale = some.new_tensor(frame.centre), some.new_tensor(frame.scale)
        self.texels = Texels(centre, scale, canvases, density)
        self._features = atlas.features(self.texels.places / scale + centre)  # [M, F]

    def albedo(self, uv: Tensor) -> Tensor:
        """Return the colours [N, 3] at ``uv`` [N, 2]."""
        return self.texels.read(self.atlas.albedo_of(self._features), uv)

    def lit(self, albedo: Tensor, shading: Tensor) -> Tensor:
        """Return ``albedo``: it carries the light already."""
        return self.atlas.lit(albedo, shading)


def wave_shares(frequencies: int, texel: tuple[float, float]) -> Tensor:
    """Return how much each of `fourier_features` of uv counts where it is read every ``texel``.

    As much as is left of the wave in a Gaussian window (integrated positional encoding, Barron
    et al. 2021, eq. 14): .90, .67 and .20 of waves of 8, 4 and 2 texels, next to nothing of 1.
    """
    octaves = math.pi * 2.0 ** torch.arange(frequencies)  # radians per uv
    widths = WINDOW * octaves[:, None] * torch.tensor(texel)
    return torch.exp(-widths.square() / 2).flatten().repeat(2)


def initial_network(layers: Layers, generator: torch.Generator) -> AtlasNetwork:
    """Return a copy of the decomposition's colour network, else one with random weights."""
    if layers.atlas_network is not None:
        return AtlasNetwork.from_state(layers.atlas_network)
    return _seeded_network(generator)


def fit(
    atlas: NetworkAtlas,
    layers: Layers,
    *,
    steps: int,
    generator: torch.Generator,
    count: Callable[[int], None] = lambda steps: None,
    checkpoint: Checkpoint,
) -> None:
    """Fit ``atlas`` to the colours of the foreground's atlas, as fine as its texels.

    ``count`` is called after each of ``steps`` steps. Goes on from ``checkpoint`` where it holds
    the state of a fit; a Stopped of ``count`` is raised after saving one.
    """
    device = layers.atlas.device
    places = _seen_places(layers)
    optimiser = torch.optim.Adam(atlas.parameters(), LEARNING_RATE)
    falling = torch.optim.lr_scheduler.ExponentialLR(optimiser, LAST_RATE ** (1 / max(steps, 1)))
    first = 0

    def save(step: int) -> None:
        parts = {"atlas": atlas, "optimiser": optimiser, "falling": falling}
        state = {name: part.state_dict() for name, part in parts.items()}
        checkpoint.save({"fit": {**state, "generator": generator.get_state(), "step": step}})

    if saved := (checkpoint.load() or {}).get("fit"):
        first = int(saved["step"])
        atlas.load_state_dict(saved["atlas"])
        optimiser.load_state_dict(saved["optimiser"])
        falling.load_state_dict(saved["falling"])
        generator.set_state(saved["generator"])
        count(first)
    for step in range(first, steps):
        uv = _points(places, layers.atlas.shape[0], generator).to(device)
        loss = (atlas.albedo(uv) - sample_atlas(layers.atlas, uv)).square().sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        falling.step()
        try:
            count(1)
        except Stopped:
            save(step + 1)
            raise
        if checkpoint.due():
            save(step + 1)


def _seeded_network(generator: torch.Generator) -> AtlasNetwork:
    """Return a network with random weights that depend on our generator alone."""
    network = AtlasNetwork()
    with torch.no_grad():
        for parameter in network.parameters():
            fan_in = parameter.shape[-1]
            bound = (6 / fan_in) ** 0.5 if parameter.dim() == 2 else 0.0
            drawn = torch.rand(parameter.shape, generator=generator)
            parameter.copy_((2 * drawn - 1) * bound)
    return network


def _seen_places(layers: Layers) -> Tensor:
    """Columns and rows [N, 2] of the texels that some frame sees."""
    places = (layers.coverage > SEEN).nonzero().flip(1).cpu()
    return places if len(places) else torch.ones_like(layers.coverage).nonzero().flip(1).cpu()


def _points(places: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Random uv [N, 2], each within one of ``places``."""
    chosen = torch.randint(len(places), (POINTS,), generator=generator)
    return (places[chosen] + torch.rand(POINTS, 2, generator=generator)) / side
