"""The bar of a stylization moves from its first second on, and never back."""

from dataclasses import replace

import pytest

from engine.contract.events import Stopped
from engine.contract.job import TargetTexts
from engine.contract.settings import StylizationSettings, preset
from engine.stylization import network
from engine.stylization.progress import progress_of
from engine.stylization.train import stylize

TEXTS = TargetTexts("a swan with zebra fur", "zebra fur")


@pytest.fixture
def fitted(settings, monkeypatch):
    """Settings of a network that is fitted before the first step."""
    monkeypatch.setattr(network, "POINTS", 32)
    return replace(settings, atlas="network", distillation_steps=300, steps=1)


def run(layers, settings, encoder, checkpoint, listener):
    frames = (layers.reconstruction() * 255).round().byte()
    stylize(
        layers, frames, TEXTS, settings, encoder=encoder, device="cpu", seed=0, report=listener,
        checkpoint=checkpoint,
    )  # fmt: skip


def test_a_texture_learns_from_the_first_moment_on(layers, settings, encoder, checkpoint, listener):
    run(layers, settings, encoder, checkpoint, listener)
    assert not listener.ahead and listener.steps == [1, 2, 3, 4, 5, 6]


def test_a_fit_of_the_colour_network_moves_the_bar(layers, fitted, encoder, checkpoint, listener):
    run(layers, fitted, encoder, checkpoint, listener)
    steps = [step for step, _ in listener.ahead]
    assert steps == sorted(steps) and set(steps) == {0, 1, 2, 3}
    assert {total for _, total in listener.ahead} == {4} and listener.steps == [1]


def test_a_fit_ends_where_the_host_asks(layers, fitted, encoder, checkpoint, listener):
    listener.stopping = lambda: len(listener.ahead) > 2
    with pytest.raises(Stopped):
        run(layers, fitted, encoder, checkpoint, listener)
    assert len(listener.ahead) == 3 and not listener.steps


def test_the_steps_ahead_are_in_proportion_to_the_work():
    draft = replace(preset("draft").stylization, candidates=3)
    bar = progress_of(draft, None)
    assert bar.ahead == 0 and bar.total == 3 * draft.steps
    assert progress_of(StylizationSettings(atlas="network"), None).ahead == 10
