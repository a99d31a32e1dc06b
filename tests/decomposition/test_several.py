"""Other objects in the picture: neither layer learns from them; and footage without any object."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.checkpoint import Checkpoint
from engine.contract.settings import DecompositionSettings, GridSettings, NlaSettings
from engine.decomposition.layers import sample_atlas
from engine.decomposition.train import decompose
from engine.evaluation.drift import folds
from engine.video.masks import no_object
from tests.decomposition.test_grid_train import Listener, decibels, drift
from tests.decomposition.two_objects import PILLAR, behind_a_pillar

SETTINGS = DecompositionSettings(
    grid=GridSettings(steps=60, atlas_size=96),
    mlp=NlaSettings(
        steps=300, points=1000, width=24, atlas_size=64, pretrain_rounds=10, learning_rate=2e-3,
        bootstrap_steps=300, global_rigidity_steps=100,
    ),
)  # fmt: skip


def decomposed(video, masks, folder, *, engine="grid", frames=None):
    torch.set_num_threads(1)
    own, others = masks
    return decompose(
        video.frames if frames is None else frames,
        video.flow,
        own,
        replace(SETTINGS, engine=engine),
        others=others,
        device=torch.device("cpu"),
        seed=0,
        report=Listener(),
        checkpoint=Checkpoint(folder / "state.pt"),
    )


@pytest.fixture(scope="module")
def video():
    return behind_a_pillar(frames=8, width=96, height=56)


@pytest.fixture(scope="module")
def sprite(video, tmp_path_factory):
    return decomposed(video, video.masks(1), tmp_path_factory.mktemp("sprite"))


def pillar_colour(colours):
    """Return how many of ``colours`` [..., 3] in [0, 1] are near the pillar's."""
    away = np.abs(np.asarray(colours) - PILLAR / 255).max(-1)
    return int((away < 0.12).sum())


def test_no_atlas_holds_the_colours_of_another_object(sprite):
    assert pillar_colour(sprite.atlas) == 0
    assert pillar_colour(sprite.atlas_background) == 0


def test_without_being_told_the_pillar_would_be_in_the_background(video, tmp_path):
    layers = decomposed(video, (video.masks(1)[0], None), tmp_path)
    assert pillar_colour(layers.atlas_background) > 100


def test_alpha_is_what_is_seen(video, sprite):
    alpha = sprite.alpha.numpy()
    assert alpha[video.pillar].max() < 1e-3
    seen = (video.bare.alpha > 0.99) & ~video.pillar
    assert alpha[seen].mean() > 0.97


def test_the_mapping_goes_on_beneath_what_hides_the_object(video, sprite):
    assert drift(video.bare, sprite) < 1.0  # as without the pillar, hidden spots too
    hidden = torch.from_numpy((video.bare.alpha > 0.99) & video.pillar)
    assert folds(sprite.uv.numpy(), hidden.numpy()) == 0
    shown = sample_atlas(sprite.atlas, sprite.uv).numpy()[hidden.numpy()]
    assert decibels(shown - video.bare.frames[hidden.numpy()] / 255) > 25


def test_what_is_behind_another_object_is_known_from_other_frames(video, sprite):
    hidden = (video.bare.alpha == 0) & video.pillar
    error = sprite.background.numpy()[hidden] - video.bare.frames[hidden] / 255
    assert decibels(error) > 24


def test_the_nearer_object_is_reconstructed_too(video, tmp_path):
    layers = decomposed(video, video.masks(0), tmp_path)
    error = layers.reconstruction().numpy() - video.frames / 255
    assert decibels(error[video.pillar]) > 30
    assert layers.alpha.numpy()[~video.pillar].mean() < 0.03


def test_a_whole_hidden_frame_does_not_lose_the_object(video, tmp_path):
    own, others = video.masks(1)
    gone = 4
    masks, hiding, frames = own.masks.copy(), others.copy(), video.frames.copy()
    masks[gone], hiding[gone], frames[gone] = 0, 255, PILLAR
    flow = replace(
        video.flow,
        forward_valid=video.flow.forward_valid.copy(),
        backward_valid=video.flow.backward_valid.copy(),
    )
    flow.forward_valid[gone - 1 : gone + 1] = False
    flow.backward_valid[gone - 1 : gone + 1] = False
    layers = decomposed(
        replace(video, flow=flow), (replace(own, masks=masks), hiding), tmp_path, frames=frames
    )
    assert layers.alpha[gone].max() == 0
    assert pillar_colour(layers.atlas) == pillar_colour(layers.atlas_background) == 0
    assert drift(video.bare, layers) < 2


@pytest.mark.parametrize("engine", ["grid", "mlp"])
def test_footage_without_an_object_is_all_background(video, tmp_path, engine):
    flow = video.bare.flow
    scenery = np.where(video.bare.alpha[..., None] > 0, 128, video.bare.frames).astype(np.uint8)
    layers = decomposed(
        replace(video, flow=flow), (no_object(scenery), None), tmp_path, engine=engine,
        frames=scenery,
    )  # fmt: skip
    assert layers.alpha.abs().max() == 0 and layers.coverage.abs().max() == 0
    error = layers.background.numpy() - scenery / 255
    assert decibels(error[video.bare.alpha == 0]) > (26 if engine == "grid" else 17)


def test_the_published_engine_learns_nothing_from_other_objects(video, tmp_path):
    layers = decomposed(video, video.masks(1), tmp_path, engine="mlp")
    shown = layers.reconstruction().numpy()[~video.pillar]
    assert decibels(shown - video.frames[~video.pillar] / 255) > 15
    behind = sample_atlas(layers.atlas_background, layers.uv_background).numpy()
    assert pillar_colour(behind) == 0
