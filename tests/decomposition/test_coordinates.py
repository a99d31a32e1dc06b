"""Every change of coordinates has a way back."""

from __future__ import annotations

import pytest
import torch

from engine.decomposition import coordinates as c
from engine.decomposition.coordinates import Extent
from tests.decomposition import inverse_coordinates as inverse

LANDSCAPE = Extent(frames=70, height=432, width=768)
PORTRAIT = Extent(frames=70, height=768, width=432)


def _pixels(extent: Extent) -> torch.Tensor:
    corners = [[0, 0, 0], [extent.width - 1, extent.height - 1, extent.frames - 1], [5, 7, 3]]
    return torch.tensor(corners)


@pytest.mark.parametrize("extent", [LANDSCAPE, PORTRAIT])
def test_a_pixel_comes_back_from_its_point(extent: Extent) -> None:
    pixels = _pixels(extent)
    back = inverse.pixels_of_points(c.points_of_pixels(pixels, extent), extent)
    torch.testing.assert_close(back, pixels.float(), atol=1e-3, rtol=0)


@pytest.mark.parametrize("extent", [LANDSCAPE, PORTRAIT])
def test_a_pixel_comes_back_from_its_number(extent: Extent) -> None:
    pixels = _pixels(extent)
    assert torch.equal(extent.pixel(extent.number(pixels)), pixels)


def test_the_longer_side_and_the_time_span_minus_one_to_just_short_of_one() -> None:
    last = c.points_of_pixels(_pixels(LANDSCAPE), LANDSCAPE)[1]
    expected = torch.tensor([1 - 2 / 768, 431 / 384 - 1, 1 - 2 / 70])
    torch.testing.assert_close(last, expected, atol=1e-6, rtol=0)


def test_a_portrait_point_is_a_landscape_point_turned() -> None:
    landscape = c.points_of_pixels(torch.tensor([[100, 40, 7]]), LANDSCAPE)
    portrait = c.points_of_pixels(torch.tensor([[40, 100, 7]]), PORTRAIT)
    assert torch.equal(portrait, landscape[:, [1, 0, 2]])


@pytest.mark.parametrize("extent", [LANDSCAPE, PORTRAIT])
def test_flow_comes_back_from_its_offset(extent: Extent) -> None:
    flow = torch.tensor([[3.0, -4.0], [0.0, 0.25]])
    torch.testing.assert_close(inverse.flow_of_offset(c.offset_of_flow(flow, extent), extent), flow)


@pytest.mark.parametrize("extent", [LANDSCAPE, PORTRAIT])
def test_a_point_moved_by_the_flow_is_the_pixel_moved_by_the_flow(extent: Extent) -> None:
    point = c.points_of_pixels(torch.tensor([[10, 20, 2]]), extent)
    moved = point.clone()
    moved[:, :2] += c.offset_of_flow(torch.tensor([[3.0, -4.0]]), extent)
    expected = torch.tensor([[13.0, 16.0, 2.0]])
    torch.testing.assert_close(inverse.pixels_of_points(moved, extent), expected, atol=1e-3, rtol=0)


def test_uv_comes_back_from_its_quadrant() -> None:
    uv = torch.tensor([[-1.0, 1.0], [0.25, -0.75]])
    assert torch.equal(inverse.from_foreground_quadrant(c.to_foreground_quadrant(uv)), uv)
    assert torch.equal(inverse.from_background_quadrant(c.to_background_quadrant(uv)), uv)


def test_the_two_layers_have_quadrants_of_their_own() -> None:
    corners = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    foreground = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    assert torch.equal(c.to_foreground_quadrant(corners), foreground)
    assert torch.equal(c.to_background_quadrant(corners), foreground - 1)


def test_layers_uv_comes_back_to_its_quadrant() -> None:
    quadrant = torch.tensor([[0.0, 1.0], [0.3, 0.7]])
    assert torch.equal(c.layers_uv_of_quadrant(quadrant), quadrant)


def test_alpha_stays_off_zero_and_one_and_comes_back() -> None:
    signed = torch.tensor([-1.0, 0.0, 1.0])
    alpha = c.alpha_of_signed(signed)
    torch.testing.assert_close(alpha, torch.tensor([0.001, 0.496, 0.991]))
    torch.testing.assert_close(inverse.signed_of_alpha(alpha), signed, atol=1e-6, rtol=0)
