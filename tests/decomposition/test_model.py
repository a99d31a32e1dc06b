"""The networks have the published shapes, ranges and paths of the gradient."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.decomposition.model import (
    AlphaNetwork,
    AtlasNetwork,
    MappingNetwork,
    atlas_colours,
    fourier_features,
    seeded_networks,
)


@pytest.mark.parametrize(
    ("network", "count"),
    [
        (MappingNetwork(layers=6), 264_706),
        (MappingNetwork(layers=4), 133_122),
        (AlphaNetwork(), 402_945),
        (AtlasNetwork(), 416_379),
    ],
)
def test_networks_have_as_many_parameters_as_published(network: nn.Module, count: int) -> None:
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_fourier_features_are_sines_and_cosines_of_octaves() -> None:
    features = fourier_features(torch.tensor([[0.25, 0.5]]), 2)
    angles = torch.pi * torch.tensor([[0.25, 0.5, 0.5, 1.0]])
    torch.testing.assert_close(features, torch.cat([angles.sin(), angles.cos()], dim=1))


def test_outputs_stay_in_their_ranges_for_any_input() -> None:
    networks = seeded_networks(0, width=16)
    points = torch.randn(500, 3) * 100
    with torch.no_grad():
        for parameter in networks.parameters():
            parameter.mul_(20)
        uv, alpha = networks.foreground(points), networks.alpha(points)
        colours = networks.atlas(uv)
    assert uv.abs().max() <= 1
    assert alpha.min() >= 0.001 - 1e-6
    assert alpha.max() <= 0.991 + 1e-6
    assert colours.min() >= 0
    assert colours.max() <= 1


def _gradient_with_a_dead_first_layer(*, detached_skips: bool) -> torch.Tensor:
    torch.manual_seed(0)
    network = AtlasNetwork(width=16, detached_skips=detached_skips)
    with torch.no_grad():
        network.linears[0].weight.zero_()
    positions = torch.rand(20, 2, requires_grad=True)
    network(positions).sum().backward()
    assert positions.grad is not None
    return positions.grad


def test_colours_move_positions_through_the_first_layer_alone() -> None:
    assert _gradient_with_a_dead_first_layer(detached_skips=True).abs().max() == 0


def test_the_skips_can_be_attached() -> None:
    assert _gradient_with_a_dead_first_layer(detached_skips=False).abs().max() > 0


def test_detached_skips_leave_the_colours_as_they_are() -> None:
    detached = AtlasNetwork(width=16)
    attached = AtlasNetwork(width=16, detached_skips=False)
    attached.load_state_dict(detached.state_dict())
    positions = torch.rand(20, 2)
    assert torch.equal(detached(positions), attached(positions))


@pytest.mark.parametrize(
    "network",
    [
        AtlasNetwork(),
        AtlasNetwork(width=32, depth=5, frequencies=6, skips=(2,)),
        AtlasNetwork(width=8, depth=3, frequencies=4, skips=()),
    ],
)
def test_an_atlas_is_rebuilt_from_its_weights_alone(network: AtlasNetwork) -> None:
    rebuilt = AtlasNetwork.from_state(network.state_dict())
    positions = torch.rand(20, 2)
    assert rebuilt.skips == network.skips
    assert torch.equal(rebuilt(positions), network(positions))


def test_atlas_colours_are_the_foreground_quadrant_in_any_shape() -> None:
    network = AtlasNetwork(width=16)
    uv = torch.rand(2, 3, 4, 2)
    colours = atlas_colours(network, uv)
    torch.testing.assert_close(colours[1, 2, 3], network(uv[1, 2, 3:])[0])
    assert colours.shape == (2, 3, 4, 3)


def test_the_seed_alone_decides_the_first_weights() -> None:
    torch.manual_seed(1)
    first = seeded_networks(5, width=16).state_dict()
    expected = torch.rand(1)
    torch.manual_seed(1)
    second = seeded_networks(5, width=16).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(torch.rand(1), expected)
    other = seeded_networks(6, width=16).state_dict()
    assert not torch.equal(first["atlas.linears.0.weight"], other["atlas.linears.0.weight"])
