"""The training keeps its schedules, can be stopped and resumed, and splits a little footage."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.checkpoint import Checkpoint
from engine.contract.events import EngineError, Fault, Stopped
from engine.contract.settings import NlaSettings
from engine.decomposition.coordinates import Extent
from engine.decomposition.layers import Layers
from engine.decomposition.model import (
    AtlasNetwork,
    atlas_colours,
    atlas_frequencies,
    seeded_networks,
)
from engine.decomposition.nla.bake import coverage_of
from engine.decomposition.nla.samples import VideoPoints
from engine.decomposition.nla.train import decompose_nla, scheduled_weights, train
from tests.decomposition.nla_footage import QuietReport, iou, moving_square, psnr

CPU = torch.device("cpu")
TINY = NlaSettings(
    steps=12, points=64, pretrain_rounds=2, width=16, atlas_size=64, learning_rate=1e-3
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _decompose(
    clip: Any, settings: NlaSettings, folder: Path, report: QuietReport | None = None
) -> Layers:
    return decompose_nla(
        clip.frames,
        clip.flow,
        clip.masks,
        settings,
        device=CPU,
        seed=0,
        report=report or QuietReport(),
        checkpoint=Checkpoint(folder / "checkpoint.pt"),
    )


def _all_equal(one: Layers, other: Layers) -> bool:
    own, others = one.tensors(), other.tensors()
    return own.keys() == others.keys() and all(
        torch.equal(tensor, others[name]) for name, tensor in own.items()
    )


def test_bootstrap_counts_up_to_its_last_step() -> None:
    settings = NlaSettings()
    assert scheduled_weights(settings, 10_000)["bootstrap"] == 2000
    assert scheduled_weights(settings, 10_001)["bootstrap"] == 0


def test_global_rigidity_counts_up_to_its_last_step() -> None:
    settings = NlaSettings()
    names = ("global_rigidity_foreground", "global_rigidity_background")
    assert [scheduled_weights(settings, 5000)[name] for name in names] == [5, 50]
    assert [scheduled_weights(settings, 5001)[name] for name in names] == [0, 0]


def test_the_weights_are_the_published_ones() -> None:
    assert scheduled_weights(NlaSettings(), 1) == {
        "reconstruction": 5000,
        "gradient": 1000,
        "sparsity": 1000,
        "rigidity": 1,
        "global_rigidity_foreground": 5,
        "global_rigidity_background": 50,
        "flow": 5,
        "alpha_flow": 49,
        "bootstrap": 2000,
    }


def test_the_atlas_of_a_video_of_the_papers_size_is_the_papers() -> None:
    assert [atlas_frequencies(side) for side in (48, 96, 768, 2048)] == [6, 7, 10, 10]


def test_terms_that_are_over_are_no_longer_reported(tmp_path: Path) -> None:
    settings = dataclasses.replace(TINY, steps=20, global_rigidity_steps=10)
    report = QuietReport()
    _decompose(moving_square(), settings, tmp_path, report)
    by_step = {step: terms for step, _, terms in report.steps}
    ahead = 2 * 6
    assert "global_rigidity_background" in by_step[ahead + 10]
    assert "global_rigidity_background" not in by_step[ahead + 20]
    assert all(total == ahead + 20 for _, total, _ in report.steps)


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    clip = moving_square()
    (tmp_path / "whole").mkdir()
    whole = _decompose(clip, TINY, tmp_path / "whole")
    pretraining = 2 * 6
    with pytest.raises(Stopped):
        _decompose(clip, TINY, tmp_path, QuietReport(stop_after=pretraining + 6))
    torch.rand(3)
    report = QuietReport()
    resumed = _decompose(clip, TINY, tmp_path, report)
    assert report.steps[0][0] > pretraining
    assert _all_equal(whole, resumed)


def test_a_stop_while_the_layers_are_read_out_loses_nothing(tmp_path: Path) -> None:
    clip = moving_square()
    with pytest.raises(Stopped):
        _decompose(clip, TINY, tmp_path, QuietReport(stop_after=2 * 6 + 12 + 2))
    report = QuietReport()
    _decompose(clip, TINY, tmp_path, report)
    assert report.steps == []


@pytest.mark.parametrize("stop_after", [0, 1, 2])
def test_a_stop_in_the_pretraining_is_heard_and_loses_nothing(tmp_path: Path, stop_after) -> None:
    (tmp_path / "whole").mkdir()
    settings = dataclasses.replace(TINY, pretrain_rounds=6)
    whole = _decompose(moving_square(), settings, tmp_path / "whole")
    with pytest.raises(Stopped):
        _decompose(moving_square(), settings, tmp_path, QuietReport(stop_after=10 * stop_after))
    report = QuietReport()
    resumed = _decompose(moving_square(), settings, tmp_path, report)
    assert report.steps[0][0] > 10 * stop_after
    assert _all_equal(whole, resumed)


def test_the_checkpoint_of_another_video_is_not_used(tmp_path: Path) -> None:
    _decompose(moving_square(frames=4), TINY, tmp_path)
    clip = moving_square(frames=6)
    (tmp_path / "fresh").mkdir()
    assert _all_equal(_decompose(clip, TINY, tmp_path), _decompose(clip, TINY, tmp_path / "fresh"))


def test_a_diverged_training_says_in_which_term(tmp_path: Path) -> None:
    clip = moving_square()
    video = VideoPoints(clip.frames, clip.flow, clip.masks, CPU)
    networks = seeded_networks(0, width=16)
    with torch.no_grad():
        networks.atlas.linears[7].bias.fill_(torch.nan)
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    with pytest.raises(EngineError, match="reconstruction") as caught:
        train(networks, video, TINY, seed=0, report=QuietReport(), checkpoint=checkpoint)
    assert caught.value.fault is Fault.DIVERGED
    assert checkpoint.load() is None


def test_no_flow_and_no_masks_leave_everything_finite(tmp_path: Path) -> None:
    clip = moving_square()
    clip.flow.forward_valid[:] = False
    clip.flow.backward_valid[:] = False
    clip.masks.known[:] = False
    report = QuietReport()
    layers = _decompose(clip, TINY, tmp_path, report)
    terms = report.steps[-1][2]
    assert terms["flow"] == terms["alpha_flow"] == terms["bootstrap"] == 0
    assert layers.reconstruction().isfinite().all()


def test_layers_of_a_portrait_video_keep_their_promises(tmp_path: Path) -> None:
    clip = moving_square(frames=3, height=40, width=24)
    report = QuietReport()
    layers = _decompose(clip, TINY, tmp_path, report)
    assert layers.uv.shape == (3, 40, 24, 2)
    assert layers.atlas.shape == (64, 64, 3)
    assert layers.uv.min() >= 0
    assert layers.uv.max() <= 1
    assert layers.alpha.min() >= 0.001 - 1e-6
    assert layers.alpha.max() <= 0.991 + 1e-6
    assert max(layers.atlas_background.shape) == 64
    assert layers.atlas_network is not None
    again = atlas_colours(AtlasNetwork.from_state(layers.atlas_network), layers.uv)
    torch.testing.assert_close(again, layers.foreground.float(), atol=1e-3, rtol=1e-3)
    assert {"reconstruction", "atlas"} <= set(report.previews)


def test_coverage_is_the_greatest_alpha_that_falls_on_a_texel() -> None:
    extent = Extent(frames=1, height=32, width=32)
    uv = torch.tensor([[0.5125, 0.5125], [0.5125, 0.5125], [0.0, 1.0]])  # in texel (20, 20) of 40
    coverage = coverage_of(uv, torch.tensor([0.2, 0.9, 0.4]), extent, 40)
    assert coverage[20, 20] == pytest.approx(0.9)
    assert coverage[39, 0] == pytest.approx(0.4)
    assert coverage[5, 30] == 0


def test_coverage_has_no_holes_where_texels_are_finer_than_pixels() -> None:
    extent = Extent(frames=1, height=48, width=48)
    column = torch.arange(48) * 0.8 / 48 + 0.1
    v, u = torch.meshgrid(column, column, indexing="ij")
    uv = torch.stack([u, v], dim=2).reshape(-1, 2)
    coverage = coverage_of(uv, torch.ones(len(uv)), extent, 500)
    assert coverage[60:430, 60:430].min() == pytest.approx(1)
    assert coverage[:30].max() == 0


@pytest.mark.slow
def test_a_square_over_a_plane_is_split_and_reconstructed(tmp_path: Path) -> None:
    clip = moving_square()
    settings = NlaSettings(
        steps=400, points=300, pretrain_rounds=60, learning_rate=2e-3, width=64, atlas_size=128
    )
    report = QuietReport()
    layers = _decompose(clip, settings, tmp_path, report)
    assert psnr(layers.reconstruction().numpy(), clip.frames / 255) > 26  # measured: 29.0
    assert iou(layers.alpha.numpy() > 0.5, clip.truth) > 0.97  # measured: 1.000
    assert report.steps[-1][2]["flow"] < 0.3  # measured: 0.11 pixels, both layers together
    upright = layers.uv[:, 1:, 1:] - layers.uv[:, :-1, :-1]
    assert (upright[torch.from_numpy(clip.truth[:, 1:, 1:])] > 0).double().mean() > 0.95
    outside = layers.foreground[torch.from_numpy(~clip.truth)]
    assert outside.mean() < np.mean(clip.frames[clip.truth]) / 255 / 2
