from dataclasses import replace

import pytest
import torch

from engine.contract.job import TargetTexts
from engine.stylization.atlas import PaletteAtlas
from engine.stylization.canvas import cut_canvases
from engine.stylization.exam import Exam
from engine.stylization.previews import Previews
from engine.stylization.progress import progress_of
from engine.stylization.starts import starts
from engine.stylization.targets import embed_targets
from engine.stylization.train import first_atlas, painter_of


@pytest.fixture
def started(layers, encoder, settings, listener):
    """Return a function that gives the states to learn from, and what an exam says of each."""

    def run(**changes):
        changed = replace(settings, steps=24, **changes)
        generator = torch.Generator().manual_seed(0)
        progress = progress_of(changed, listener)
        canvases = cut_canvases(layers, layers.foreground, changed.views)
        targets = embed_targets(TargetTexts("gold"), encoder, changed)
        atlas = first_atlas(layers, canvases, changed, encoder.size, generator, progress)
        assert isinstance(atlas, PaletteAtlas)
        exam = Exam(canvases, encoder, targets, changed)
        previews = Previews(layers, layers.foreground, [0], listener)
        states = starts(
            atlas, canvases, encoder, targets, changed, generator, exam, progress, previews
        )
        scores = []
        for state in states:
            atlas.load_state_dict(state)
            scores.append(exam.score(painter_of(atlas, canvases, encoder.size, changed)))
        return states, scores

    return run


def test_of_several_trials_the_one_that_does_best_in_the_exam_goes_first(started):
    states, scores = started(palette_trials=3)
    assert len(states) == 3
    assert scores[0] > max(scores[1:]) - 0.01  # trials are read through fewer texels
    assert not torch.equal(states[0]["palette"], states[1]["palette"])


def test_without_trials_each_candidate_has_a_first_look_of_its_own(started):
    states, _ = started(palette_trials=1, candidates=3)
    assert len(states) == 3
    patterns = {
        (*state["tiling"].tolist(), *state["palette"].flatten().tolist()) for state in states
    }
    assert len(patterns) == 3
