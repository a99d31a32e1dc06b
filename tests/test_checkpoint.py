"""The state of a training survives, or is not there; never half."""

import errno
import random

import pytest
import torch

from engine.checkpoint import Checkpoint, train_with_restart
from engine.contract import files
from engine.contract.events import EngineError, Fault
from engine.workspace import explain_failures


def test_a_state_comes_back(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    assert checkpoint.load() is None
    state = {"step": 3, "weights": torch.rand(4), "generator": torch.Generator().get_state()}
    checkpoint.save(state)
    loaded = checkpoint.load()
    assert loaded is not None and loaded["step"] == 3
    assert torch.equal(loaded["weights"], state["weights"])


def test_a_damaged_state_counts_as_none(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    checkpoint.path.write_bytes(b"half a checkp")
    assert checkpoint.load() is None


def test_it_is_due_when_its_time_has_come(tmp_path):
    assert not Checkpoint(tmp_path / "checkpoint.pt", seconds=60).due()
    assert Checkpoint(tmp_path / "checkpoint.pt", seconds=0).due()


def test_no_damage_is_believed(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    checkpoint.save({"step": 3, "weights": torch.rand(40)})
    whole = checkpoint.path.read_bytes()
    chance = random.Random(1)
    for _ in range(300):
        place, bit = chance.randrange(len(whole)), chance.randrange(8)
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        checkpoint.path.write_bytes(damaged)
        assert checkpoint.load() is None, (place, bit)
    for size in range(0, len(whole), 37):
        checkpoint.path.write_bytes(whole[:size])
        assert checkpoint.load() is None, size


def test_a_full_disk_keeps_the_last_state_and_says_so(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    checkpoint.save({"step": 1})

    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(EngineError) as failure, explain_failures(tmp_path):
        checkpoint.save({"step": 2, "weights": torch.rand(100_000)})
    assert failure.value.fault is Fault.DISK_FULL
    loaded = checkpoint.load()
    assert loaded is not None and loaded["step"] == 1


class Said:
    """A report that keeps warnings."""

    def __init__(self):
        self.warnings = []

    def warning(self, message, hint=""):
        self.warnings.append(message)


def test_what_is_not_finite_is_never_saved(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    checkpoint.save({"step": 1, "nested": [{"weights": torch.ones(2)}]})
    with pytest.raises(EngineError) as failure:
        checkpoint.save({"step": 2, "nested": [{"weights": torch.tensor([1.0, torch.nan])}]})
    assert failure.value.fault is Fault.DIVERGED
    loaded = checkpoint.load()
    assert loaded is not None and loaded["step"] == 1


@pytest.mark.parametrize("lasts", [False, True])
def test_a_training_that_diverges_goes_on_once_from_its_last_state_more_slowly(tmp_path, lasts):
    checkpoint, report = Checkpoint(tmp_path / "checkpoint.pt"), Said()
    tried = []

    def train(part):
        weights = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([weights], lr=1.0 * part)
        state = checkpoint.load()
        if state is not None:
            weights.data.copy_(state["weights"])
            optimizer.load_state_dict(state["optimizer"])
        tried.append((weights.item(), part, optimizer.param_groups[0]["lr"]))
        checkpoint.save({"weights": torch.ones(1), "optimizer": optimizer.state_dict()})
        if lasts or len(tried) == 1:
            checkpoint.save({"weights": torch.full((1,), torch.inf)})
        return "learned"

    if lasts:
        with pytest.raises(EngineError) as failure:
            train_with_restart(train, checkpoint, report)
        assert failure.value.fault is Fault.DIVERGED
    else:
        assert train_with_restart(train, checkpoint, report) == "learned"
    assert tried == [(0.0, 1.0, 1.0), (1.0, 0.25, 0.25)]
    assert len(report.warnings) == 1 and "quarter" in report.warnings[0]


def test_only_failures_below_the_folder_are_failures_to_write_there(tmp_path):
    elsewhere = PermissionError(errno.EACCES, "Permission denied", "/footage/a.png")
    with pytest.raises(PermissionError), explain_failures(tmp_path):
        raise elsewhere
