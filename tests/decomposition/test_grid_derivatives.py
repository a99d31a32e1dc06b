"""The written-out derivatives are those of the plain formulas."""

import torch
from torch.nn import functional

from engine.decomposition.grid import losses
from engine.decomposition.grid.derivatives import over, smooth
from engine.decomposition.grid.splines import Lattice, field, planes

CORNERS = [(1, 2), (0, 0)]


def random(*shape):
    generator = torch.Generator().manual_seed(len(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.double).requires_grad_(True)


def test_a_box_is_laid_over_the_background_and_nothing_else_changes():
    front, behind = random(3, 2, 4, 5), random(3, 2, 6, 8)
    alphas = random(2, 4, 5).detach().sigmoid().requires_grad_(True)
    whole = over(front, behind, alphas, CORNERS)
    for number, (top, left) in enumerate(CORNERS):
        box = (slice(None), number, slice(top, top + 4), slice(left, left + 5))
        mixed = alphas[number] * front[:, number] + (1 - alphas[number]) * behind[box]
        assert torch.allclose(whole[box], mixed)
        rest = torch.ones_like(behind, dtype=torch.bool)
        rest[box] = False
        assert torch.equal(whole[:, number][rest[:, number]], behind[:, number][rest[:, number]])

    def laid(front, behind, alphas):
        return over(front, behind, alphas, CORNERS)

    assert torch.autograd.gradcheck(laid, (front, behind, alphas))


def test_smoothing_repeats_the_border_and_has_its_own_derivative():
    texture = random(3, 5, 7)
    padded = functional.pad(texture[None], (1, 1, 1, 1), mode="replicate")[0]
    across = (padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]) / 4
    both = (across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]) / 4
    assert torch.allclose(smooth(texture), both)
    assert torch.autograd.gradcheck(smooth, (texture,))


def test_the_colour_terms_are_smooth_l1_and_differ_from_it_in_nothing():
    error = (0.3 * random(3, 2, 6, 7)).detach().requires_grad_(True)
    across, down = error[..., 1:] - error[..., :-1], error[..., 1:, :] - error[..., :-1, :]
    sizes = [
        functional.smooth_l1_loss(part, torch.zeros_like(part), beta=losses.TURN)
        for part in (error, across, down)
    ]
    assert torch.allclose(losses.reconstruction(error), sizes[0])
    assert torch.allclose(losses.gradient(error), (sizes[1] + sizes[2]) / 2)
    assert torch.autograd.gradcheck(losses.reconstruction, (error,))
    assert torch.autograd.gradcheck(losses.gradient, (error,))


def test_the_terms_of_alpha_and_gain_are_the_plain_formulas():
    logits, masks, knots = random(2, 5, 6), random(2, 5, 6, 1)[..., 0].sigmoid(), random(2, 4, 5, 3)
    masks, support = masks.detach(), (random(2, 5, 6, 1, 1)[..., 0, 0] > 0).double()
    error = functional.binary_cross_entropy_with_logits(logits, masks, reduction="none")
    entropy = (error * support).sum() / support.sum()
    across, down = logits.diff(dim=2).abs().mean(), logits.diff(dim=1).abs().mean()
    gradients = knots.diff(dim=2).square().mean() + knots.diff(dim=1).square().mean()
    assert torch.allclose(losses.bootstrap(logits, masks, support), entropy)
    assert torch.allclose(losses.alpha_smoothness(logits), across + down)
    assert torch.allclose(losses.gain(knots), knots.square().mean() + gradients / 2)
    assert torch.autograd.gradcheck(lambda x: losses.bootstrap(x, masks, support), (logits,))
    assert torch.autograd.gradcheck(losses.alpha_smoothness, (logits,))
    assert torch.autograd.gradcheck(losses.gain, (knots,))


def test_fields_are_the_same_with_channels_first():
    lattice = Lattice(20, 10, 4)
    knots = random(2, lattice.rows, lattice.columns, 3)
    across = lattice.basis_x(torch.arange(20).double()).expand(2, -1, -1)
    down = lattice.basis_y(torch.arange(10).double()).expand(2, -1, -1)
    expected = field(knots, across, down).permute(3, 0, 1, 2)
    assert torch.allclose(planes(knots, across, down), expected)
