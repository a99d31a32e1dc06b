import pytest
import torch

from engine.contract.settings import StylizationSettings
from engine.decomposition.model import AtlasNetwork
from engine.stylization.network import NetworkAtlas
from engine.stylization.shading import ShadingStatistics
from engine.stylization.texture import MEAN_RATE, LearnedTexture
from engine.stylization.train import set_learning_rate

STATISTICS = ShadingStatistics(level=0.3, side=0.6)
DRAFT = StylizationSettings(atlas="texture", steps=100, learning_rate=0.05)


def test_the_papers_learning_rate_falls_in_stairs():
    paper = StylizationSettings()
    rates = [paper.learning_rate * NetworkAtlas.rate_factor(s, paper) for s in (0, 400, 1000, 1800)]
    assert rates == pytest.approx([1e-4, 8.1e-5, 5.9e-5, 3.9e-5], rel=0.01)


def test_a_textures_learning_rate_warms_up_and_fades():
    factors = [LearnedTexture.rate_factor(step, DRAFT) for step in (0, 7, 49, 75, 99)]
    assert factors == pytest.approx([1 / 8, 1, 1, 0.5, 0.02])


def test_a_textures_mean_colour_moves_more_slowly_than_its_waves():
    atlas = LearnedTexture(
        STATISTICS, torch.zeros(2), torch.ones(2), side=8, generator=torch.Generator()
    )
    optimiser = atlas.optimiser(DRAFT)
    set_learning_rate(optimiser, atlas.rate_factor(75, DRAFT))
    rates = {id(group["params"][0]): group["lr"] for group in optimiser.param_groups}
    assert rates == {id(atlas.waves): 0.025, id(atlas.mean): pytest.approx(0.025 * MEAN_RATE)}


def test_all_of_a_network_moves_at_one_rate():
    atlas = NetworkAtlas(AtlasNetwork(width=8, depth=3, frequencies=2, skips=(1,)), STATISTICS)
    optimiser = atlas.optimiser(StylizationSettings())
    (group,) = optimiser.param_groups
    assert group["lr"] == 1e-4 and len(group["params"]) == len(list(atlas.parameters()))
