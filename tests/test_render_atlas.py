"""Frames out of the atlases alone (TDS, sec. 3.2): nothing of the footage is in them."""

import numpy as np
import pytest
import torch

from engine.contract.settings import RenderSettings, preset
from engine.decomposition.layers import Layers, of_background
from engine.decomposition.model import AtlasNetwork
from engine.render import Part, full_alpha, resize, stylized_frames
from engine.stylization.network import NetworkAtlas
from engine.stylization.shading import ShadingStatistics

HEIGHT, WIDTH = 16, 24
SIZE = (2 * HEIGHT, 2 * WIDTH)  # the footage's
ATLAS = RenderSettings(composite="atlas")


def layers_of(seed, first):
    """Two frames with an object of six columns from ``first`` on, soft at its left edge."""
    generator = torch.Generator().manual_seed(seed)
    alpha = torch.zeros(2, HEIGHT, WIDTH)
    alpha[:, 4:12, first : first + 6] = 1
    alpha[:, 4:12, first] = 0.5
    uv = torch.rand(2, 2, HEIGHT, WIDTH, 2, generator=generator)
    colours = torch.rand(2, 2, HEIGHT, WIDTH, 3, generator=generator).half()
    return Layers(
        uv[0], alpha, *colours, torch.zeros(8, 8, 3), torch.zeros(8, 8),
        torch.zeros(8, 8, 3), uv[1],
    )  # fmt: skip


def network_atlas(seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = AtlasNetwork(width=16, depth=3, frequencies=3, skips=())
    return NetworkAtlas(network, ShadingStatistics(0.5, 0.3))


def footage(seed):
    return np.random.default_rng(seed).integers(0, 256, (2, *SIZE, 3), dtype=np.uint8)


def rendered(source, parts, settings=ATLAS):
    frames = stylized_frames(source, parts, settings, device=torch.device("cpu"))
    return np.stack(list(frames)).astype(int)


def blended(behind, alpha, colours):
    return behind + alpha[..., None] * (colours - behind)


@torch.no_grad()
def painted(atlas, layers, index):
    uv = resize(layers.uv[index], SIZE)
    return atlas.albedo(uv.reshape(-1, 2)).reshape(*SIZE, 3)


def test_the_papers_frame_is_the_stylized_atlas_over_the_backgrounds():
    settings = preset("paper").render
    layers, atlas = layers_of(1, 3), network_atlas(2)
    found = rendered(footage(0), [Part(layers, atlas)], settings)
    for index in range(2):
        alpha = full_alpha(layers.alpha[index], SIZE)
        behind = resize(layers.background[index].float(), SIZE)
        expected = blended(behind, alpha, painted(atlas, layers, index)) * 255
        assert np.abs(found[index] - expected.numpy()).max() <= 0.51


def test_two_objects_one_as_it_is_and_a_restyled_background():
    near, far = layers_of(1, 3), layers_of(2, 7)  # they overlap
    far_paint, behind_paint = network_atlas(3), network_atlas(4)
    background = of_background([near, far], is_bare=False)
    parts = [Part(near, None), Part(far, far_paint), Part(background, behind_paint, True)]
    found = rendered(footage(0), parts)
    assert np.array_equal(found, rendered(footage(1), parts))
    for index in range(2):
        first = full_alpha(near.alpha[index], SIZE)
        second = torch.minimum(full_alpha(far.alpha[index], SIZE), 1 - first)
        assert (first.gt(0) & second.gt(0)).any()
        expected = (
            first[..., None] * resize(near.foreground[index].float(), SIZE)
            + second[..., None] * painted(far_paint, far, index)
            + (1 - first - second)[..., None] * painted(behind_paint, background, index)
        )
        assert np.abs(found[index] - 255 * expected.numpy()).max() <= 0.51


def test_a_bare_background_is_the_whole_frame():
    bare = layers_of(1, 3)
    bare.alpha.zero_()
    background, paint = of_background([bare], is_bare=True), network_atlas(3)
    found = rendered(footage(0), [Part(background, paint, True)])
    expected = painted(paint, background, 0) * 255
    assert np.abs(found[0] - expected.numpy()).max() <= 0.51


def test_without_strength_the_layers_are_as_they_reconstruct_the_footage():
    layers = layers_of(1, 3)
    parts = [Part(layers, network_atlas(2))]
    found = rendered(footage(0), parts, RenderSettings(composite="atlas", strength=0.0))
    alpha = full_alpha(layers.alpha[0], SIZE)
    behind, own = (resize(each[0].float(), SIZE) for each in (layers.background, layers.foreground))
    assert np.abs(found[0] - 255 * blended(behind, alpha, own).numpy()).max() <= 0.51


def test_the_footages_alpha_stays_and_deep_footage_stays_deep():
    opacity = np.random.default_rng(5).integers(0, 65536, (2, *SIZE, 1)).astype(np.uint16)
    source = np.concatenate([footage(0).astype(np.uint16) * 257, opacity], axis=3)
    parts = [Part(layers_of(1, 3), network_atlas(2))]
    found = rendered(source, parts)
    assert np.array_equal(found[..., 3:], opacity)
    assert np.abs(found[..., :3] / 257 - rendered(footage(0), parts)).max() <= 0.51


@pytest.mark.parametrize("composite", ["blend", "residual"])
def test_the_other_blends_keep_the_footage_outside(composite):
    source, layers = footage(0), layers_of(1, 3)
    found = rendered(source, [Part(layers, network_atlas(2))], RenderSettings(composite=composite))
    outside = full_alpha(layers.alpha[0], SIZE).numpy() == 0
    assert np.array_equal(found[0][outside], source[0][outside])


def test_the_object_alone_has_no_background_of_either_kind():
    parts = [Part(layers_of(1, 3), network_atlas(2)), Part(layers_of(2, 12), None)]
    alone = [
        rendered(footage(0), parts, RenderSettings(composite=each, foreground_only=True))
        for each in ("atlas", "blend")
    ]
    assert np.array_equal(*alone)
    assert alone[0][0, :, 30:, 3].max() == 0 and alone[0][..., 3].max() == 255
