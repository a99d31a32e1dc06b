import pytest
import torch

from engine.contract.events import EngineError, Fault
from engine.contract.settings import ViewsSettings
from engine.decomposition.layers import Layers
from engine.stylization.canvas import FAINTEST, cut_canvases
from engine.stylization.rendering import CanvasBatch, render


class Recorder(torch.nn.Module):
    """An atlas that paints uv itself and remembers what it was asked."""

    def albedo(self, uv):
        self.asked = uv
        return torch.cat([uv, torch.zeros_like(uv[:, :1])], 1)

    def lit(self, albedo, shading):
        return albedo


def test_the_canvas_holds_the_box_with_its_margin(make_disc):
    layers = make_disc(frames=1)
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings()).canvases
    first = canvases[0]
    assert first.fields.shape == (7, 30, 30)
    assert first.subject.mask.sum() == (layers.alpha[0] > 0.5).sum()


def test_only_pixels_that_show_the_object_are_painted(layers):
    canvas = cut_canvases(layers, layers.foreground, ViewsSettings()).canvases[0]
    atlas = Recorder()
    rendered = render(CanvasBatch.of([canvas]), atlas)
    assert len(atlas.asked) == int((layers.alpha[0] > FAINTEST).sum())
    outside = torch.ones(canvas.fields.shape[1:], dtype=torch.bool)
    outside.flatten()[canvas.index] = False
    assert rendered.front[0][:, outside].abs().max() == 0


def test_a_painted_canvas_reconstructs_the_video_from_its_own_foreground(make_disc):
    layers = make_disc(frames=1)
    canvas = cut_canvases(layers, layers.foreground, ViewsSettings()).canvases[0]
    batch = CanvasBatch.of([canvas])
    whole = render(batch, Recorder()).front[0] + batch.behind[0]
    left, top = 20 - 15, 20 - 15
    expected = layers.reconstruction()[0, top : top + 30, left : left + 30].permute(2, 0, 1)
    assert torch.allclose(whole[:2], expected[:2], atol=2e-3)


def test_one_unit_of_the_atlas_is_half_the_object_on_both_axes(layers):
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings(margin=0.0))
    u, v = canvases.atlas_frame.scale
    side = 25.0
    assert u == pytest.approx(2 / side * 80, rel=0.06) and v == pytest.approx(u / 2, rel=1e-3)
    assert canvases.atlas_frame.centre == pytest.approx((0.5, 0.5), abs=0.01)


def test_enlarging_keeps_the_picture_and_tells_the_scale(make_disc):
    layers = make_disc(frames=1)
    canvas = cut_canvases(layers, layers.foreground, ViewsSettings()).canvases[0]
    larger = canvas.at_side(60)
    assert larger.fields.shape == (7, 60, 60) and larger.scale == 2
    assert larger.fields[2].mean() == pytest.approx(canvas.fields[2].mean().item(), abs=0.01)


def test_a_video_without_an_object_is_told(layers):
    empty = Layers(
        layers.uv, torch.zeros_like(layers.alpha), layers.foreground, layers.background,
        layers.atlas, layers.coverage, layers.atlas_background, layers.uv_background,
    )  # fmt: skip
    with pytest.raises(EngineError) as caught:
        cut_canvases(empty, layers.foreground, ViewsSettings())
    assert caught.value.fault is Fault.OBJECT_NOT_FOUND
