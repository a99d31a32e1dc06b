"""The flow residual: nothing where the mapping moves as the flow does, else by how much."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from engine.decomposition.flow_residual import (
    MOST,
    compute_flow_residual,
    load_flow_residual,
    save_flow_residual,
)
from engine.decomposition.layers import Layers
from engine.video.flow import Flow

HEIGHT, WIDTH, FRAMES = 40, 64, 4
INSIDE = slice(12, 28), slice(24, 40)  # rows and columns within the object in all frames


def square(residual):
    """A square that moves by 2 px a frame; its mapping follows by 2 less ``residual`` px."""
    down, across = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    frames = torch.arange(FRAMES)[:, None, None]
    alpha = ((down - 20).abs()[None] < 12) & ((across[None] - 30 - 2 * frames).abs() < 14)
    uv = torch.stack(
        [
            (across[None] - frames * (2 - residual) + 0.5) / WIDTH,
            ((down + 0.5) / WIDTH).expand(FRAMES, -1, -1),
        ],
        3,
    )
    empty = torch.zeros(FRAMES, HEIGHT, WIDTH, 3)
    atlas = torch.zeros(8, 8, 3)
    return Layers(
        uv, alpha.float(), empty, empty.clone(), atlas, torch.ones(8, 8), atlas.clone(), uv.clone()
    )


def moving(valid=True):
    forward = np.zeros((FRAMES - 1, HEIGHT, WIDTH, 2), np.float32)
    forward[..., 0] = 2
    known = np.full(forward.shape[:3], valid)
    return Flow(forward, -forward, known, known)


@pytest.mark.parametrize(("residual", "expected"), [(0.0, 0.0), (1.5, 1.5), (9.0, MOST)])
def test_it_is_the_distance_between_mapping_and_flow(residual, expected):
    flow_residual = compute_flow_residual(square(residual), moving()).float()
    assert flow_residual.shape == (FRAMES, HEIGHT, WIDTH)
    assert flow_residual[:, *INSIDE].numpy() == pytest.approx(expected, abs=0.05)
    assert flow_residual[:, :4].max() == 0


def test_where_only_a_part_disagrees_only_that_part_does():
    part = square(torch.where(torch.arange(HEIGHT) < 20, 2.0, 0.0)[:, None])
    flow_residual = compute_flow_residual(part, moving()).float()
    assert flow_residual[1, 14, 32] == pytest.approx(2, abs=0.05)
    assert flow_residual[1, 26, 32] == pytest.approx(0, abs=0.05)


def test_softness_goes_along_with_what_has_slid_once():
    """One part moves in the atlas between the first two frames, and never again."""
    residual = torch.zeros(FRAMES, 1, WIDTH)
    residual[1:, :, 32:] = (
        2.0 / torch.arange(1, FRAMES)[:, None, None]
    )  # a frame, from the first on
    flow_residual = compute_flow_residual(square(residual), moving()).float()
    there = [float(flow_residual[frame, 20, 36 + 2 * frame]) for frame in range(FRAMES)]
    assert min(there) > 0.5
    ratios = [more / less for more, less in pairwise(there)]
    assert max(ratios) < 1.2
    assert flow_residual[FRAMES - 1, 20, 26] == pytest.approx(0, abs=0.1)


def test_nothing_is_said_without_flow_or_object_and_a_single_frame_stands():
    assert not compute_flow_residual(square(2.0), moving(valid=False)).any()
    unseen = square(2.0)
    assert not compute_flow_residual(replace(unseen, alpha=0 * unseen.alpha), moving()).any()
    names = "uv", "alpha", "foreground", "background", "uv_background"
    one = replace(unseen, **{name: getattr(unseen, name)[:1] for name in names})
    none = np.zeros((0, HEIGHT, WIDTH, 2)), np.zeros((0, HEIGHT, WIDTH), bool)
    assert not compute_flow_residual(one, Flow(none[0], none[0], none[1], none[1])).any()


def test_it_is_read_as_it_was_written(tmp_path):
    residual = torch.rand(2, 4, 5).half()
    save_flow_residual(residual, tmp_path)
    assert torch.equal(load_flow_residual(tmp_path), residual)
