"""How many frames of the footage, at its own size, a job holds at once: a few, however long it is.

That is what keeps 280 frames of 1080p within the memory (docs/scale.md).
"""

import weakref

import pytest

from engine import __main__ as command_line
from engine import restyling
from engine.video import frames, mask_files

from .farm.jobs import write_job
from .synthetic import moving_sprite

MOST = 4  # one that is read, one that is worked on, one that is measured, and a view of one
LENGTH = 24


class Held:
    """Counts which arrays of several streams are still somewhere in memory."""

    def __init__(self):
        self.now, self.most, self.total = 0, 0, 0

    def watch(self, stream):
        for each in stream:
            self.now += 1
            self.total += 1
            self.most = max(self.most, self.now)
            weakref.finalize(each, self._forget)
            yield each
            del each

    def _forget(self):
        self.now -= 1


@pytest.fixture
def held(monkeypatch):
    """What is read of the footage and of the masks, by who reads it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = {}
    for module, name in (
        (frames, "source_frames"), (restyling, "whole_frames"), (mask_files, "read_picture"),
    ):  # fmt: skip
        counter, read = found.setdefault(name, Held()), getattr(module, name)
        one = name == "read_picture"

        def watched(*arguments, counter=counter, read=read, one=one):
            stream = [read(*arguments)] if one else read(*arguments)
            return next(counter.watch(stream)) if one else counter.watch(stream)

        monkeypatch.setattr(module, name, watched)
    return found


def test_a_long_job_holds_few_frames_of_the_footage(held, tmp_path):
    clip = moving_sprite(frames=LENGTH, width=84, height=48).write(tmp_path / "footage")
    out = write_job(clip, tmp_path / "job")
    assert command_line.main(["run", str(out), "--cache", str(tmp_path / "cache"), "--quiet"]) == 0
    for name, counter in held.items():
        assert counter.total >= LENGTH, name
        assert counter.most <= MOST, name
