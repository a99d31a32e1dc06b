"""Finished frames: what alpha does not reach stays, and edges stay edges."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine import cores, render
from engine.contract.settings import RenderSettings
from engine.render import Part, full_alpha, stylized_frames
from engine.stylization.shading import ShadingStatistics
from engine.stylization.texture import TextureAtlas


def disc(side):
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    middle = (side - 1) / 2
    inside = (rows - middle) ** 2 + (columns - middle) ** 2 < (0.3 * side) ** 2
    return inside.float()


def painted(columns):
    """An object of 8 columns of 48 that begins at these, one for each frame; None: not seen."""
    steps = (torch.arange(48) + 0.5) / 48
    uv = torch.stack([steps.expand(32, 48), steps[:32, None].expand(32, 48)], 2)
    alpha = torch.zeros(len(columns), 32, 48)
    for number, first in enumerate(columns):
        if first is not None:
            alpha[number, 5:20, first : first + 8] = 1
    layers: Any = SimpleNamespace(alpha=alpha, uv=uv.expand(len(columns), -1, -1, -1))
    picture = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    atlas = TextureAtlas(ShadingStatistics(0.5, 0.3), picture, torch.zeros(2), torch.ones(2))
    return Part(layers, atlas)


def rendered(source, part):
    settings = RenderSettings(keep_detail=0.5)
    return list(stylized_frames(source, [part], settings, device=torch.device("cpu")))


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
    part = painted([first, None])
    source = np.random.default_rng(0).integers(0, 255, (2, 64, 96, 3), dtype=np.uint8)
    found = rendered(source, part)
    changed = (found[0] != source[0]).any(2)
    assert changed[12:38, 2 * first + 2 : 2 * first + 14].mean() > 0.9
    assert not changed[44:].any() and not changed[:, 24:72].any()
    assert np.array_equal(found[1], source[1])


@pytest.fixture
def three_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(cores, "count", lambda: 3)


def test_frames_are_the_same_however_many_are_computed_at_a_time(three_cores, monkeypatch):
    part = painted(range(7))
    source = np.random.default_rng(0).integers(0, 255, (7, 64, 96, 3), dtype=np.uint8)
    at_a_time = rendered(source, part)
    monkeypatch.setattr(render, "PIXELS", 64 * 96)
    one_by_one = rendered(source, part)
    assert all(map(np.array_equal, at_a_time, one_by_one)) and len(one_by_one) == 7


def test_the_footage_is_read_no_farther_ahead_than_frames_are_computed(three_cores):
    begun = []

    def source():
        for number in range(50):
            begun.append(number)
            yield np.full((64, 96, 3), number, np.uint8)

    part = painted([0] * 50)
    frames = stylized_frames(source(), [part], RenderSettings(), device=torch.device("cpu"))
    next(frames)
    frames.close()
    assert len(begun) <= 2 * 3


def test_other_threads_keep_the_number_of_their_threads(three_cores):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        rendered(np.zeros((4, 64, 96, 3), np.uint8), painted([0] * 4))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_no_footage_gives_no_frames():
    assert rendered([], painted([0])) == []
