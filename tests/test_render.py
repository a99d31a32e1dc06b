"""Finished frames: what alpha does not reach stays, and edges stay edges."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.contract.settings import RenderSettings
from engine.render import Part, full_alpha, stylized_frames
from engine.stylization.atlas import AtlasFrame, PaletteAtlas
from engine.stylization.shading import ShadingStatistics


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


@pytest.mark.parametrize("first", [0, 40])
def test_frames_without_the_object_and_with_it_at_the_edge(first):
    """The object leaves the picture: its last columns are restyled, then nothing is."""
    steps = (torch.arange(48) + 0.5) / 48
    uv = torch.stack([steps.expand(32, 48), steps[:32, None].expand(32, 48)], 2)
    alpha = torch.zeros(2, 32, 48)
    alpha[0, 5:20, first : first + 8] = 1
    layers: Any = SimpleNamespace(alpha=alpha, uv=torch.stack([uv, uv]))
    atlas = PaletteAtlas(
        AtlasFrame((0.5, 0.5), (2.0, 2.0)), ShadingStatistics(0.5, 0.3), colours=3,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    source = np.random.default_rng(0).integers(0, 255, (2, 64, 96, 3), dtype=np.uint8)
    settings = RenderSettings(keep_detail=0.5)
    found = list(
        stylized_frames(source, [Part(layers, atlas)], settings, device=torch.device("cpu"))
    )
    changed = (found[0] != source[0]).any(2)
    assert changed[12:38, 2 * first + 2 : 2 * first + 14].mean() > 0.9
    assert not changed[44:].any() and not changed[:, 24:72].any()
    assert np.array_equal(found[1], source[1])
