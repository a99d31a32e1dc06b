"""Paint is as sharp as the footage: measured on edges whose blur is known."""

import pytest
import torch

from engine.stylization.sharpness import SQUARE, blurred, footage_blur, softened

EVERYWHERE = torch.ones(96, 96, dtype=torch.bool)


def edges(blur: float) -> torch.Tensor:
    """A bright disc whose edge is that of a step after a Gaussian of ``blur`` px."""
    line = torch.arange(96.0)
    distance = 30 - torch.hypot(line[:, None] - 47.3, line[None] - 48.1)
    return 0.2 + 0.6 * torch.special.ndtr(distance / blur)


@pytest.mark.parametrize("blur", [0.5, 0.8, 1.2, 1.7])
def test_the_blur_of_an_edge_is_found(blur):
    assert footage_blur(edges(blur), EVERYWHERE) == pytest.approx(blur, rel=0.15)


def test_footage_without_edges_counts_as_sharp():
    assert footage_blur(torch.full((40, 40), 0.5), EVERYWHERE[:40, :40]) == SQUARE**0.5
    assert footage_blur(edges(1.5), ~EVERYWHERE) == SQUARE**0.5


def test_sharp_paint_comes_to_the_blur_of_the_footage():
    sharp = (edges(0.01) > 0.5).float()
    found = softened(sharp.flatten()[:, None], EVERYWHERE, 1.2).reshape(96, 96)
    assert footage_blur(found, EVERYWHERE) == pytest.approx(1.2, rel=0.15)


def test_paint_on_sharp_footage_stays_as_it_is():
    values = torch.rand(96 * 96, 5)
    assert torch.equal(softened(values, EVERYWHERE, 0.3), values)


def test_nothing_beyond_the_object_bleeds_into_it():
    where = torch.zeros(20, 20, dtype=torch.bool)
    where[5:12, 3:15] = True
    values = torch.full((int(where.sum()), 3), 0.7)
    assert torch.allclose(softened(values, where, 2.0), values)


def test_a_blur_keeps_what_is_even():
    assert torch.allclose(blurred(torch.ones(1, 30, 30), 1.0)[0, 4:-4, 4:-4], torch.ones(22, 22))
