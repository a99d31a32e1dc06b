"""The trainings: they go on where they were, and what they measure is what they say."""

from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tools import image_stage, train_encoder
from tools.bank import make_bank
from tools.colours import UNNAMED
from tools.export import load
from tools.image_stage import (
    ImageSettings,
    ImageTraining,
    anchored,
    attack_radius,
    learning_rate,
    moved,
    train_images,
)
from tools.scenes import Recipe, draw_batch
from tools.score import right
from tools.text_stage import agreement, mentioned

SETTINGS = ImageSettings(
    steps=12, batch=4, width=8, layers=(1, 1, 1, 1), embedding=16, clean=2, ramp=4, cooling=0.01
)


@pytest.fixture(scope="module")
def bank():
    return make_bank(41, 1)


def test_scenes_follow_from_the_seed(bank):
    first, second = (draw_batch(np.random.default_rng(3), bank, Recipe(), 6, 64) for _ in range(2))
    assert np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])
    assert first[0].shape == (6, 3, 64, 64) and first[0].min() >= 0 and first[0].max() <= 1


def test_a_stopped_training_ends_as_one_that_was_not_stopped(bank, tmp_path):
    whole = ImageTraining(SETTINGS)
    train_images(whole, bank, Recipe(), tmp_path / "whole.pt")
    part = ImageTraining(replace(SETTINGS, steps=6))
    train_images(part, bank, Recipe(), tmp_path / "part.pt")
    again = ImageTraining(SETTINGS)
    again.resume(tmp_path / "part.pt")
    assert again.step == 6
    train_images(again, bank, Recipe(), tmp_path / "part.pt")
    for key, value in whole.average.state_dict().items():
        assert torch.equal(value, again.average.state_dict()[key]), key


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    ImageTraining(SETTINGS).save(tmp_path / "state.pt")
    with pytest.raises(ValueError, match="other settings"):
        ImageTraining(replace(SETTINGS, radius=0.5)).resume(tmp_path / "state.pt")


def test_a_tower_that_has_learned_goes_on_with_anchors_where_its_classes_lie(bank, monkeypatch):
    monkeypatch.setattr(image_stage, "ANCHORING", 12)
    tower, settings = load()[0].visual, ImageSettings(batch=64)
    sorter = anchored(tower, bank, Recipe(even=True), settings)
    for key, value in tower.state_dict().items():
        assert torch.equal(value, sorter.tower.state_dict()[key]), key
    pictures, labels = draw_batch(np.random.default_rng(9), bank, Recipe(), 128, 64)
    with torch.no_grad():
        scores = sorter.eval().scores(sorter.embed(torch.from_numpy(pictures)))[0]
    named = (scores.argmax(1) == torch.from_numpy(labels)[:, 0]).float().mean()
    assert named > 0.5  # of 80 classes
    training = ImageTraining(settings)
    training.begin(sorter)
    assert torch.equal(training.average.anchors[0], sorter.anchors[0])
    assert torch.equal(training.model.tower.conv1.weight, tower.conv1.weight)


def test_the_mean_of_towers_counts_one_that_is_named_twice_twice(monkeypatch):
    towers = {}
    for name, value in (("early", 1.0), ("late", 4.0)):
        towers[name] = torch.nn.BatchNorm1d(2)
        torch.nn.init.constant_(towers[name].weight, value)
        towers[name].num_batches_tracked.fill_(int(value))

    def loaded(name):
        return SimpleNamespace(visual=deepcopy(towers[name])), None

    monkeypatch.setattr(train_encoder, "load", loaded)
    mean = train_encoder.mean_tower(["early", "late", "late"])
    assert mean.weight.tolist() == [3, 3] and mean.num_batches_tracked == 3
    assert mean.num_batches_tracked.dtype == torch.long


def test_until_the_cooling_nothing_depends_on_the_number_of_steps():
    short, long = ImageSettings(steps=20_000), ImageSettings(steps=40_000)
    for step in (0, 100, 2500, 4000, 11_999):
        assert learning_rate(short, step) == learning_rate(long, step)
        assert attack_radius(short, step) == attack_radius(long, step)
    assert learning_rate(short, 19_999) == pytest.approx(0.01 * short.rate)


def test_an_attack_ends_on_its_ball():
    attack = torch.randn(3, 3, 8, 8)
    radius = torch.tensor([0.5, 1.0, 100.0]).view(3, 1, 1, 1)
    length = moved(attack, torch.zeros_like(attack), radius).flatten(1).norm(dim=1)
    assert length[:2] == pytest.approx([0.5, 1.0], rel=1e-4)
    assert length[2] == pytest.approx(float(attack[2].norm()), rel=1e-4)


def test_a_caption_is_true_of_what_it_does_not_contradict():
    labels = torch.tensor([[3, 1, 0], [3, 2, 0], [4, 1, UNNAMED]])
    named = torch.tensor([[3, -1, -1], [-1, 1, -1], [-1, 1, 0], [3, -1, -2]])
    assert agreement(named, labels).tolist() == [[1, 1, 0], [1, 0, 1], [1, 0, 0], [1, 1, 0]]


def test_what_is_mentioned_is_never_nothing():
    rng = np.random.default_rng(0)
    for labels in ([5, -1, -1], [5, 2, -1], [5, -1, 4], [5, 2, 4]):
        for _ in range(60):
            assert (mentioned(rng, np.array(labels)) >= 0).any()


def test_the_second_guess_counts_among_the_best_two():
    anchors, labels = torch.eye(3), torch.tensor([1, 1])
    embeddings = torch.tensor([[0.9, 0.5, 0.1], [0.9, 0.1, 0.5]])
    assert right(embeddings, anchors, labels) == 0.0
    assert right(embeddings, anchors, labels, best=2) == 0.5
