"""A pixel shows the mean of the paint in it."""

import pytest
import torch

from engine.stylization.atlas import AT_ONCE, StylizedAtlas
from engine.stylization.shading import ShadingStatistics
from engine.stylization.texture import TextureAtlas, usual_step

STATISTICS = ShadingStatistics(1.0, 1.0)
SIDE = 32
EVERYWHERE = torch.ones(SIDE, SIDE, dtype=torch.bool)


class Counting(StylizedAtlas):
    """Paints uv itself; remembers how many points were asked for at a time."""

    form = "network"
    holds_light = True

    def __init__(self) -> None:
        super().__init__(STATISTICS)
        self.asked: list[int] = []

    def albedo(self, uv):
        self.asked.append(len(uv))
        return torch.cat([uv, uv[:, :1]], 1)


def positions(height: int, width: int) -> torch.Tensor:
    """uv [H, W, 2] of the middles of pixels that share the square evenly."""
    rows, columns = (torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width
    v, u = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([u, v], 2)


def board(texels: int) -> TextureAtlas:
    """Black and white squares of one texel each over uv [0, 1]^2."""
    squares = (torch.arange(texels)[:, None] + torch.arange(texels)) % 2
    picture = squares.float().expand(3, texels, texels)
    return TextureAtlas(STATISTICS, picture, torch.zeros(2), torch.ones(2))


def test_paint_that_is_finer_than_pixels_is_averaged_and_other_paint_is_not():
    uv = positions(SIDE, SIDE)
    inside = torch.zeros_like(EVERYWHERE)
    inside[8:24, 8:24] = True
    fine, exact = (board(texels).at_pixels(uv, inside) for texels in (4 * SIDE, SIDE))
    assert (fine - 0.5).abs().max() < 0.05
    assert set(exact.round(decimals=3).flatten().tolist()) == {0.0, 1.0}


def test_a_network_is_read_once_at_each_pixel_in_chunks():
    atlas, side = Counting(), 300
    uv = positions(side, side)
    found = atlas.at_pixels(uv, torch.ones(side, side, dtype=torch.bool))
    assert atlas.asked == [AT_ONCE, side**2 - AT_ONCE]
    assert torch.equal(found[:, :2], uv.reshape(-1, 2))


def test_the_usual_step_is_the_median_way_to_a_neighbour_in_u_and_in_v():
    uv = positions(20, 50)
    where = torch.ones(20, 50, dtype=torch.bool)
    assert usual_step(uv, where).tolist() == pytest.approx([1 / 50, 1 / 20], rel=1e-4)
    turned = uv.transpose(0, 1)
    assert usual_step(turned, where.T).tolist() == pytest.approx([1 / 50, 1 / 20], rel=1e-4)
    uv[5, 5] = 40.0  # a leap at one place is not usual
    assert usual_step(uv, where).tolist() == pytest.approx([1 / 50, 1 / 20], rel=1e-4)


def test_uv_that_leaps_beyond_the_object_is_not_read():
    uv, where = positions(SIDE, SIDE), EVERYWHERE.clone()
    where[:, SIDE // 2 :] = False
    wild = uv.clone()
    wild[:, SIDE // 2 :] += 100
    one, other = (board(2 * SIDE).at_pixels(each, where) for each in (uv, wild))
    assert torch.equal(one, other)


def test_an_object_of_one_pixel_or_none_has_a_colour_or_none():
    none = ~EVERYWHERE
    assert board(SIDE).at_pixels(positions(SIDE, SIDE), none).shape == (0, 3)
    one = none.clone()
    one[3, 4] = True
    assert usual_step(positions(SIDE, SIDE), one).tolist() == [0, 0]
    assert board(SIDE).at_pixels(positions(SIDE, SIDE), one).tolist() == [[1, 1, 1]]
