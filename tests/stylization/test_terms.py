from dataclasses import replace

import torch

from engine.contract.job import TargetTexts
from engine.contract.settings import StylizationWeights, ViewsSettings
from engine.stylization.canvas import cut_canvases
from engine.stylization.targets import embed_targets
from engine.stylization.terms import text_loss, weighted_sum, with_noise
from engine.stylization.texture import LearnedTexture


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


def test_what_to_avoid_counts_in_the_first_colour(layers, encoder, settings):
    """The same colour has a higher loss where its views are what the object should not be."""
    canvases = cut_canvases(layers, layers.foreground, settings.views)
    atlas = LearnedTexture.initial(
        layers, canvases, settings, size=encoder.size, generator=torch.Generator().manual_seed(0)
    )
    texts = TargetTexts(global_text="gold")
    plain = embed_targets(texts, encoder, settings)
    losses = [
        text_loss(atlas, canvases, encoder, replace(plain, avoid=avoid), settings, seed=1)
        for avoid in (None, plain.global_texts, -plain.global_texts)
    ]
    assert max(losses) > losses[0] == min(losses)
