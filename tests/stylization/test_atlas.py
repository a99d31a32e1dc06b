import pytest
import torch

from engine.decomposition.model import AtlasNetwork
from engine.stylization.atlas import (
    AtlasFrame,
    NetworkAtlas,
    PaletteAtlas,
    load_atlas,
    save_atlas,
)
from engine.stylization.basis import BANDS, CELLS, COURSES, TILE_FEATURES, Pattern, tile_features
from engine.stylization.shading import ShadingStatistics

STATISTICS = ShadingStatistics(level=0.3, side=0.6)


def palette_atlas(seed: int = 0) -> PaletteAtlas:
    frame = AtlasFrame((0.4, 0.5), (2.0, 3.0))
    generator = torch.Generator().manual_seed(seed)
    return PaletteAtlas(frame, STATISTICS, colours=4, generator=generator)


def network_atlas() -> NetworkAtlas:
    return NetworkAtlas(AtlasNetwork(), STATISTICS, texel=(0.01, 0.02))


@pytest.mark.parametrize("make", [palette_atlas, network_atlas])
def test_a_saved_atlas_paints_the_same_when_loaded(make, tmp_path):
    atlas = make()
    uv, light = torch.rand(50, 2), torch.rand(50) + 0.5
    save_atlas(atlas, tmp_path / "new")
    again = load_atlas(tmp_path / "new")
    assert torch.equal(atlas.paint(uv, light), again.paint(uv, light))
    assert again.statistics == STATISTICS and type(again) is type(atlas)


def test_the_palette_is_lit_by_the_footage_and_stays_a_colour():
    atlas = palette_atlas()
    uv = torch.rand(50, 2)
    dim, full = (atlas.paint(uv, torch.full((50,), light)) for light in (0.4, 0.8))
    assert torch.allclose(dim, full / 2) and atlas.paint(uv, torch.full((50,), 9.0)).max() == 1


def test_the_network_carries_its_own_light():
    network = AtlasNetwork()
    atlas = NetworkAtlas(network, STATISTICS)
    uv = torch.rand(20, 2)
    assert torch.equal(atlas.paint(uv, torch.full((20,), 0.1)), network(uv))


def test_the_palette_varies_over_the_object_and_its_tone_is_bounded():
    mix = palette_atlas().mix(torch.rand(400, 2))
    assert mix.std(0).mean() > 0.1
    assert mix.sum(1).log().abs().max() <= 0.4 + 1e-5


def test_stripes_have_waves_across_them_and_hardly_any_along():
    atlas = palette_atlas()
    atlas.shape_pattern(Pattern(14.0, spread=0.2))
    across, along = atlas.frequencies.square().mean(1).sqrt().tolist()
    assert 8 < across < 16 and along < 4
    atlas.shape_pattern(Pattern(14.0, spread=0.2, turn=0.5))
    turned = atlas.frequencies.square().mean(1).sqrt().tolist()
    assert turned == pytest.approx([along, across], rel=1e-3)


def test_the_first_atlas_depends_on_the_seed_alone():
    uv = torch.rand(9, 2)
    torch.manual_seed(1)
    one = palette_atlas(5).mix(uv)
    torch.manual_seed(2)
    assert torch.equal(one, palette_atlas(5).mix(uv))
    assert not torch.equal(one, palette_atlas(6).mix(uv))


def test_a_glossy_colour_makes_more_of_the_light_and_a_dull_one_less():
    atlas = palette_atlas()
    uv, light = torch.rand(50, 2), torch.full((50,), 0.6)
    painted = []
    for gloss in (-3.0, 0.0, 3.0):
        with torch.no_grad():
            atlas.gloss.fill_(gloss)
        painted.append(atlas.paint(uv, light).mean())
    assert painted[0] > painted[1] > painted[2]
    assert torch.allclose(atlas.paint(uv, torch.ones(50)), atlas.albedo(uv)[:, :3], atol=0.02)


def test_a_lattice_has_waves_along_both_axes_and_no_others():
    atlas = palette_atlas()
    atlas.shape_pattern(Pattern(9.0, spread=0.03, crossed=True))
    across, down = atlas.frequencies.abs()
    flat = torch.minimum(across, down) / torch.maximum(across, down).clamp_min(1e-6)
    assert flat.max() < 0.06
    assert (across > down).sum() == (down > across).sum() == len(across) // 2


@pytest.mark.parametrize("tiling", [CELLS, COURSES, BANDS])
def test_tiles_can_choose_the_colours_and_are_kept_with_the_atlas(tiling, tmp_path):
    atlas = palette_atlas()
    atlas.shape_pattern(Pattern(9.0, tiling=tiling, tiles=3.0))
    uv = torch.rand(400, 2)
    plain = atlas.mix(uv)
    paint = torch.zeros(4, TILE_FEATURES)
    paint[0, 0] = 2.0  # the first colour where the narrowest joints are, no other one there
    atlas.set_tile_paint(paint)
    tiled = atlas.mix(uv)
    joints = tile_features(3.0 * atlas.places(uv), atlas.names, tiling)[:, 0] > 0.8
    assert 5 < joints.sum() < 200
    assert tiled[joints].argmax(1).eq(0).all() and not plain[joints].argmax(1).eq(0).all()
    save_atlas(atlas, tmp_path)
    assert torch.equal(
        load_atlas(tmp_path).paint(uv, torch.ones(400)), atlas.paint(uv, torch.ones(400))
    )


def test_sheen_throws_back_the_light_itself_in_highlights_only():
    atlas = palette_atlas()
    atlas.set_colours(torch.tensor([[0.3, 0.2, 0.0]] * 4))
    uv = torch.rand(50, 2)
    painted = []
    for sheen in (-9.0, 9.0):
        with torch.no_grad():
            atlas.sheen.fill_(sheen)
        painted.append([atlas.paint(uv, torch.full((50,), light)) for light in (0.8, 1.5)])
    (dim, bright), (dim_sheen, bright_sheen) = painted
    assert torch.allclose(dim, dim_sheen, atol=1e-4)
    assert (bright_sheen - bright)[:, 2].min() > 0.2


def test_the_darkest_colour_still_shows_the_light():
    atlas = palette_atlas()
    atlas.set_colours(torch.zeros(4, 3))
    uv = torch.rand(50, 2)
    dim, bright = (atlas.paint(uv, torch.full((50,), light)) for light in (0.5, 1.5))
    assert (bright - dim).mean() > 0.04 and atlas.colours().max() < 0.12
