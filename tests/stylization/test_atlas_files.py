"""Atlases of both forms come back from files as they were rendered."""

import json

import pytest
import torch

from engine.decomposition.model import AtlasNetwork
from engine.stylization.atlas_files import FACTS_FILE, WEIGHTS_FILE, load_atlas, save_atlas
from engine.stylization.network import NetworkAtlas
from engine.stylization.shading import ShadingStatistics
from engine.stylization.texture import LearnedTexture, TextureAtlas

STATISTICS = ShadingStatistics(level=0.3, side=0.6)


def network() -> NetworkAtlas:
    inner = AtlasNetwork(width=16, depth=3, frequencies=3, skips=(1,))
    return NetworkAtlas(inner, STATISTICS, texel=(0.01, 0.02))


def texture() -> LearnedTexture:
    corner, extent = torch.tensor([0.1, 0.2]), torch.tensor([0.8, 0.5])
    generator = torch.Generator().manual_seed(0)
    return LearnedTexture(STATISTICS, corner, extent, side=20, generator=generator)


@pytest.mark.parametrize(("make", "kind"), [(network, NetworkAtlas), (texture, TextureAtlas)])
def test_a_saved_atlas_paints_the_same_when_loaded(make, kind, tmp_path):
    atlas = make()
    uv, light = torch.rand(50, 2), torch.rand(50) + 0.5
    save_atlas(atlas, tmp_path / "new")
    again = load_atlas(tmp_path / "new")
    assert torch.equal(atlas.render(uv, light), again.render(uv, light))
    assert type(again) is kind and again.statistics == STATISTICS


def test_a_loaded_atlas_does_not_follow_what_becomes_of_its_file(tmp_path):
    for make in (network, texture):
        save_atlas(make(), tmp_path)
        loaded, path = load_atlas(tmp_path), tmp_path / WEIGHTS_FILE
        before = {name: tensor.clone() for name, tensor in loaded.state_dict().items()}
        path.write_bytes(bytes(path.stat().st_size))
        assert all(torch.equal(before[name], now) for name, now in loaded.state_dict().items())


def test_a_loaded_atlas_is_saved_as_the_same_files(tmp_path):
    for make in (network, texture):
        save_atlas(make(), tmp_path / "once")
        save_atlas(load_atlas(tmp_path / "once"), tmp_path / "twice")
        for path in (tmp_path / "once").iterdir():
            assert path.read_bytes() == (tmp_path / "twice" / path.name).read_bytes()


def test_a_network_saved_before_texels_were_told_counts_all_waves(tmp_path):
    save_atlas(network(), tmp_path)
    facts = json.loads((tmp_path / FACTS_FILE).read_text(encoding="utf-8"))
    del facts["texel"]
    (tmp_path / FACTS_FILE).write_text(json.dumps(facts), encoding="utf-8")
    assert load_atlas(tmp_path).shares.eq(1).all()
