import pytest
import torch

from engine.decomposition.model import AtlasNetwork
from engine.stylization.canvas import AtlasFrame
from engine.stylization.network import NetworkAtlas, wave_shares
from engine.stylization.shading import ShadingStatistics

STATISTICS = ShadingStatistics(level=0.3, side=0.6)


def test_the_network_carries_its_own_light():
    network = AtlasNetwork()
    atlas = NetworkAtlas(network, STATISTICS)
    uv = torch.rand(20, 2)
    assert torch.equal(atlas.render(uv, torch.full((20,), 0.1)), network(uv))


def test_waves_that_are_short_beside_a_texel_count_less():
    shares = wave_shares(4, (1 / 8, 0.0)).reshape(2, 4, 2)  # sine and cosine, octave, axis
    across = shares[0, :, 0].tolist()  # of waves of 16, 8, 4 and 2 texels
    assert across[1:] == pytest.approx([0.90, 0.67, 0.20], abs=0.01)
    assert torch.equal(shares[0], shares[1]) and shares[..., 1].eq(1).all()


def test_texels_lie_closer_where_the_object_is_stretched_less():
    across, down = AtlasFrame((0.5, 0.5), (2.0, 4.0)).texel(50)
    assert (across, down) == (0.01, 0.005)
