"""The blur, against its formula."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from engine.stylization.shading import gaussian_blur, radius_of


def by_hand(picture: torch.Tensor, sigma: float, mode: str) -> torch.Tensor:
    """Sum every neighbour of [H, W], weighted, one offset after the other."""
    radius = radius_of(sigma)
    line = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    line = line / line.sum()
    padded = functional.pad(picture[None, None], (radius,) * 4, mode=mode)[0, 0]
    height, width = picture.shape
    return sum(
        line[row] * line[column] * padded[row : row + height, column : column + width]
        for row in range(len(line))
        for column in range(len(line))
    )  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize(("repeat", "mode"), [(False, "constant"), (True, "replicate")])
@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.7])
def test_it_is_the_weighted_mean_of_the_neighbours(sigma, repeat, mode):
    picture = torch.rand(17, 23, generator=torch.Generator().manual_seed(3))
    found = gaussian_blur(picture[None], sigma, repeat_edges=repeat)[0]
    assert torch.allclose(found, by_hand(picture, sigma, mode), atol=1e-6)


def test_pictures_do_not_mix():
    pictures = torch.zeros(3, 9, 9)
    pictures[1, 4, 4] = 1
    found = gaussian_blur(pictures, 1.0)
    assert found[1].sum() == pytest.approx(1.0, abs=1e-5)
    assert not found[0].any() and not found[2].any()


def test_the_shape_is_told_where_it_is_wrong():
    with pytest.raises(AssertionError, match=r"\(4, 5\)"):
        gaussian_blur(torch.zeros(4, 5), 1.0)
