"""Paint is as sharp as the footage there: measured on edges whose blur is known."""

import pytest
import torch

from engine.stylization.shading import gaussian_blur
from engine.stylization.sharpness import SQUARE, blur_to_footage, blur_with_residual, footage_blur

EVERYWHERE = torch.ones(96, 96, dtype=torch.bool)


def edges(blur: float) -> torch.Tensor:
    """A bright disc whose edge is that of a step after a Gaussian of ``blur`` px."""
    line = torch.arange(96.0)
    distance = 30 - torch.hypot(line[:, None] - 47.3, line[None] - 48.1)
    return 0.2 + 0.6 * torch.special.ndtr(distance / blur)


def on_the_rim(values: torch.Tensor) -> float:
    """The median of ``values`` [96, 96] where the disc's edge is."""
    return float(values[(edges(2.0) - 0.5).abs() < 0.2].median())


@pytest.mark.parametrize("blur", [0.5, 0.8, 1.2, 1.7, 2.5])
def test_the_blur_of_an_edge_is_found(blur):
    found = footage_blur(edges(blur), EVERYWHERE)
    assert on_the_rim(found) == pytest.approx(blur, rel=0.15)


def test_each_part_has_the_blur_of_its_own_edges():
    both = torch.cat([edges(0.6), edges(2.0)], 1)
    found = footage_blur(both, torch.ones_like(both, dtype=torch.bool))
    assert on_the_rim(found[:, :96]) == pytest.approx(0.6, rel=0.2)
    assert on_the_rim(found[:, 96:]) == pytest.approx(2.0, rel=0.3)


def test_footage_without_edges_counts_as_sharp():
    flat = footage_blur(torch.full((40, 40), 0.5), EVERYWHERE[:40, :40])
    assert torch.all(flat == SQUARE**0.5)
    assert torch.all(footage_blur(edges(1.5), ~EVERYWHERE) == SQUARE**0.5)


@pytest.mark.parametrize("blur", [0.7, 1.2, 2.6])
def test_sharp_paint_comes_to_the_blur_of_the_footage(blur):
    sharp = edges(0.3)  # as an edge is that covers pixels in part
    wanted = torch.full((96, 96), blur)
    found = blur_to_footage(sharp.flatten()[:, None], EVERYWHERE, wanted).reshape(96, 96)
    assert on_the_rim(footage_blur(found, EVERYWHERE)) == pytest.approx(blur, rel=0.15)


def test_only_where_the_footage_is_soft_paint_becomes_soft():
    values = torch.rand(96 * 96, 5)
    blur = torch.full((96, 96), 0.28)
    blur[:, 48:] = 1.5
    found = blur_to_footage(values, EVERYWHERE, blur).reshape(96, 96, 5)
    assert torch.equal(found[:, :48], values.reshape(96, 96, 5)[:, :48])
    assert found[:, 48:].std() < 0.5 * values.std()


def test_nothing_beyond_the_object_bleeds_into_it():
    where = torch.zeros(20, 20, dtype=torch.bool)
    where[5:12, 3:15] = True
    values = torch.full((int(where.sum()), 3), 0.7)
    assert torch.allclose(blur_to_footage(values, where, torch.full((20, 20), 2.0)), values)


def test_a_blur_keeps_what_is_even():
    blurred = gaussian_blur(torch.ones(1, 30, 30), 1.0)[0, 4:-4, 4:-4]
    assert torch.allclose(blurred, torch.ones(22, 22))


def test_paint_that_slides_is_as_soft_as_if_frames_faded_into_each_other():
    line = torch.arange(96.0)
    step = (line > 47).float().expand(96, 96)
    held = torch.full((96, 96), SQUARE**0.5)
    residual = torch.full((96, 96), 6.0)
    found = blur_to_footage(
        step.flatten()[:, None], EVERYWHERE, blur_with_residual(held, residual)
    ).reshape(96, 96)
    tent = 6 - torch.arange(-5.0, 6).abs()
    faded = (step.unfold(1, 11, 1) * tent).sum(2) / tent.sum()
    assert (found[:, 5:-5] - faded).abs()[:, 20:-20].max() < 0.03
    assert torch.equal(blur_with_residual(held, 0 * residual), held)
