"""Finished frames: what alpha does not reach stays, and edges stay edges."""

import torch
from torch.nn import functional

from engine.render import full_alpha


def disc(side):
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    middle = (side - 1) / 2
    inside = (rows - middle) ** 2 + (columns - middle) ** 2 < (0.3 * side) ** 2
    return inside.float()


def test_alpha_of_the_right_size_keeps_its_values():
    alpha = torch.tensor([[0.0, 0.25, 0.5, 0.75, 1.0]])
    found = full_alpha(alpha, alpha.shape)
    assert torch.allclose(found, alpha, atol=0.02)
    assert found[0, 0] == 0 and found[0, -1] == 1


def test_enlarged_alpha_comes_back_to_the_mask():
    truth = disc(240)
    reduced = functional.interpolate(truth[None, None], (72, 72), mode="area")[0, 0]
    found = full_alpha(reduced, truth.shape)
    union = ((found > 0.5) | (truth > 0.5)).sum()
    shared = ((found > 0.5) & (truth > 0.5)).sum()
    assert shared / union > 0.98
    flat = functional.interpolate(reduced[None, None], (240, 240), mode="bilinear")[0, 0]
    assert (found - truth).abs().sum() < 0.7 * (flat - truth).abs().sum()


def test_a_faint_alpha_becomes_nothing():
    assert full_alpha(torch.full((4, 4), 0.015), torch.Size((4, 4))).max() == 0
