"""One job, several objects and the background, each with texts of its own."""

import json

import numpy as np
import pytest

from engine import pipeline
from engine.contract.codec import Refusal, job_from_json, set_from_text, to_json
from engine.contract.events import Progress
from engine.contract.folder import JobFolder
from engine.contract.job import JobSpec, MaskKind, ObjectMask, Stage, TargetObject, TargetTexts
from engine.contract.settings import preset
from engine.reporter import Reporter
from engine.video.frames import footage_from_path
from engine.video.images import read_rgb, write_png
from engine.workspace import Cache

from .test_pipeline import QUICK, events_of

FRAMES, HEIGHT, WIDTH = 5, 72, 128
ZEBRA, GOLD = TargetTexts("zebra fur"), TargetTexts("gold")


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """Two discs before noise: the first passes before the second."""
    folder = tmp_path_factory.mktemp("two")
    rng = np.random.default_rng(0)
    plain = rng.integers(60, 120, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    patterns = rng.integers(0, 255, (2, HEIGHT, WIDTH, 3)).astype(np.uint8)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for name in ("frames", "near", "far"):
        (folder / name).mkdir()
    for index in range(FRAMES):
        discs = {
            "near": (columns - 40 - 4 * index) ** 2 + (rows - 36) ** 2 < 18**2,
            "far": (columns - 84 + 2 * index) ** 2 + (rows - 36) ** 2 < 20**2,
        }
        frame = plain.copy()
        for pattern, name in zip(patterns, ("far", "near"), strict=True):
            frame[discs[name]] = np.roll(pattern, 4 * index, axis=1)[discs[name]]
            mask = np.repeat(discs[name][..., None] * np.uint8(255), 3, axis=2)
            write_png(folder / name / f"{index}.png", mask)
        write_png(folder / "frames" / f"{index}.png", frame)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("cache"))


def target(footage, name, texts):
    return TargetObject(texts, ObjectMask(MaskKind.FILES, str(footage / name)), name)


def run(footage, cache, out, *objects, background=None):
    settings = preset("draft")
    for assignment in QUICK:
        settings = set_from_text(settings, assignment)
    spec = JobSpec(
        footage_from_path(footage / "frames"), objects, background or TargetTexts(), settings
    )
    folder = JobFolder(out)
    folder.write_spec(spec)
    with Reporter(folder) as report:
        pipeline.run(folder.read_spec(), cache, report)
    frames = [read_rgb(path) for path in sorted(folder.result.iterdir())]
    return np.stack(frames), json.loads(folder.report.read_text())


def masks(footage, name):
    return np.stack([read_rgb(path)[..., 0] for path in sorted((footage / name).iterdir())]) > 127


def shown(footage):
    return np.stack([read_rgb(path) for path in sorted((footage / "frames").iterdir())])


def changed(footage, frames):
    return (frames != shown(footage)).any(axis=3)


@pytest.fixture(scope="module")
def both(footage, cache, tmp_path_factory):
    near, far = target(footage, "near", ZEBRA), target(footage, "far", GOLD)
    return run(footage, cache, tmp_path_factory.mktemp("both"), near, far)


def test_each_object_changes_and_nothing_else(footage, both):
    frames, report = both
    where = changed(footage, frames)
    near, far = masks(footage, "near"), masks(footage, "far")
    assert where[near].mean() > 0.8 and where[far & ~near].mean() > 0.8
    assert where[~(near | far)].mean() < 0.1
    assert len(report["metrics"]["targets"]) == 2
    assert [len(report["keys"][name]) for name in ("masks", "stylization")] == [2, 2]


def test_an_object_without_text_stays_and_hides_what_is_behind(footage, cache, tmp_path, both):
    near, far = target(footage, "near", TargetTexts()), target(footage, "far", GOLD)
    frames, report = run(footage, cache, tmp_path, near, far)
    where = changed(footage, frames)
    assert where[masks(footage, "far") & ~masks(footage, "near")].mean() > 0.8
    inside = masks(footage, "near") & ~masks(footage, "far")
    assert where[inside].mean() < 0.05
    assert report["keys"]["decomposition"] == both[1]["keys"]["decomposition"]


def test_the_background_changes_and_the_object_stays(footage, cache, tmp_path):
    near = target(footage, "near", TargetTexts())
    frames, _ = run(footage, cache, tmp_path, near, background=TargetTexts("ice"))
    change = np.abs(frames.astype(int) - shown(footage)).mean(axis=3)
    near = masks(footage, "near")
    inside = np.stack([np.roll(m, 3, 0) & np.roll(m, -3, 0) for m in near])
    assert changed(footage, frames)[~near].mean() > 0.8
    assert change[inside].mean() < 0.2 * change[~near].mean()


def test_the_progress_of_several_objects_is_that_of_one_stage(both, footage, cache, tmp_path):
    run(footage, Cache(tmp_path / "cache"), tmp_path / "job", target(footage, "near", ZEBRA),
        target(footage, "far", GOLD))  # fmt: skip
    steps = [
        (event.step, event.total)
        for event in events_of(tmp_path / "job")
        if isinstance(event, Progress) and event.stage is Stage.STYLIZATION
    ]
    assert steps == sorted(steps) and steps[-1][0] == steps[-1][1]


def test_a_job_in_which_nothing_has_a_text_is_refused(footage):
    spec = JobSpec(footage_from_path(footage / "frames"), (TargetObject(),))
    with pytest.raises(Refusal, match="no object and no background"):
        job_from_json(to_json(spec))
