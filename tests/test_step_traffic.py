"""What a step of the stylization asks of a GPU: little, in one piece, without waiting for it.

Counted on the pretended device. The counting is tested first.
"""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from engine import device as devices
from engine.contract.settings import StylizationSettings, StylizationWeights, ViewsSettings
from engine.decomposition.model import AtlasNetwork
from engine.stylization import canvas
from engine.stylization.canvas import cut_canvases, resize
from engine.stylization.network import NetworkAtlas
from engine.stylization.targets import Targets
from engine.stylization.terms import step_terms, weighted_sum
from engine.stylization.texture import initial_texture
from engine.stylization.train import on_device, set_learning_rate
from engine.stylization.validation import Validation

from .pretended import DEVICE, pretending, watching
from .stylization.conftest import moving_disc

# In a step, forth and back, with a tower of two, a picture beside the texts, and what to avoid.
# Each of a texture's nine views reads its canvas by an operation of its own.
MOST_OPERATIONS = {"network": 410, "texture": 380}
FACTS = {"network": 18, "texture": 10}  # of each view, in the one copy
VIEWS = ViewsSettings(global_views=1, local_views=2)
EVERYTHING = StylizationWeights(unevenness=1)


@pytest.fixture
def pretence():
    with pretending():
        yield


class Tower(torch.nn.Module):
    """Sees a picture's coarse colours; two operations in place of a CLIP's."""

    size = 32

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.randn(3 * 16, 8, generator=generator).to(DEVICE)

    def embed_images(self, images):
        return functional.avg_pool2d(images, 8).flatten(1) @ self.weight


def a_context(form, *, frames=5, **changes):
    """All that a step needs, on the device, and the step itself."""
    settings = replace(StylizationSettings(atlas=form, views=VIEWS), **changes)
    layers = on_device(moving_disc(frames=frames), DEVICE)
    canvases = cut_canvases(layers, layers.foreground, settings.views)
    tower, generator = Tower(), torch.Generator().manual_seed(0)
    rows = functional.normalize(torch.randn(8, 8, generator=generator), dim=1).to(DEVICE)
    targets = Targets(rows, rows, rows[:2], 0.3, rows)
    if form == "network":
        network = AtlasNetwork(width=8, frequencies=3).to(DEVICE)
        atlas = NetworkAtlas(network, canvases.statistics)
    else:
        frame, statistics = canvases.atlas_frame, canvases.statistics
        atlas = initial_texture(layers, frame, statistics, density=16, generator=generator).to(
            DEVICE
        )
    sampler = atlas.sampler(canvases, tower.size, settings)
    for place in range(frames):  # where a frame shows the object is looked for once
        resize(canvases, place, tower.size, settings)
        _ = canvases.canvases[place].index
    optimiser = atlas.optimiser(settings)

    def backpropagate():
        terms = step_terms(sampler, canvases, tower, targets, settings, generator=generator)
        optimiser.zero_grad()
        weighted_sum(terms, settings.weights).backward()

    def move():
        set_learning_rate(optimiser, atlas.rate_factor(0, settings))
        optimiser.step()

    def validate():
        validation = Validation(canvases, tower, targets, settings)
        return lambda: validation.score(sampler)

    return SimpleNamespace(backpropagate=backpropagate, move=move, validate=validate)


def counted(act, times=2):
    """What each of ``times`` calls of ``act`` asked for, after one to get ready."""
    act()
    found = []
    for _ in range(times):
        with watching() as traffic:
            act()
        found.append(traffic)
    return found


@pytest.mark.parametrize(
    "wait",
    [
        lambda there: there.sum().item(),
        lambda there: float(there[0, 0]),
        lambda there: int(there[0, 0]),
        lambda there: bool((there > 1).any()),
        lambda there: there.tolist(),
        lambda there: there.cpu(),
        lambda there: there.nonzero(),
        lambda there: there[there > 1],
        lambda there: there[[1, 0]],
        lambda there: there[torch.tensor([1, 0])],
        lambda there: there.new_tensor([1.0, 2.0]),
        lambda there: torch.tensor([1.0], device=DEVICE),
        lambda there: torch.ones(2).to(DEVICE),
    ],
)
def test_what_waits_is_counted(pretence, wait):
    there = torch.arange(6.0).reshape(2, 3).to(DEVICE)
    with watching() as traffic:
        wait(there)
    assert traffic.waits.total() == 1 and not traffic.carried


def test_what_does_not_wait_is_not_counted(pretence):
    there = torch.arange(6.0).reshape(2, 3).to(DEVICE)
    order = torch.tensor([1, 0], device=DEVICE)
    with watching() as traffic:
        _ = (2 * there[order] + there.new_zeros(3))[1:].T
        devices.send(torch.ones(4, 2), DEVICE)
    assert not traffic.waits and traffic.carried == {(4, 2): 1}
    assert traffic.operations == {"index": 1, "mul": 1, "new_zeros": 1, "add": 1}


@pytest.mark.parametrize("form", ["network", "texture"])
def test_an_ordinary_step_waits_nowhere_and_carries_its_views_only(pretence, form):
    context = a_context(form)
    for traffic in counted(context.backpropagate):
        assert not traffic.waits
        assert traffic.carried == {(3, 3, FACTS[form]): 1}
        assert traffic.operations.total() <= MOST_OPERATIONS[form]
    for traffic in counted(context.move):
        assert not traffic.waits and not traffic.carried


@pytest.mark.parametrize("form", ["network", "texture"])
def test_a_step_with_everything_waits_nowhere(pretence, form):
    context = a_context(form, views=replace(VIEWS, noise=0.1), weights=EVERYTHING)
    for traffic in counted(context.backpropagate):
        assert not traffic.waits
        assert traffic.carried.total() == 2  # its views and their noise


def test_canvases_that_are_enlarged_again_wait_nowhere(pretence, monkeypatch):
    monkeypatch.setattr(canvas, "MOST_KEPT", 1)
    for traffic in counted(a_context("network", frames=7).backpropagate):
        assert not traffic.waits


def test_the_validation_score_is_read_once(pretence):
    for traffic in counted(a_context("network").validate()):
        assert traffic.waits.total() == 1 and not traffic.carried
