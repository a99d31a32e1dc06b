import pytest
import torch

from engine.stylization.basis import (
    BANDS,
    BENT,
    CELLS,
    COURSES,
    JOINTS,
    NAMES,
    TILE_FEATURES,
    ZONES,
    draw_names,
    draw_tile_paint,
    noise,
    tile_features,
)

NARROW = 0  # the column of the narrowest joints
HEART, RING = len(JOINTS), len(JOINTS) + 1


def names():
    return draw_names(torch.Generator().manual_seed(3))


def square(side: int, reach: float) -> torch.Tensor:
    line = torch.linspace(0.01, reach, side)
    down, across = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([across, down], 2).flatten(0, 1)


@pytest.mark.parametrize("tiling", [CELLS, COURSES, BANDS])
def test_tiles_say_the_same_of_a_place_every_time_and_are_bounded(tiling):
    places = square(40, 6.0) - 3.0
    found = tile_features(places, names(), tiling)
    assert found.shape == (1600, TILE_FEATURES) and found.abs().max() <= 2.5
    assert torch.equal(found, tile_features(places, names(), tiling))


def test_courses_are_twice_as_long_as_high_and_every_second_one_is_shifted_by_half():
    along_first = torch.tensor([[x, 0.5] for x in (0.0, 2.0, 4.0)])
    along_second = along_first + torch.tensor([1.0, 1.0])
    between = torch.tensor([[1.0, 0.5], [2.0, 1.5]])
    joint = [
        tile_features(each, names(), COURSES)[:, NARROW]
        for each in (along_first, along_second, between)
    ]
    assert joint[0].min() > 0.99 and joint[1].min() > 0.99 and joint[2].max() < -0.99


def test_all_of_a_cell_shares_its_numbers_and_another_cell_has_others():
    found = tile_features(square(80, 4.0), names(), CELLS)[:, -8:]
    different = torch.unique(found, dim=0)
    assert 12 <= len(different) <= 40  # 16 squares of a unit, and cells that reach in


def test_joints_lie_where_the_tile_changes():
    line = torch.stack([torch.linspace(0, 8, 4001), torch.full((4001,), 2.3)], 1)
    found = tile_features(line, names(), CELLS)
    changed = (found[1:, -8:] != found[:-1, -8:]).any(1)
    assert changed.sum() >= 4
    assert found[1:, NARROW][changed].min() > 0.9
    assert found[:, NARROW].median() < -0.5 and min(JOINTS) == JOINTS[NARROW]


def test_a_ring_lies_between_the_heart_of_a_cell_and_its_joints_and_is_broken_here_and_there():
    found = tile_features(square(120, 6.0), names(), CELLS)
    around = found[:, RING] > 0.5
    assert found[around, HEART].max() < 0.2 and found[around, NARROW].median() < -0.9
    assert 0.1 < around.float().mean() < 0.5
    bare = tile_features(square(120, 6.0), names() * torch.tensor([0.0] + 9 * [1.0]), CELLS)
    assert (bare[:, RING] > 0.5).sum() > 1.05 * around.sum()


def test_bands_bend_but_keep_their_direction_and_their_number():
    across = torch.stack([torch.full((2001,), 0.3), torch.linspace(0, 20, 2001)], 1)
    joints = tile_features(across, names(), BANDS, 0.0)[:, NARROW]
    crossed = ((joints[1:] > 0) & (joints[:-1] <= 0)).sum()
    assert 20 - 2 * BENT - 1 <= crossed <= 20 + 2 * BENT + 8
    turned = tile_features(across.flip(1), names(), BANDS, 0.5)[:, NARROW]
    assert ((turned[1:] > 0) & (turned[:-1] <= 0)).sum() > 15


def test_noise_is_smooth_and_comes_again_with_its_table():
    line = torch.stack([torch.linspace(-40, 40, 8001), torch.full((8001,), 1.7)], 1)
    found = noise(line, names()[..., 0])
    assert found.abs().max() <= 1 and found.std() > 0.2
    assert (found[1:] - found[:-1]).abs().max() < 0.05
    assert torch.allclose(
        found, noise(line + torch.tensor([32.0, 64.0]), names()[..., 0]), atol=1e-3
    )


def test_in_every_second_way_to_paint_each_colour_follows_one_or_two_features():
    drawn = draw_tile_paint(20, 4, torch.Generator().manual_seed(0))
    followed = (drawn[1::2] != 0).sum(2)
    assert drawn.shape == (20, 4, TILE_FEATURES)
    assert set(followed.flatten().tolist()) == {1, 2}


def test_in_the_other_ways_one_or_two_zones_have_a_colour_and_no_two_the_same():
    drawn = draw_tile_paint(40, 4, torch.Generator().manual_seed(0))[::2]
    zones = drawn[:, :, :ZONES]
    assert set(zones.unique().tolist()) == {0.0, 1.0}
    assert set(zones.sum((1, 2)).int().tolist()) == {1, 2}
    assert zones.sum(2).max() == 1 and zones.sum(1).max() == 1
    assert (drawn[:, :, ZONES:-NAMES] == 0).all()
