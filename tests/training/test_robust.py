"""Stage one on a network of one convolution: the attack, the rates, and going on after a stop."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from training import robust
from training.blending import refit_directions
from training.robust import (
    RobustSettings,
    RobustTraining,
    attack_radius,
    batches,
    lengths,
    projected,
    rate_factor,
)
from training.scenes import NOTHING, SIDE, Batch, draw_batch

from .conftest import TinyNetwork

SETTINGS = RobustSettings(
    steps=40, photographs=3, materials=2, replays=2, clean=2, ramp=4, warm_up=4, rate=1e-3,
    direction_rate=0.05,
)  # fmt: skip


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(robust, "pretrained", lambda variant: TinyNetwork().eval())


def batch(seed=0, size=5):
    rng = np.random.default_rng(seed)
    pictures = rng.random((size, 3, SIDE, SIDE), dtype=np.float32)
    labels = np.array([NOTHING] * 3 + list(range(size - 3)))
    return Batch(pictures, pictures[:3], labels, labels.copy())


def same(one, other):
    mine, theirs = one.state_dict(), other.state_dict()
    return all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_the_attack_grows_from_nothing_to_its_radius():
    settings = RobustSettings(radius=2.0, clean=10, ramp=20)
    radii = [attack_radius(settings, step) for step in (0, 10, 20, 30, 1000)]
    assert radii == pytest.approx([0, 0, 1, 2, 2])


def test_the_rate_warms_up_stays_and_falls_to_a_hundredth():
    settings = RobustSettings(steps=1000, warm_up=10, cooling=0.5)
    factors = [rate_factor(settings, step) for step in (0, 4, 9, 500, 750, 999)]
    assert factors == pytest.approx([0.1, 0.5, 1, 1, 0.5, 0.01])


def test_until_it_cools_the_rate_does_not_depend_on_how_long_it_will_be():
    shorter, longer = (RobustSettings(steps=steps, cooling=0.6) for steps in (1000, 3000))
    assert all(rate_factor(shorter, s) == rate_factor(longer, s) for s in range(0, 400, 7))


def test_an_attack_is_cut_to_its_radius_and_a_shorter_one_stays():
    generator = torch.Generator().manual_seed(0)
    long = 5 * torch.randn(2, 3, 4, 4, generator=generator)
    radius = torch.tensor([1.0, 100.0]).view(2, 1, 1, 1)
    found = projected(long, radius)
    assert float(lengths(found)[0]) == pytest.approx(1) and torch.equal(found[1], long[1])
    assert torch.nn.functional.cosine_similarity(found[0].flatten(), long[0].flatten(), 0) > 0.999
    assert torch.equal(projected(torch.zeros(2, 3, 4, 4), radius), torch.zeros(2, 3, 4, 4))


def test_nothing_is_attacked_at_first_and_never_beyond_the_radius():
    training = RobustTraining(SETTINGS)
    training.learn(batch())
    assert training.step == 2 and training.attack.abs().max() < 1e-6
    for _ in range(5):
        training.learn(batch())
    longest = float(lengths(training.attack).max())
    assert 0.2 * SETTINGS.radius < longest <= SETTINGS.radius * 1.001


def test_it_learns_to_name_and_to_see_as_the_teacher_does():
    training = RobustTraining(replace(SETTINGS, radius=0.0))
    with torch.no_grad():
        for parameter in training.student.network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    terms = [training.learn(batch()) for _ in range(15)]
    for name in ("features", "materials", "colours"):
        assert terms[-1][name] < 0.9 * terms[0][name], name
    assert terms[-1]["named"] == 1
    assert same(training.teacher, RobustTraining(SETTINGS).teacher)
    assert not same(training.average, training.student)


def test_a_resumed_training_is_as_if_it_had_never_stopped(tmp_path):
    whole, parted = RobustTraining(SETTINGS), RobustTraining(SETTINGS)
    for number in range(4):
        whole.learn(batch(number))
    torch.manual_seed(SETTINGS.seed)  # both are in one process
    parted = RobustTraining(SETTINGS)
    for number in range(2):
        parted.learn(batch(number))
    parted.save(tmp_path / "state.pt")
    torch.manual_seed(99)
    resumed = RobustTraining(SETTINGS)
    resumed.resume(tmp_path / "state.pt")
    assert resumed.step == 4
    for number in range(2, 4):
        resumed.learn(batch(number))
    assert same(resumed.student, whole.student) and same(resumed.average, whole.average)
    assert torch.equal(resumed.attack, whole.attack)


def test_a_resumed_training_goes_on_with_the_batches_that_were_drawn_ahead(photographs, surfaces):
    training = RobustTraining(SETTINGS)
    whole = list(itertools.islice(batches(training, photographs, surfaces), 4))
    training.step = 2 * SETTINGS.replays
    resumed = list(itertools.islice(batches(training, photographs, surfaces), 2))
    for one, other in zip(whole[2:], resumed, strict=True):
        assert np.array_equal(one.pictures, other.pictures)
        assert np.array_equal(one.materials, other.materials)
    assert not np.array_equal(whole[0].pictures, whole[1].pictures)


def test_other_settings_are_refused_but_more_steps_are_not(tmp_path):
    training = RobustTraining(SETTINGS)
    training.save(tmp_path / "state.pt")
    longer = replace(SETTINGS, steps=90, cooling=0.3)
    RobustTraining(longer).resume(tmp_path / "state.pt")
    other = RobustTraining(replace(longer, radius=0.5))
    with pytest.raises(ValueError, match="other settings"):
        other.resume(tmp_path / "state.pt")


def test_directions_begin_as_the_means_of_what_the_teacher_sees(photographs, surfaces):
    training = RobustTraining(SETTINGS)
    training.begin(photographs, surfaces, batches=1)
    student = training.student
    norms = student.materials.detach().norm(dim=1)
    assert ((norms - 1).abs() < 1e-4).all()
    assert student.centre.abs().sum() > 0 and same(student, training.average)


def test_directions_are_fitted_anew_to_a_network_that_moved(photographs, surfaces):
    training = RobustTraining(SETTINGS)
    training.begin(photographs, surfaces, batches=1)
    student = training.average
    before = {name: each.clone() for name, each in student.state_dict().items()}
    with torch.no_grad():
        student.network.conv.weight.neg_()
    moved = student.network.conv.weight.clone()
    refit_directions(student, photographs, surfaces, replace(SETTINGS, refits=3))
    assert torch.equal(student.network.conv.weight, moved)
    for name in ("centre", "materials", "colours"):
        assert not torch.equal(student.state_dict()[name], before[name]), name
    drawn = draw_batch(np.random.default_rng(5), photographs, surfaces, (8, 40))
    known = torch.from_numpy(drawn.materials)
    fitted = {name: each.clone() for name, each in student.state_dict().items()}
    other = {**fitted, "materials": before["materials"]}
    losses = []
    for state in (other, fitted):
        student.load_state_dict(state)
        cosines, _ = student.cosines(student.features(torch.from_numpy(drawn.pictures)))
        chosen = known >= 0
        losses.append(torch.nn.functional.cross_entropy(20 * cosines[chosen], known[chosen]))
    assert losses[1] < losses[0]
