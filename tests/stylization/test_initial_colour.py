"""The colour that a texture begins with."""

import pytest
import torch

from engine.stylization.shading import ShadingStatistics
from engine.stylization.texture import LearnedTexture


def even_texture():
    generator = torch.Generator().manual_seed(0)
    return LearnedTexture(
        ShadingStatistics(0.5, 1.0), torch.zeros(2), torch.ones(2), side=8, generator=generator
    )


@pytest.mark.parametrize("wanted", [(0.85, 0.15, 0.15), (0.15, 0.15, 0.85), (0.85, 0.85, 0.15)])
def test_it_is_the_even_colour_whose_views_match_best(wanted):
    """Views match the better the nearer the paint comes to one colour."""
    atlas = even_texture()

    def loss():
        paint = atlas.albedo(torch.full((4, 2), 0.5))
        return 3 * (paint - torch.tensor(wanted)).square().mean()

    atlas.choose_initial_colour(loss)
    paint = atlas.albedo(torch.full((1, 2), 0.5))[0]
    assert torch.allclose(paint, torch.tensor(wanted), atol=0.05)


@pytest.mark.parametrize(
    ("colour", "begun"),
    [((0.86, 0.67, 0.22), (0.86, 0.67, 0.22)), ((1, 0, 0.5), (0.96, 0.04, 0.5))],
)
def test_a_known_colour_is_begun_with_short_of_black_and_white(colour, begun):
    atlas = even_texture()
    atlas.begin_with(colour)
    paint = atlas.albedo(torch.full((1, 2), 0.5))[0]
    assert torch.allclose(paint, torch.tensor(begun), atol=0.02)
