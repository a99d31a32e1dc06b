"""A pixel shows the mean of the paint in it, found where it matters only."""

import pytest
import torch

from engine.stylization.antialiasing import CONTRAST, pixel_albedo
from engine.stylization.atlas import StylizedAtlas
from engine.stylization.shading import ShadingStatistics

SIDE = 48
SLOPE = 0.37  # rows a column by which the edge falls


class HalfPainted(StylizedAtlas):
    """Black above a slanted line, ``white`` below it; counts the points that were read."""

    form = "palette"

    def __init__(self, white: float = 1.0) -> None:
        super().__init__(ShadingStatistics(1.0, 1.0))
        self.white, self.points = white, 0

    def albedo(self, uv):
        self.points += len(uv)
        below = uv[:, 1] * SIDE > SIDE / 3 + SLOPE * uv[:, 0] * SIDE
        return self.white * below.float()[:, None].expand(-1, 3)

    def lit(self, albedo, shading):
        return albedo


def positions(per_pixel: int) -> torch.Tensor:
    """uv [SIDE * n, SIDE * n, 2] of evenly laid samples, n to a pixel's side."""
    steps = (torch.arange(SIDE * per_pixel) + 0.5) / (SIDE * per_pixel)
    v, u = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([u, v], 2)


def painted(atlas: StylizedAtlas, where: torch.Tensor) -> torch.Tensor:
    return pixel_albedo(atlas, positions(1), where)[:, 0]


EVERYWHERE = torch.ones(SIDE, SIDE, dtype=torch.bool)


def test_an_edge_covers_pixels_in_part():
    fine = HalfPainted().albedo(positions(16).reshape(-1, 2))[:, 0].reshape(SIDE, 16, SIDE, 16)
    covered = fine.mean((1, 3))
    once = HalfPainted().albedo(positions(1).reshape(-1, 2))[:, 0].reshape(SIDE, SIDE)
    found = painted(HalfPainted(), EVERYWHERE).reshape(SIDE, SIDE)
    assert (found - covered).abs().max() <= 0.25
    assert (found - covered).abs().sum() < 0.4 * (once - covered).abs().sum()


@pytest.mark.parametrize(("white", "is_steep"), [(1.0, True), (0.9 * CONTRAST, False)])
def test_more_samples_are_taken_where_paint_changes_only(white, is_steep):
    atlas = HalfPainted(white)
    painted(atlas, EVERYWHERE)
    if is_steep:
        assert SIDE**2 < atlas.points < 2 * SIDE**2
    else:
        assert atlas.points == SIDE**2


def test_a_network_is_read_once():
    atlas = HalfPainted()
    atlas.form = "network"
    painted(atlas, EVERYWHERE)
    assert atlas.points == SIDE**2


def test_uv_that_leaps_beyond_the_object_is_not_read():
    uv, where = positions(1), EVERYWHERE.clone()
    where[:, SIDE // 2 :] = False
    wild = uv.clone()
    wild[:, SIDE // 2 :] += 100
    assert torch.equal(
        pixel_albedo(HalfPainted(), uv, where), pixel_albedo(HalfPainted(), wild, where)
    )


def test_an_object_of_no_pixels_is_painted_nowhere():
    assert pixel_albedo(HalfPainted(), positions(1), ~EVERYWHERE).shape == (0, 3)
