"""Views rendered at their own pixels show what crops of rendered canvases show."""

from dataclasses import replace

import pytest
import torch

from engine.contract.settings import ViewsSettings
from engine.stylization.canvas import Canvas, cut_canvases
from engine.stylization.crops import crop_grid
from engine.stylization.rendering import CanvasBatch, render
from engine.stylization.texture import TextureAtlas
from engine.stylization.view_rendering import render_views
from engine.stylization.views import Views, draw_both

SIZE = 24
SIDE = 64  # of the canvases, which show a smooth texture of as many texels


@pytest.fixture
def canvases(layers) -> list[Canvas]:
    cut = cut_canvases(layers, layers.foreground, ViewsSettings()).canvases
    return [canvas.at_side(SIDE) for canvas in cut[:2]]


@pytest.fixture
def texture(layers) -> TextureAtlas:
    statistics = cut_canvases(layers, layers.foreground, ViewsSettings()).statistics
    waves = torch.linspace(0, 9, SIDE).sin() / 2.5 + 0.5
    picture = torch.stack([waves.expand(SIDE, SIDE), waves[:, None].expand(SIDE, SIDE)])
    picture = torch.cat([picture, picture[:1] * picture[1:]])
    return TextureAtlas(statistics, picture, torch.zeros(2), torch.ones(2))


def drawn(canvases: list[Canvas], *, background_removal: float = 0.5) -> list[Views]:
    generator = torch.Generator().manual_seed(3)
    settings = replace(
        ViewsSettings(), global_views=2, local_views=4, local_placement="object",
        background_removal=background_removal,
    )  # fmt: skip
    return [draw_both(one.subject, settings, generator).scale(one.scale) for one in canvases]


def of_canvases(canvases: list[Canvas], views: list[Views], texture: TextureAtlas) -> torch.Tensor:
    batch = CanvasBatch.of(canvases)
    grid = crop_grid(views, batch.shapes, SIZE, torch.device("cpu"))
    return grid.crops(render(batch, texture).front, batch.behind)


def test_they_are_as_crops_of_whole_canvases(canvases, texture):
    views = drawn(canvases)
    assert 0 < sum(int(each.black.sum()) for each in views) < 12
    wanted = of_canvases(canvases, views, texture)
    found = render_views(canvases, views, texture.pyramid(), SIZE)
    assert found.shape == (2, 6, 3, SIZE, SIZE)
    assert (found - wanted).abs().mean() < 0.016  # of white; most of it at the rim
    other = TextureAtlas(texture.statistics, texture.picture.flip(2), torch.zeros(2), torch.ones(2))
    assert (found - of_canvases(canvases, views, other)).abs().mean() > 0.03


def test_what_is_removed_hard_keeps_the_background_within_the_mask(canvases, texture):
    canvases = [replace(each, hard_removal=True) for each in canvases]
    views = drawn(canvases, background_removal=1.0)
    found = render_views(canvases, views, texture.pyramid(), SIZE)
    wanted = of_canvases(canvases, views, texture)
    assert (found - wanted).abs().mean() < 0.02
    assert (found == 0).all(2).any()


def test_beyond_a_canvas_there_is_nothing(canvases, texture):
    views = drawn(canvases[:1], background_removal=0.0)[0]
    away = replace(views, crops=views.crops + 10 * SIDE)
    assert render_views(canvases[:1], [away], texture.pyramid(), SIZE).abs().max() == 0


def test_slopes_reach_the_texture_where_views_show_it(canvases, texture):
    texture.picture.requires_grad_()
    views = drawn(canvases)
    render_views(canvases, views, texture.pyramid(), SIZE).sum().backward()
    slopes = texture.picture.grad
    assert slopes is not None and (slopes > 0).float().mean() > 0.1
    assert slopes.isfinite().all()
