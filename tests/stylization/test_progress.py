"""The bar of a stylization moves from its first second on, and never back."""

from dataclasses import replace

import pytest
import torch

from engine.contract.events import Stopped
from engine.contract.job import TargetTexts
from engine.contract.settings import StylizationSettings, ViewsSettings, preset
from engine.stylization import distillation
from engine.stylization.atlas import PaletteAtlas
from engine.stylization.canvas import cut_canvases
from engine.stylization.palette import first_looks, views_looked_at
from engine.stylization.progress import looks_ahead, progress_of, steps_of_trials
from engine.stylization.targets import embed_targets
from engine.stylization.train import stylize

TEXTS = TargetTexts("a swan with zebra fur", "zebra fur")


def run(layers, settings, encoder, checkpoint, listener):
    frames = (layers.reconstruction() * 255).round().byte()
    stylize(
        layers, frames, TEXTS, settings, encoder=encoder, device="cpu", seed=0, report=listener,
        checkpoint=checkpoint,
    )  # fmt: skip


def test_first_looks_tell_of_about_as_many_views_as_are_expected(layers, settings, encoder):
    canvases = cut_canvases(layers, layers.foreground, ViewsSettings())
    generator = torch.Generator().manual_seed(0)
    atlas = PaletteAtlas(canvases.atlas_frame, canvases.statistics, colours=4, generator=generator)
    targets, heard = embed_targets(TEXTS, encoder, settings), []
    for count in (2, 20):
        fewer = replace(settings, palette_candidates=count)
        heard.clear()
        middle = canvases.canvases[0]
        first_looks(atlas, middle, encoder, targets, fewer, generator, heard.append)
        assert 0.6 < sum(heard) / views_looked_at(fewer) < 1.2


def test_what_comes_before_the_first_step_moves_the_bar(
    layers, settings, encoder, checkpoint, listener
):
    run(layers, settings, encoder, checkpoint, listener)
    steps, totals = [step for step, _ in listener.ahead], {total for _, total in listener.ahead}
    bar = progress_of(settings, listener)
    assert totals == {bar.total} and bar.total == bar.ahead + settings.steps
    assert steps == sorted(steps) and steps[0] == 0 and steps[-1] == bar.ahead
    assert len(set(steps)) > bar.ahead / 2
    assert listener.steps[-1] == settings.steps


def test_a_fit_of_the_colour_network_moves_the_bar(
    layers, settings, encoder, checkpoint, listener, monkeypatch
):
    monkeypatch.setattr(distillation, "POINTS", 512)
    fitted = replace(settings, atlas="network", distillation_steps=300, steps=1)
    run(layers, fitted, encoder, checkpoint, listener)
    assert {step for step, _ in listener.ahead} == {0, 1, 2, 3}


def test_first_looks_end_where_the_host_asks(layers, settings, encoder, checkpoint, listener):
    listener.stopping = lambda: len(listener.ahead) > 2
    with pytest.raises(Stopped):
        run(layers, settings, encoder, checkpoint, listener)
    assert len(listener.ahead) == 3 and not listener.steps


def test_the_steps_ahead_are_in_proportion_to_the_work():
    draft = preset("draft").stylization
    assert steps_of_trials(draft) == 0  # Draft has none
    tried = replace(draft, palette_trials=6, steps=80)
    assert steps_of_trials(tried) == 6 * 4 + 2 * 6
    twice = replace(draft, frames_per_step=2 * draft.frames_per_step)
    assert looks_ahead(twice) == pytest.approx(looks_ahead(draft) / 2)
    assert progress_of(StylizationSettings(atlas="network"), None).ahead == 10
