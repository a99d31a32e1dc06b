import torch

from engine.contract.settings import StylizationWeights, ViewsSettings
from engine.stylization.terms import weighted_sum, with_noise


def test_terms_without_weight_neither_count_nor_slope():
    weights = StylizationWeights(sparsity=2.0, unevenness=0.0)
    leaf = torch.tensor(3.0, requires_grad=True)
    other = torch.tensor(5.0, requires_grad=True)
    loss = weighted_sum({"sparsity": leaf * leaf, "unevenness": other * other}, weights)
    loss.backward()
    assert loss == 18 and leaf.grad == 12 and other.grad is None


def test_with_no_weight_at_all_the_loss_is_nothing_but_slopes_are():
    leaf = torch.tensor(3.0, requires_grad=True)
    weighted_sum({"unevenness": leaf * leaf}, StylizationWeights()).backward()
    assert leaf.grad == 0


def test_noise_is_drawn_for_the_whole_views_of_all_frames_first():
    views = ViewsSettings(global_views=1, local_views=2, noise=0.2)
    seen = with_noise(torch.full((2, 3, 3, 4, 4), 0.5), views, torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(1)
    strength = 0.2 * torch.rand(6, 1, 1, 1, generator=generator)
    grain = strength * torch.randn(6, 3, 4, 4, generator=generator)
    drawn = torch.stack([grain[[0, 2, 3]], grain[[1, 4, 5]]])
    assert torch.equal(seen, (0.5 + drawn).clamp(0, 1))
