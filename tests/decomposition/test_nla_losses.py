"""Each term has the value that its formula has, and never a NaN."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.decomposition.coordinates import MAPPING_SCALE, Extent, uv_step
from engine.decomposition.nla import losses

EXTENT = Extent(frames=4, height=432, width=768)
STEP = uv_step(1, EXTENT)
YES = torch.ones(50, dtype=torch.bool)
NO = torch.zeros(50, dtype=torch.bool)


def _moved(points: Tensor, x: float, y: float) -> Tensor:
    return points + torch.tensor([x, y]) / EXTENT.half


def _places() -> Tensor:
    return torch.rand(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _rotation(angle: float) -> Tensor:
    sine, cosine = math.sin(angle), math.cos(angle)
    return torch.tensor([[cosine, -sine], [sine, cosine]], dtype=torch.float64)


@pytest.mark.parametrize("angle", [0.0, 0.7, math.pi])
def test_rigidity_of_the_scaled_identity_turned_is_two_root_two(angle: float) -> None:
    turn = MAPPING_SCALE * _rotation(angle)
    p = _places()
    value = losses.rigidity(p @ turn, _moved(p, 1, 0) @ turn, _moved(p, 0, 1) @ turn, step=STEP)
    assert value.item() == pytest.approx(2.8270, abs=1e-4)
    assert value.item() == pytest.approx(math.sqrt(2) * (1 + 1 / (1 + losses.FOLD)), abs=1e-9)
    assert value.item() == pytest.approx(2 * math.sqrt(2), abs=2e-3)


def test_rigidity_is_that_of_the_formula_for_any_jacobian() -> None:
    jacobian = torch.randn(2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    p = _places()
    at = [points @ (MAPPING_SCALE * jacobian.T) for points in (p, _moved(p, 1, 0), _moved(p, 0, 1))]
    metric = jacobian.T @ jacobian
    inverse = torch.linalg.inv(metric + losses.FOLD * torch.eye(2, dtype=torch.float64))
    expected = torch.linalg.norm(metric) + torch.linalg.norm(inverse)
    torch.testing.assert_close(losses.rigidity(*at, step=STEP), expected)


def test_global_rigidity_of_the_scaled_identity_is_two_root_two_at_any_distance() -> None:
    p = _places()
    s = MAPPING_SCALE
    value = losses.global_rigidity(
        s * p, s * _moved(p, 100, 0), s * _moved(p, 0, 100), step=uv_step(100, EXTENT)
    )
    assert value.item() == pytest.approx(2.8270, abs=1e-4)


def test_a_collapsed_mapping_has_a_finite_rigidity_and_gradient() -> None:
    uv = torch.zeros(5, 2, requires_grad=True)
    value = losses.rigidity(uv, uv.clone(), uv.clone(), step=STEP)
    value.backward()
    assert value.item() == pytest.approx(math.sqrt(2) / losses.FOLD, rel=1e-3)
    assert uv.grad is not None
    assert uv.grad.isfinite().all()


def test_zero_flow_costs_nothing_and_has_no_nan_in_its_gradient() -> None:
    uv = _places().requires_grad_()
    value = losses.flow(uv, uv * 1, uv * 1, YES, YES, torch.ones(50, 1), step=STEP)
    value.backward()
    assert value.item() == 0
    assert uv.grad is not None
    assert uv.grad.isfinite().all()


@pytest.mark.parametrize("pixels", [1.0, 3.5, 20.0])
def test_uv_that_miss_by_so_many_pixels_cost_so_many(pixels: float) -> None:
    uv = MAPPING_SCALE * _places()
    missed = uv + torch.tensor([0.6, 0.8]) * uv_step(pixels, EXTENT)
    value = losses.flow(uv, missed, missed, YES, YES, torch.ones(50, 1), step=STEP)
    assert value.item() == pytest.approx(pixels)


def test_flow_counts_by_opacity_and_only_where_it_is_valid() -> None:
    uv = torch.zeros(4, 2)
    missed = uv + torch.tensor([uv_step(2, EXTENT), 0.0])
    wrong = torch.tensor([True, True, False, False])
    far = torch.where(wrong[:, None], missed, missed * 1000)
    opacity = torch.tensor([[0.5], [1.0], [1.0], [1.0]])
    none = torch.zeros(4, dtype=torch.bool)
    assert losses.flow(uv, far, uv, wrong, none, opacity, step=STEP).item() == pytest.approx(0.75)


def test_no_valid_flow_costs_nothing() -> None:
    uv, alpha = _places(), torch.rand(50, 1)
    assert losses.flow(uv, uv + 1, uv + 1, NO, NO, alpha, step=STEP).item() == 0
    assert losses.alpha_flow(alpha, alpha + 1, alpha - 1, NO, NO).item() == 0


def test_alpha_flow_is_the_mean_of_both_directions() -> None:
    alpha = torch.full((50, 1), 0.5)
    value = losses.alpha_flow(alpha, alpha + 0.25, alpha - 0.125, YES, YES)
    assert value.item() == pytest.approx((0.25 + 0.125) / 2)
    assert losses.alpha_flow(alpha, alpha + 0.25, alpha, YES, NO).item() == pytest.approx(0.125)


def test_reconstruction_sums_over_channels() -> None:
    colour = torch.rand(50, 3)
    assert losses.reconstruction(colour + 0.1, colour).item() == pytest.approx(0.03, rel=1e-4)


def test_the_gradient_term_leaves_out_neighbours_outside_the_picture() -> None:
    difference = torch.rand(50, 3)
    right = difference + torch.where(torch.arange(50) < 25, 0.1, 5.0)[:, None]
    inside = torch.arange(50) < 25
    value = losses.gradient(right, difference, difference, difference, inside, inside)
    assert value.item() == pytest.approx(0.03, rel=1e-4)
    assert losses.gradient(right, right, difference, difference, NO, NO).item() == 0


def test_sparsity_asks_for_black_where_the_foreground_is_not_seen() -> None:
    foreground = torch.full((50, 3), 0.5)
    assert losses.sparsity(torch.zeros(50, 1), foreground).item() == pytest.approx(0.75)
    assert losses.sparsity(torch.ones(50, 1), foreground).item() == 0
    assert losses.sparsity(torch.zeros(50, 1), foreground * 0).item() == 0


@pytest.mark.parametrize("alpha", [0.001, 0.991])
@pytest.mark.parametrize("mask", [0.0, 1.0])
def test_bootstrap_is_finite_at_both_ends(alpha: float, mask: float) -> None:
    value = losses.bootstrap(torch.full((50, 1), alpha), torch.full((50,), mask), YES)
    expected = -math.log(alpha) if mask else -math.log(1 - alpha)
    assert value.item() == pytest.approx(expected, rel=1e-3)


def test_unknown_masks_teach_nothing() -> None:
    alpha = torch.full((50, 1), 0.9)
    known = torch.arange(50) < 10
    mask = known.float()
    assert losses.bootstrap(alpha, mask, known).item() == pytest.approx(-math.log(0.9), rel=1e-4)
    assert losses.bootstrap(alpha, mask, NO).item() == 0
