import pytest
import torch

from engine.stylization.basis import (
    CELLS,
    COURSES,
    JOINTS,
    TILE_FEATURES,
    draw_names,
    draw_tile_paint,
    tile_features,
)

NARROW = 0  # the column of the narrowest joints


def names():
    return draw_names(torch.Generator().manual_seed(3))


def square(side: int, reach: float) -> torch.Tensor:
    line = torch.linspace(0.01, reach, side)
    down, across = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([across, down], 2).flatten(0, 1)


@pytest.mark.parametrize("tiling", [CELLS, COURSES])
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


def test_each_colour_follows_one_or_two_features_of_tiles():
    drawn = draw_tile_paint(20, 4, torch.Generator().manual_seed(0))
    followed = (drawn != 0).sum(2)
    assert drawn.shape == (20, 4, TILE_FEATURES)
    assert set(followed.flatten().tolist()) == {1, 2}
