"""The twenty pictures: what is painted, and what the judges are asked."""

import numpy as np
import pytest

from engine.contract.settings import preset
from engine.stylization.encoder import Encoder
from tools.export import load
from tools.judge import WITNESSES
from tools.materials import MATERIALS
from tools.optimise_pictures import (
    SIDE,
    TWENTY,
    Painting,
    grey_object,
    labelled,
    paint_object,
    settings_of,
)


@pytest.fixture(scope="module")
def painting() -> Painting:
    clip, tokenizer = load()
    return paint_object(Encoder(clip, tokenizer), "swan", "gold", TWENTY["gold"], steps=1, seed=3)


def test_the_twenty_are_materials_that_we_paint():
    assert len(TWENTY) == 20
    assert set(TWENTY) <= {material.name for material in MATERIALS}


def test_the_object_is_grey_and_its_surroundings_are_not():
    layers, frames = grey_object("swan", 3)
    inside = layers.alpha[0] == 1
    grey = frames[0][inside]
    assert float((grey.amax(1) - grey.amin(1)).max()) < 1e-5
    colourful = frames[0][layers.alpha[0] == 0]
    assert float((colourful.amax(1) - colourful.amin(1)).max()) > 0.1
    assert 0.1 < float(inside.float().mean()) < 0.7


def test_one_frame_is_seen_as_often_as_three_of_a_draft_job():
    draft, views = preset("draft").stylization, settings_of(10).views
    assert views.local_views == draft.views.local_views * draft.frames_per_step
    assert views.global_views == draft.views.global_views * draft.frames_per_step


def test_only_the_object_is_painted(painting):
    layers, frames = grey_object("swan", 3)
    height, width = painting.picture.shape[:2]
    before, alpha = frames[0].numpy(), layers.alpha[0].numpy()
    same = [
        np.abs(before[y : y + height, x : x + width] - painting.picture)[
            alpha[y : y + height, x : x + width] == 0
        ].max(initial=0)
        for y in range(SIDE - height + 1)
        for x in range(SIDE - width + 1)
    ]
    assert min(same) < 0.01


def test_every_judge_gives_its_verdict(painting):
    assert set(painting.verdicts) == set(WITNESSES)
    for judge, names in painting.verdicts.items():
        assert painting.named_by(judge) == (names[0][0] == "gold")


def test_the_sheet_shows_the_picture_and_the_verdicts(painting):
    block = labelled(painting, 80)
    assert block.shape == (110, 80, 3) and block.dtype == np.uint8
    assert block[80:].min() < 128
