"""The baseline has the published numbers, and its terms the values that can be worked out."""

import math

import numpy as np
import pytest
import torch

from benchmarks.nla_baseline.networks import Nets
from benchmarks.nla_baseline.training import SCALE, Baseline, Data
from engine.video.flow import Flow

T, H, W = 3, 24, 32


@pytest.fixture
def baseline():
    random = np.random.default_rng(0)
    frames = random.integers(0, 255, (T, H, W, 3), np.uint8)
    masks = np.zeros((T, H, W), np.uint8)
    masks[:, 6:18, 8:24] = 255
    still = np.zeros((T - 1, H, W, 2), np.float32)
    sure = np.ones((T - 1, H, W), bool)
    data = Data.of(frames, masks, Flow(still, still, sure, sure))
    return Baseline(data, torch.device("cpu"), points=64)


def drawn():
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randint(side, (200,), generator=generator) for side in (W, H, T))


def test_the_networks_have_the_published_sizes():
    nets = Nets()
    counts = [
        sum(weight.numel() for weight in net.parameters())
        for net in (nets.mapping1, nets.mapping2, nets.opacity, nets.texture)
    ]
    assert counts == [264_706, 133_122, 402_945, 416_379]


def test_the_scaled_identity_is_rigid_and_still(baseline):
    scaled = torch.nn.Module()
    scaled.forward = lambda points: SCALE * points[:, :2]
    baseline.nets.mapping1, baseline.nets.mapping2 = scaled, scaled
    losses = baseline._losses(*drawn())
    assert float(losses["rigidity_front"]) == pytest.approx(2 * math.sqrt(2), abs=3e-3)
    assert float(losses["global_back"]) == pytest.approx(2 * math.sqrt(2), abs=3e-3)
    assert float(losses["flow_front"]) == pytest.approx(0, abs=1e-4)


def test_a_mapping_that_slides_by_a_pixel_a_frame_costs_its_opacity_in_pixels(baseline):
    step = SCALE / baseline.half
    sliding = torch.nn.Module()
    sliding.forward = lambda p: SCALE * p[:, :2] + step * (p[:, 2:] + 1) * T / 2
    baseline.nets.mapping1 = sliding
    baseline.nets.alpha = lambda points: torch.full_like(points[:, :1], 0.5)
    losses = baseline._losses(*drawn())
    assert float(losses["flow_front"]) == pytest.approx(math.sqrt(2) / 2, rel=1e-3)
    assert float(losses["flow_alpha"]) == 0


def test_the_schedules_stop_where_they_are_published_to(baseline):
    for iteration, far, bootstrap in ((5000, 50, 2000), (5001, 0, 2000), (10_001, 0, 0)):
        baseline.iteration = iteration
        weights = baseline._weights()
        assert (weights["global_back"], weights["bootstrap"]) == (far, bootstrap)


def test_colours_come_from_the_right_quadrant(baseline):
    seen = []
    texture = baseline.nets.texture
    texture.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    uv = torch.rand(50, 2) * 2 - 1
    baseline.nets.front(uv)
    baseline.nets.back(uv)
    assert seen[0].min() >= 0 and seen[0].max() <= 1
    assert seen[1].min() >= -1 and seen[1].max() <= 0


def test_training_lowers_the_error(baseline):
    seen = []
    while baseline.iteration < 100:
        baseline.train(baseline.seconds + 0.05, pretrain_rounds=1)
        seen += [baseline.terms["bootstrap"]] if baseline.terms else []
    # Each is that of one batch of points alone.
    assert min(seen[-5:]) < 0.8 * max(seen[:5])
    assert all(math.isfinite(value) for value in baseline.terms.values())
