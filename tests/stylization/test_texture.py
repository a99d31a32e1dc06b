"""A picture as the atlas: read where uv says, lit by the footage, natural while it learns."""

from dataclasses import replace

import pytest
import torch

from engine.contract.settings import ViewsSettings
from engine.stylization.canvas import AtlasFrame, cut_canvases
from engine.stylization.shading import ShadingStatistics
from engine.stylization.texture import (
    BAND,
    MOST,
    SHOULDER,
    LearnedTexture,
    TextureAtlas,
    initial_texture,
)

STATISTICS = ShadingStatistics(level=0.3, side=0.6)
CORNER, EXTENT = torch.tensor([0.2, 0.4]), torch.tensor([0.5, 0.25])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def learned(seed: int = 0, side: int = 32) -> LearnedTexture:
    return LearnedTexture(STATISTICS, CORNER, EXTENT, side=side, generator=seeded(seed))


def places(rows: torch.Tensor, columns: torch.Tensor, side: int) -> torch.Tensor:
    """uv [N, 2] of places in texels, counted from the picture's corner."""
    return CORNER + EXTENT * torch.stack([columns, rows], 1) / side


def test_a_place_has_the_colour_of_its_texel_and_mixes_between_two():
    picture = torch.rand(3, 5, 5, generator=seeded())
    atlas = TextureAtlas(STATISTICS, picture, CORNER, EXTENT)
    rows, columns = torch.tensor([0, 3, 4]), torch.tensor([0, 1, 4])
    found = atlas.albedo(places(rows + 0.5, columns + 0.5, 5))
    assert torch.allclose(found, picture[:, rows, columns].T, atol=1e-5)
    between = atlas.albedo(places(torch.tensor([2.5]), torch.tensor([2.0]), 5))
    assert torch.allclose(between[0], picture[:, 2, 1:3].mean(1), atol=1e-5)


def test_beyond_the_picture_its_edge_goes_on():
    picture = torch.rand(3, 4, 4, generator=seeded())
    atlas = TextureAtlas(STATISTICS, picture, CORNER, EXTENT)
    found = atlas.albedo(places(torch.tensor([-7.0, 9.0]), torch.tensor([-7.0, 9.0]), 4))
    assert torch.allclose(found, picture[:, [0, -1], [0, -1]].T)


def test_a_coarser_picture_is_the_mean_of_its_texels():
    board = (torch.arange(32)[:, None] + torch.arange(32)) % 2
    atlas = TextureAtlas(STATISTICS, board.float().expand(3, 32, 32), CORNER, EXTENT)
    uv = places(*(8 + torch.randint(16, (2, 50), generator=seeded()) + 0.5), 32)
    fine, coarse = atlas.albedo(uv, 0.3), atlas.albedo(uv, 4.0)
    assert set(fine.round(decimals=4).flatten().tolist()) == {0.0, 1.0}
    assert (coarse - 0.5).abs().max() < 0.05


def test_a_step_is_as_many_texels_as_its_longer_part():
    atlas = learned(side=40)
    assert atlas.texels(EXTENT / 40) == pytest.approx(1)
    assert atlas.texels(EXTENT / torch.tensor([10.0, 40.0])) == pytest.approx(4)


def test_light_dims_paint_and_white_keeps_its_relief():
    picture = torch.full((3, 4, 4), 0.9)
    atlas = TextureAtlas(STATISTICS, picture, CORNER, EXTENT)
    light = torch.tensor([0.1, 0.5, 1.0, 1.5, 2.0])
    rendered = atlas.render(CORNER.expand(5, 2), light)[:, 0]
    assert torch.allclose(rendered[:2], 0.9 * light[:2])
    assert rendered[2] > SHOULDER and (rendered.diff() > 0.003).all() and rendered[-1] < 1


def test_the_first_picture_is_nearly_grey_and_always_within_its_range():
    atlas = learned()
    picture = atlas.albedo_picture()
    assert picture.shape == (3, 32, 32)
    assert (picture - 0.5).abs().max() < 0.05 and picture.std() > 1e-4
    with torch.no_grad():
        atlas.waves.mul_(300)
    assert 0 < atlas.albedo_picture().min() < 0.2 and 0.8 < atlas.albedo_picture().max() < 1


def test_slopes_reach_waves_and_the_mean_colour_and_nothing_else():
    atlas = learned()
    atlas.albedo(places(*(torch.rand(2, 40, generator=seeded()) * 32), 32))[:, 0].sum().backward()
    assert atlas.waves.grad.abs().sum() > 0 and atlas.mean.grad[0] > 0
    assert {name for name, _ in atlas.named_parameters()} == {"waves", "mean"}


def test_long_waves_are_stronger_and_the_shortest_are_missing():
    atlas = learned(side=64)
    waves = torch.fft.rfft2(atlas.albedo_picture().detach().logit()).abs().mean(0)
    rows, columns = torch.fft.fftfreq(64)[:, None], torch.fft.rfftfreq(64)[None]
    frequency = (rows.square() + columns.square()).sqrt()
    strength = [
        float(waves[(frequency >= low) & (frequency < high)].mean())
        for low, high in ((0.02, 0.06), (0.06, 0.15), (0.15, 0.28), (BAND / 2 + 0.001, 1))
    ]
    assert strength[0] > 2 * strength[1] > 4 * strength[2] > 400 * strength[3]


def test_a_finished_texture_shows_the_same_and_learns_no_more():
    atlas, uv = learned(), CORNER + EXTENT * torch.rand(50, 2, generator=seeded())
    done = atlas.for_inference()
    assert type(done) is TextureAtlas and not list(done.parameters())
    assert torch.equal(done.albedo(uv), atlas.albedo(uv))
    assert set(done.state_dict()) == {"picture", "corner", "extent"}


def test_its_state_brings_the_picture_back_exactly():
    one, other = learned(1), learned(2)
    assert not torch.equal(one.albedo_picture(), other.albedo_picture())
    assert "picture" not in one.state_dict()  # it follows from the waves
    other.load_state_dict(one.state_dict())
    assert torch.equal(one.albedo_picture(), other.albedo_picture())


def test_the_seed_alone_decides_what_is_drawn():
    torch.manual_seed(1)
    one = learned(5).albedo_picture()
    torch.manual_seed(2)
    assert torch.equal(one, learned(5).albedo_picture())
    assert not torch.equal(one, learned(6).albedo_picture())


def test_another_candidate_begins_as_another_noise_of_the_same_colour():
    atlas = learned()
    first = {name: tensor.clone() for name, tensor in atlas.state_dict().items()}
    with torch.no_grad():
        atlas.mean.fill_(2.0)
    atlas.restart(first, seeded(7))
    assert atlas.mean.eq(0).all()
    assert torch.equal(atlas.waves, learned(7).waves) and not torch.equal(
        atlas.waves, first["waves"]
    )


def test_the_first_texture_is_square_on_the_object_and_covers_all_that_is_seen(make_disc):
    layers = make_disc()  # its atlas is twice as high as wide
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings())
    frame = canvases.atlas_frame
    atlas = initial_texture(layers, frame, STATISTICS, density=20, generator=seeded())
    units = atlas.extent * torch.tensor(frame.scale)
    assert float(units[0]) == pytest.approx(float(units[1]), rel=1e-4)
    assert atlas.picture.shape[1] / float(units[0]) == pytest.approx(20, rel=0.06)
    seen = layers.uv[layers.alpha > 0.05]
    assert (seen.amin(0) >= atlas.corner).all()
    assert (seen.amax(0) <= atlas.corner + atlas.extent).all()


def test_however_the_uv_are_stretched_the_texture_lies_the_same_on_the_object(make_disc):
    layers = make_disc()
    stretch = torch.tensor([3.0, 0.5])
    atlases = [
        initial_texture(
            replace(layers, uv=layers.uv * by),
            AtlasFrame((0.5, 0.5), (4.0 / float(by[0]), 2.0 / float(by[1]))),
            STATISTICS, density=24, generator=seeded(),
        )
        for by in (torch.ones(2), stretch)
    ]  # fmt: skip
    plain, stretched = (each.albedo(layers.uv[0, 20] * by) for each, by in
                        zip(atlases, (torch.ones(2), stretch), strict=True))  # fmt: skip
    assert torch.allclose(plain, stretched, atol=1e-5) and plain.std() > 1e-4


@pytest.mark.parametrize("density", [1e-3, 1e6])
def test_a_texture_has_some_texels_and_not_too_many(layers, density):
    frame = AtlasFrame((0.5, 0.5), (4.0, 2.0))
    atlas = initial_texture(layers, frame, STATISTICS, density=density, generator=seeded())
    assert 2 <= atlas.picture.shape[1] <= MOST


def test_an_object_that_is_nowhere_seen_still_has_a_place(layers):
    frame = AtlasFrame((0.5, 0.5), (4.0, 2.0))
    empty = replace(layers, alpha=torch.zeros_like(layers.alpha))
    atlas = initial_texture(empty, frame, STATISTICS, density=8, generator=seeded())
    assert (atlas.extent > 0).all()
