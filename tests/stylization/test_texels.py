"""A colour network read through texels shows what it shows itself."""

import torch

from engine.contract.settings import ViewsSettings
from engine.decomposition.model import AtlasNetwork
from engine.stylization.canvas import cut_canvases
from engine.stylization.network import NetworkAtlas, NetworkTexels
from engine.stylization.rendering import CanvasBatch


def test_waves_shorter_than_texels_do_not_hide_between_them(make_disc):
    layers = make_disc(frames=3)
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings())
    uv = CanvasBatch.of(canvases.canvases[1:2]).points[:2].T
    missed = []
    for texel in ((0.0, 0.0), canvases.atlas_frame.texel(24)):
        torch.manual_seed(0)
        atlas = NetworkAtlas(AtlasNetwork(), canvases.statistics, texel)
        with torch.no_grad():
            for linear in atlas.network.linears:
                linear.weight *= 2  # as bold as after some steps
            texels = NetworkTexels(atlas, canvases.atlas_frame, canvases.canvases, density=24)
            exact = atlas.albedo(uv)
            missed.append(float((texels.albedo(uv) - exact).std() / exact.std()))
    assert missed[0] > 0.6 and missed[1] < 0.25


def test_a_network_read_through_texels_is_nearly_the_network_itself(make_disc):
    layers = make_disc(frames=3)
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings())
    torch.manual_seed(0)
    atlas = NetworkAtlas(AtlasNetwork(frequencies=4), canvases.statistics)
    texels = NetworkTexels(atlas, canvases.atlas_frame, canvases.canvases, density=100)
    uv = CanvasBatch.of(canvases.canvases[1:2]).points[:2].T
    read, exact = texels.albedo(uv), atlas.albedo(uv)
    assert (read - exact).abs().max() < 0.1 * exact.std()
    # Slopes reach the weights, too, and point the same way.
    slopes = [
        torch.autograd.grad(colours.square().mean(), atlas.network.linears[2].weight)[0].flatten()
        for colours in (read, exact)
    ]
    assert torch.nn.functional.cosine_similarity(*slopes, dim=0) > 0.99
