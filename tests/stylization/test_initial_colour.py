"""The colour that a texture begins with."""

import pytest
import torch

from engine.stylization import initial_colour
from engine.stylization.initial_colour import set_initial_colour
from engine.stylization.shading import ShadingStatistics
from engine.stylization.texture import LearnedTexture


@pytest.mark.parametrize("wanted", [(0.85, 0.15, 0.15), (0.15, 0.15, 0.85), (0.85, 0.85, 0.15)])
def test_it_is_the_even_colour_whose_views_match_best(wanted, monkeypatch, settings):
    """Views match the better the nearer the paint comes to one colour."""
    generator = torch.Generator().manual_seed(0)
    atlas = LearnedTexture(
        ShadingStatistics(0.5, 1.0), torch.zeros(2), torch.ones(2), side=8, generator=generator
    )

    def terms(painter, canvases, encoder, targets, settings, generator):
        paint = painter.albedo(torch.full((4, 2), 0.5))
        miss = (paint - torch.tensor(wanted)).square().mean()
        return {"global_similarity": miss, "local_similarity": 2 * miss}

    monkeypatch.setattr(initial_colour, "step_terms", terms)
    set_initial_colour(atlas, None, None, None, settings, seed=1)
    paint = atlas.albedo(torch.full((1, 2), 0.5))[0]
    assert torch.allclose(paint, torch.tensor(wanted), atol=0.05)
