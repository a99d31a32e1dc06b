"""What a computation has found so far is found again after a kill, with the same bits."""

import cv2
import numpy as np
import pytest
import torch

from engine.checkpoint import Checkpoint, tensor_once
from engine.contract.events import Stopped
from engine.contract.settings import DecompositionSettings, FlowSettings, GridSettings
from engine.decomposition.grid import background, foreground, refinement, registration
from engine.decomposition.train import decompose
from engine.partial_results import UNSAVED, PartialResults
from engine.video import flow as motion
from engine.video.flow import closer_flow, estimate_flow
from tests.synthetic import moving_sprite


class Killed(BaseException):
    """What ends a computation in these tests at once, as a signal would."""


class Listener:
    """A report that asks for a stop after so many questions."""

    def __init__(self, stop_after=10**9):
        self.left = stop_after

    def progress(self, step, total, terms=None):
        pass

    def preview(self, name, image):
        pass

    def warning(self, message, hint=""):
        pass

    def stopping(self):
        self.left -= 1
        return self.left < 0


def squares(first):
    for number in range(first, 6):
        yield [np.array(number**2), np.full((2, number), number, np.uint8)]


def test_results_come_back_in_their_order(tmp_path):
    kept = PartialResults(tmp_path, seconds=0)
    whole = list(kept.each("squares", squares))
    begun = []

    def rest(first):
        begun.append(first)
        return squares(first)

    again = list(PartialResults(tmp_path, seconds=0).each("squares", rest))
    assert begun == [6]
    for one, other in zip(whole, again, strict=True):
        assert all(np.array_equal(*both) for both in zip(one, other, strict=True))
        assert [each.dtype for each in one] == [each.dtype for each in other]


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "gone"])
def test_what_follows_a_damaged_file_is_computed_again(tmp_path, harm):
    list(PartialResults(tmp_path, seconds=0).each("squares", squares))
    path = sorted(tmp_path.iterdir())[3]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes({"flip": data, "cut": data[:-1]}.get(harm, b""))
    if harm == "gone":
        path.unlink()
    begun = []

    def rest(first):
        begun.append((first, len(list(tmp_path.iterdir()))))
        return squares(first)

    kept = PartialResults(tmp_path, seconds=0)
    assert [int(each[0]) for each in kept.each("squares", rest)] == [0, 1, 4, 9, 16, 25]
    assert begun == [(3, 3)]
    again = PartialResults(tmp_path, seconds=0).each("squares", lambda first: [])
    assert [int(each[0]) for each in again] == [0, 1, 4, 9, 16, 25]


def test_a_generator_of_random_numbers_goes_on_where_it_was(tmp_path):
    def drawn(random):
        return lambda first: ([random.random(2)] for _ in range(first, 5))

    random = np.random.default_rng(3)
    whole = [*UNSAVED.each("drawn", drawn(random), random)]
    following = random.random()
    random = np.random.default_rng(3)
    for number, _ in enumerate(
        PartialResults(tmp_path, seconds=0).each("drawn", drawn(random), random)
    ):
        if number == 2:
            break
    random = np.random.default_rng(3)
    again = [*PartialResults(tmp_path, seconds=0).each("drawn", drawn(random), random)]
    assert np.array_equal(whole, again)
    assert random.random() == following


def test_what_is_asked_for_twice_in_one_run_is_computed_twice(tmp_path):
    kept = PartialResults(tmp_path, seconds=0)
    first, second = ([int(each[0]) for each in kept.each("squares", squares)] for _ in range(2))
    assert first == second
    assert len(list(PartialResults(tmp_path).each("squares", squares))) == 6


def test_a_tensor_comes_back_as_it_was(tmp_path):
    value, cpu = torch.rand(3, 4).mT, torch.device("cpu")
    for compute in (value.clone, pytest.fail):
        kept = PartialResults(tmp_path, seconds=0)
        assert torch.equal(tensor_once(kept, "value", cpu, compute), value)


def test_nothing_is_written_before_it_is_time(tmp_path):
    kept = PartialResults(tmp_path / "kept", seconds=60)
    list(kept.each("squares", squares))
    assert not kept.folder.exists()
    kept.save()
    assert len(list(kept.folder.iterdir())) == 1
    kept.remove()
    assert not kept.folder.exists()


def killed_after_every(saves, folder, monkeypatch, compute):
    """Return what ``compute(partial results)`` gives at last, and how often it was killed."""
    kills = 0
    while True:
        kept, left = PartialResults(folder, seconds=0), saves
        save = kept.save

        def saved_or_killed(save=save):
            nonlocal left
            save()
            left -= 1
            if not left:
                raise Killed

        kept.save = saved_or_killed
        try:
            return compute(kept), kills
        except Killed:
            kills += 1
            assert kills < 200


def counted(monkeypatch, module, name):
    """Count the calls of a function of ``module``."""
    calls, function = [], getattr(module, name)

    def counting(*arguments, **words):
        calls.append(None)
        return function(*arguments, **words)

    monkeypatch.setattr(module, name, counting)
    return calls


@pytest.fixture(scope="module")
def footage():
    return moving_sprite(frames=6, width=80, height=64)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def all_equal(one, other):
    return all(
        np.array_equal(*both) for both in zip(vars(one).values(), vars(other).values(), strict=True)
    )


@pytest.mark.parametrize("kind", ["flow", "closer"])
def test_flow_that_is_killed_at_every_save_is_the_same(footage, tmp_path, monkeypatch, kind):
    settings, listener = FlowSettings(), Listener()
    greys = np.stack(
        [
            cv2.resize(each[..., 1], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
            for each in footage.frames
        ]
    )

    def compute(partial):
        if kind == "flow":
            return estimate_flow(footage.frames, settings, listener, partial=partial)
        return closer_flow(footage.flow, greys, settings, listener, partial=partial)

    whole = compute(UNSAVED)
    monkeypatch.setattr(motion, "ahead", map)
    calls = counted(monkeypatch, motion, "_with_validity")
    resumed, kills = killed_after_every(1, tmp_path, monkeypatch, compute)
    assert kills == 5 and len(calls) == 5
    assert all_equal(whole, resumed)


def test_a_stop_in_the_flow_loses_nothing(footage, tmp_path, monkeypatch):
    with pytest.raises(Stopped):
        estimate_flow(footage.frames, FlowSettings(), Listener(2), partial=PartialResults(tmp_path))
    monkeypatch.setattr(motion, "ahead", map)
    calls = counted(monkeypatch, motion, "_with_validity")
    partial = PartialResults(tmp_path)
    resumed = estimate_flow(footage.frames, FlowSettings(), Listener(), partial=partial)
    assert len(calls) == 2
    assert all_equal(resumed, estimate_flow(footage.frames, FlowSettings(), Listener()))


def decomposed(footage, checkpoint, report=None):
    settings = DecompositionSettings(grid=GridSettings(steps=2, atlas_size=32))
    return decompose(
        footage.frames, footage.flow, footage.given_masks(), settings, device=torch.device("cpu"),
        seed=0, report=report or Listener(), checkpoint=checkpoint,
    )  # fmt: skip


WORK = [
    (foreground.matching, "flow_matches"), (foreground, "track_matches"), (registration, "_round"),
    (foreground, "unfold_knots"), (background, "_sample_matches"), (refinement, "_least_energy"),
]  # fmt: skip


def test_a_registration_that_is_killed_at_every_save_is_the_same(footage, tmp_path, monkeypatch):
    calls = [counted(monkeypatch, *work) for work in WORK]
    whole = decomposed(footage, Checkpoint(tmp_path / "whole.pt"))
    once = [len(each) for each in calls]
    assert min(once) >= 1

    def compute(partial):
        checkpoint = Checkpoint(tmp_path / "killed.pt", seconds=0)
        checkpoint.partial = partial
        return decomposed(footage, checkpoint)

    resumed, kills = killed_after_every(1, tmp_path / "killed.partial", monkeypatch, compute)
    assert [len(each) for each in calls] == [2 * number for number in once]
    assert kills == sum(once)
    ours, theirs = whole.tensors(), resumed.tensors()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_stop_in_the_registration_loses_nothing(footage, tmp_path, monkeypatch):
    whole = decomposed(footage, Checkpoint(tmp_path / "whole.pt"))
    calls = [counted(monkeypatch, *work) for work in WORK]
    with pytest.raises(Stopped):
        decomposed(footage, Checkpoint(tmp_path / "stopped.pt"), Listener(8))
    resumed = decomposed(footage, Checkpoint(tmp_path / "stopped.pt"))
    assert len(calls[0]) == len(foreground.matching.pairs(6, 3)) and len(calls[1]) == 1
    ours, theirs = whole.tensors(), resumed.tensors()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
