"""A sweep: cells from one decomposition, ranked, with the textures that jobs of their own have."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from engine import __main__ as command_line
from engine import pipeline, trained_artifacts
from engine.contract import sweeps
from engine.contract.codec import event_from_json
from engine.contract.events import Preview, StageFinished, Stopped
from engine.contract.folder import JobFolder
from engine.contract.job import Pin, Stage, Sweep
from engine.contract.settings import replace_setting
from engine.reporter import Reporter
from engine.video.images import read_rgb
from engine.workspace import Cache

from .synthetic import moving_sprite

TEXTS = ("Bird with zebra fur", "Bird made of gold")
QUICK = (
    "frames.longest_side=96", "decomposition.grid.steps=8", "decomposition.grid.atlas_size=64",
    "stylization.steps=6", "stylization.views.local_views=2", "stylization.snapshot_every=3",
    "stylization.encoder=embedded",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with footage, a cache, a job whose masks are found, and its sweep."""
    place = tmp_path_factory.mktemp("sweep")
    moving_sprite(frames=6, width=122, height=70).write(place)
    line = ["stylize", str(place / "frames"), "--masks", str(place / "masks")]
    line += ["--global-text", "Bird made of wood", "--preset", "draft"]
    line += ["--out", str(place / "job"), "--cache", str(place / "cache")]
    assert command_line.main(line + [word for each in QUICK for word in ("--set", each)]) == 0
    assert sweep(place, place / "all", "--seeds", "2", "--strengths", "1,0,0.5") == 0
    return place


def sweep(place, out, *more, texts=TEXTS):
    line = ["sweep", str(place / "job"), "--out", str(out), "--cache", str(place / "cache")]
    return command_line.main([*line, *(w for text in texts for w in ("--texts", text)), *more])


def middle_of(mask):
    """The middle of a mask, x and y."""
    rows, columns = np.nonzero(read_rgb(mask)[..., 0] > 127)
    return float(columns.mean()), float(rows.mean())


def reused(out):
    lines = JobFolder(Path(out)).events.read_text(encoding="utf-8").splitlines()
    found = [event_from_json(json.loads(line)) for line in lines]
    return {each.stage for each in found if isinstance(each, StageFinished) and each.reused}


@pytest.fixture
def trainings(monkeypatch):
    """The texts that are trained from now on."""
    found, real = [], trained_artifacts.stylize

    def count(layers, frames, texts, *others, **more):
        found.append(texts.global_text)
        return real(layers, frames, texts, *others, **more)

    monkeypatch.setattr(trained_artifacts, "stylize", count)
    return found


def test_all_cells_come_from_one_decomposition_and_are_ranked(place):
    cells = sweeps.read_cells(place / "all" / "sweep")
    assert {(each.text, each.seed, each.strength) for each in cells} == {
        (text, seed, strength) for text in TEXTS for seed in (0, 1) for strength in (0, 0.5, 1)
    }
    assert list(cells) == sweeps.best_first(cells[::-1])
    assert [each.score for each in cells] == sorted((c.score for c in cells), reverse=True)
    assert len({each.score for each in cells}) == 4  # one of each look
    assert reused(place / "all") >= {Stage.FRAMES, Stage.MASKS, Stage.DECOMPOSITION}
    sheet = read_rgb(place / "all" / "sweep" / sweeps.SHEET_FILE)
    assert np.array_equal(sheet, read_rgb(place / "all" / "preview" / "sweep.png"))
    assert not (place / "all" / "result").exists()


def test_more_strength_is_farther_from_the_footage(place):
    folder = place / "all" / "sweep"
    cells = sweeps.read_cells(folder)
    for text in TEXTS:
        by_strength = {
            each.strength: read_rgb(folder / each.picture).astype(float)
            for each in cells
            if each.text == text and each.seed == 1
        }
        frames = sorted((place / "frames").glob("*.png"))
        assert any(np.array_equal(by_strength[0], read_rgb(path)) for path in frames)
        half, whole = (np.abs(by_strength[s] - by_strength[0]).mean() for s in (0.5, 1))
        assert 0 < half < whole


def test_a_cell_becomes_frames_without_new_training(place, trainings, tmp_path):
    spec = JobFolder(place / "all").read_spec()
    cell = sweeps.read_cells(place / "all" / "sweep")[-1]
    folder = JobFolder(tmp_path / "take")
    folder.write_spec(sweeps.request_of(spec, cell))
    assert command_line.main(["run", str(folder.path), "--cache", str(place / "cache")]) == 0
    assert reused(folder.path) == set(Stage) - {Stage.RENDER} and trainings == []
    shown = read_rgb(place / "all" / "sweep" / cell.picture)
    assert any(np.array_equal(read_rgb(path), shown) for path in folder.result.glob("*.png"))


def test_a_stopped_sweep_goes_on_with_the_cells_that_it_lacks(place, trainings, tmp_path):
    texts = ("Bird with cactus skin", "Bird made of silver", TEXTS[0])
    spec = dataclasses.replace(JobFolder(place / "job").read_spec(), sweep=Sweep(texts))
    folder = JobFolder(tmp_path / "swept")
    folder.write_spec(spec)
    cache = Cache(place / "cache")

    def stop(event):
        if isinstance(event, Preview) and event.name == "sweep":
            report.request_stop()

    with Reporter(folder, listen=stop) as report, pytest.raises(Stopped):
        pipeline.run(folder.read_spec(), cache, report)
    assert trainings[0] == texts[0] and not folder.sweep.exists()
    with Reporter(folder) as report:
        pipeline.run(folder.read_spec(), Cache(place / "cache"), report)
    assert trainings.count(texts[0]) == 1 and set(trainings) == set(texts)
    assert {each.text for each in sweeps.read_cells(folder.sweep)} == set(texts)


def test_parts_of_a_sweep_by_several_processes_are_found_by_the_whole(place, trainings, tmp_path):
    for number, text in enumerate(TEXTS):
        assert sweep(place, tmp_path / str(number), "--seeds", "2", texts=[text]) == 0
    assert sweep(place, tmp_path / "whole", "--seeds", "2") == 0
    assert trainings == []  # the sweep of this module has the same texts and seeds
    found = sweeps.read_cells(tmp_path / "whole" / "sweep")
    parts = [each for n in "01" for each in sweeps.read_cells(tmp_path / n / "sweep")]
    assert {(c.text, c.seed, c.score) for c in found} == {(c.text, c.seed, c.score) for c in parts}


@pytest.mark.parametrize(
    ("texts", "more", "words"),
    [
        (TEXTS, ["--seeds", "0"], "0 is not between 1 and 16"),
        (TEXTS, ["--strengths", "1,2"], "2.0 is not between 0 and 1"),
        (TEXTS, ["--strengths", "much"], "expected numbers with commas"),
        (TEXTS, ["--strengths", "1,1"], "each only once"),
        (("a gold bird", " "), [], "one of them is empty"),
        (("a gold bird", "a gold bird "), [], "each only once"),
        ([f"a gold bird {n}" for n in range(600)], ["--seeds", "2"], "1200 cells are more than"),
        (("bird",), [], "says what the object is"),
    ],
)
def test_what_is_no_sweep_is_refused_in_a_sentence(place, tmp_path, capsys, texts, more, words):
    assert sweep(place, tmp_path / "out", *more, texts=texts) == 2
    said = capsys.readouterr()
    assert words in said.err + said.out


def test_a_cell_shows_what_pins_correct(place, trainings, tmp_path):
    spec = JobFolder(place / "job").read_spec()
    (item,) = spec.objects
    mid, end = (middle_of(place / "masks" / f"{index:03d}.png") for index in (0, 5))
    pins = (Pin((0, 5), (*mid, end[0] + 3, end[1])),)
    spec = dataclasses.replace(spec, objects=(dataclasses.replace(item, pins=pins),))
    style = replace_setting(spec.settings, "stylization.candidates", 2)
    swept = dataclasses.replace(spec, settings=style, sweep=Sweep(TEXTS[:1]))
    folder, take = JobFolder(tmp_path / "swept"), JobFolder(tmp_path / "take")
    folder.write_spec(swept)
    with Reporter(folder) as report:
        pipeline.run(folder.read_spec(), Cache(place / "cache"), report)
    cell = sweeps.read_cells(folder.sweep)[0]
    take.write_spec(sweeps.request_of(swept, cell))
    with Reporter(take) as report:
        pipeline.run(take.read_spec(), Cache(place / "cache"), report)
    shown = read_rgb(folder.sweep / cell.picture)
    assert any(np.array_equal(read_rgb(path), shown) for path in take.result.glob("*.png"))
    assert trainings == []


def test_a_farm_does_no_sweep(place, capsys):
    assert command_line.main(["stage", "prepare", str(place / "all")]) == 2
    assert "is a sweep" in capsys.readouterr().err


def test_without_an_object_the_background_is_swept(place):
    spec = JobFolder(place / "job").read_spec()
    bare = dataclasses.replace(spec, objects=(), sweep=Sweep(TEXTS))
    assert [each.global_text for each in bare.targets] == list(TEXTS)
    assert bare.with_front_text("an oil painting").background.global_text == "an oil painting"
