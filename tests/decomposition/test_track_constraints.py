import numpy as np
import pytest
import torch

from engine.decomposition.grid import refinement, track_constraints
from engine.decomposition.grid.matches import NONE, Matches
from engine.decomposition.grid.refinement import refine_mapping
from engine.decomposition.grid.track_constraints import SHORTEST, track_constraint

from .test_refinement import FRAMES, SIDE, moving

BIAS = 0.15  # px a frame by which the flow is wrong


def tracks(*, wrong: int = 0, gap: int = FRAMES - 2) -> Matches:
    """Tracks on the disk of `moving`, all over the same gap; some lead 9 px beside."""
    random = np.random.default_rng(0)
    first = random.integers(0, FRAMES - gap, 300)
    start = np.stack([random.uniform(9, 23, 300) + first, random.uniform(13, 27, 300)], 1)
    end = start + np.array([gap, 0])
    end[:wrong] += [0, 9]
    return Matches(first, first + gap, start, end, np.ones(300))


def biased() -> tuple:
    """Return the mapping and masks of `moving`, and a flow that slides over the disk."""
    uv, masks, (ahead, valid), (behind, _) = moving()
    slide = torch.tensor([0.0, BIAS])
    return uv, masks, (ahead + slide, valid), (behind - slide, valid)


def drift(uv: torch.Tensor) -> float:
    """Return how far the disk slides from the first frame to the last, px."""
    gap = FRAMES - 1
    step = (uv[-1, 13:28, 9 + gap : 24 + gap] - uv[0, 13:28, 9:24]).norm(dim=2) * SIDE
    return float(step.mean())


def test_tracks_hold_what_the_flow_would_carry_away():
    footage = biased()
    carried, held = refine_mapping(*footage), refine_mapping(*footage, tracks=tracks())
    assert drift(carried) > 0.7
    assert drift(held) < 0.5 * drift(carried)


def test_wrong_tracks_count_little(monkeypatch):
    footage = biased()
    right = refine_mapping(*footage, tracks=tracks())

    def moved() -> torch.Tensor:
        partly = refine_mapping(*footage, tracks=tracks(wrong=30))
        return (partly - right).norm(dim=3)[footage[1] > 0.5].median()

    robust = moved()
    monkeypatch.setattr(track_constraints, "ROBUST_SCALE", 1e3)
    assert robust < 0.5 * moved()


def test_short_tracks_do_not_count():
    footage = biased()
    assert torch.equal(
        refine_mapping(*footage, tracks=tracks(gap=SHORTEST - 1)), refine_mapping(*footage)
    )


@pytest.mark.parametrize("times", [2, 3])
def test_tracks_hold_coarser_places_of_large_frames(times):
    footage, side = biased(), times * refinement.COARSE_SIDE
    carried = refine_mapping(*footage, longest_side=side)
    held = refine_mapping(*footage, tracks=tracks(), longest_side=side)
    assert drift(held) < 0.6 * drift(carried)


def test_the_gradient_is_that_of_the_energy():
    uv, *_ = moving()
    step = torch.tensor(1 / SIDE)
    constraint = track_constraint(
        tracks(wrong=5), uv.permute(0, 3, 1, 2), size=(SIDE, SIDE), step=step
    )
    generator = torch.Generator().manual_seed(0)
    displacement = torch.randn(FRAMES, 2, SIDE, SIDE, generator=generator).requires_grad_()
    weight = constraint.irls_weights(displacement).detach()
    assert weight.min() > 0 and weight.max() <= 1
    residual = constraint.residual + constraint.residual_change(displacement)
    energy = (weight[:, None] * residual.square()).sum() / 2
    (expected,) = torch.autograd.grad(energy, displacement)
    found = torch.zeros_like(expected)
    constraint.add_gradient(found, residual.detach(), weight)
    assert torch.allclose(found, expected, atol=1e-4)


def test_tracks_of_a_mapping_that_follows_them_leave_no_residual():
    uv, *_ = moving()
    step = torch.tensor(1 / SIDE)
    first = uv.permute(0, 3, 1, 2)
    constraint = track_constraint(tracks(), first, size=(SIDE // 2, SIDE // 2), step=step)
    assert constraint.residual.abs().max() < 1e-3
    still = torch.ones(FRAMES, 2, SIDE // 2, SIDE // 2)
    assert constraint.residual_change(still).abs().max() < 1e-5


def test_no_tracks_are_no_constraint():
    uv, *_ = moving()
    constraint = track_constraint(
        NONE, uv.permute(0, 3, 1, 2), size=(SIDE, SIDE), step=torch.tensor(1.0)
    )
    assert constraint.residual.shape == (0, 2)
    assert constraint.residual_change(torch.ones(FRAMES, 2, SIDE, SIDE)).shape == (0, 2)


def test_tracks_may_be_in_boxes_one_pixel_wide():
    uv = torch.zeros(6, 2, 1, 1)
    point = np.zeros((1, 2))
    one = Matches(np.array([0]), np.array([5]), point, point, np.ones(1))
    constraint = track_constraint(one, uv, size=(1, 1), step=torch.tensor(1.0))
    assert constraint.places.max() < 6
    rising = torch.arange(6.0).view(6, 1, 1, 1).expand(-1, 2, -1, -1)
    assert constraint.residual_change(rising)[0].tolist() == pytest.approx([5.0, 5.0])
