"""The colour network that a stylization starts from, fitted to the foreground's atlas."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..decomposition.layers import Layers, sample_atlas
from ..decomposition.model import AtlasNetwork
from .atlas import NetworkAtlas

POINTS = 8192
LEARNING_RATE = 1e-3
LAST_RATE = 0.05  # part of the learning rate that is left at the end
SEEN = 0.1  # coverage below which a texel teaches nothing


def first_network(layers: Layers, generator: torch.Generator) -> AtlasNetwork:
    """Return the decomposition's colour network as a copy, or one that knows nothing yet."""
    if layers.atlas_network is not None:
        return AtlasNetwork.from_state(layers.atlas_network)
    return _started(generator)


def fit(
    atlas: NetworkAtlas,
    layers: Layers,
    *,
    steps: int,
    generator: torch.Generator,
    count: Callable[[int], None] = lambda steps: None,
) -> None:
    """Teach ``atlas`` the colours of the foreground's atlas, as fine as its texels.

    ``count`` hears of every one of ``steps`` steps.
    """
    device = layers.atlas.device
    places = _seen_places(layers)
    optimiser = torch.optim.Adam(atlas.parameters(), LEARNING_RATE)
    falling = torch.optim.lr_scheduler.ExponentialLR(optimiser, LAST_RATE ** (1 / max(steps, 1)))
    for _ in range(steps):
        uv = _points(places, layers.atlas.shape[0], generator).to(device)
        loss = (atlas.albedo(uv) - sample_atlas(layers.atlas, uv)).square().sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        falling.step()
        count(1)


def _started(generator: torch.Generator) -> AtlasNetwork:
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
