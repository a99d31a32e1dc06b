"""Another method's frames: where they are looked for, what is refused, and what is measured."""

import json

import numpy as np
import pytest

from engine.__main__ import main
from engine.contract.events import EngineError
from engine.evaluation.comparison import named_folders, other_frames
from engine.evaluation.experiments import experiment
from engine.video.frames import footage_from_path
from engine.video.images import read_rgb, write_png

from ..test_pipeline import QUICK
from ..test_several_objects import FRAMES, HEIGHT, WIDTH, footage  # noqa: F401

EXAMPLES = experiment("examples", thing="dog", materials=[])  # one variant
TEXT = "Dog with zebra fur"


def paint(folder, *, count=FRAMES, size=(HEIGHT, WIDTH)):
    folder.mkdir(parents=True)
    for index in range(count):
        write_png(folder / f"{index}.png", np.full((*size, 3), 9 * index, np.uint8))
    return folder


@pytest.mark.parametrize(
    "place", [TEXT, "Dog-with-zebra-fur", f"examples/{TEXT}", "examples/Dog-with-zebra-fur"]
)
def test_frames_are_found_under_the_text_or_its_folders_name(footage, tmp_path, place):  # noqa: F811
    there = paint(tmp_path / place)
    seen = other_frames({"Blended": tmp_path}, [EXAMPLES], footage_from_path(footage / "frames"))
    assert seen == {("examples", TEXT): {"Blended": [there / f"{n}.png" for n in range(FRAMES)]}}


def test_frames_of_another_number_or_size_are_refused(footage, tmp_path):  # noqa: F811
    shot = footage_from_path(footage / "frames")
    paint(tmp_path / "few" / TEXT, count=3)
    with pytest.raises(EngineError, match=r"has 3 frames in .*, the footage has 5"):
        other_frames({"Few": tmp_path / "few"}, [EXAMPLES], shot)
    paint(tmp_path / "small" / TEXT, size=(64, 64))
    with pytest.raises(EngineError, match="is 64 x 64 px, the footage is 128 x 72 px"):
        other_frames({"Small": tmp_path / "small"}, [EXAMPLES], shot)


def test_a_method_without_any_frames_is_told_what_its_folders_may_be(footage, tmp_path):  # noqa: F811
    paint(tmp_path / "Cat with zebra fur")
    with pytest.raises(EngineError, match="no folder of frames for any text") as caught:
        other_frames({"Cat": tmp_path}, [EXAMPLES], footage_from_path(footage / "frames"))
    assert "Dog-with-zebra-fur" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["nothing"], "is not NAME=FOLDER"),
        (["=."], "is not NAME=FOLDER"),
        (["A=no/such/folder"], "is not there"),
        (["A=.", "A=."], "Two methods are called A"),
        (["ours=."], "Two methods are called ours"),
    ],
)
def test_methods_that_are_named_wrongly_are_refused(options, told):
    with pytest.raises(EngineError, match=told):
        named_folders(options)


@pytest.mark.slow
def test_another_methods_frames_stand_in_the_table_the_sheet_and_the_study(footage, tmp_path):  # noqa: F811
    other, out = tmp_path / "blended" / TEXT, tmp_path / "out"
    other.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index, path in enumerate(sorted((footage / "frames").iterdir())):
        frame, inside = read_rgb(path), read_rgb(footage / "near" / path.name)[..., 0] > 127
        frame[inside] = rng.integers(0, 255, (int(inside.sum()), 3))
        write_png(other / f"{index}.png", frame)
    settings = [word for each in QUICK for word in ("--set", each)]
    code = main(
        ["evaluate", str(footage / "frames"), "--masks", str(footage / "near"), "--thing", "dog",
         "--experiment", "examples", "--compare", f"Blended Diffusion={tmp_path / 'blended'}",
         "--out", str(out), "--cache", str(tmp_path / "c"), "--study", str(tmp_path / "page"),
         *settings]
    )  # fmt: skip
    assert code == 0
    ours, theirs = json.loads((out / "examples.json").read_text(encoding="utf-8"))["rows"]
    assert [ours["variant"], theirs["variant"]] == [TEXT, f"{TEXT}, Blended Diffusion"]
    assert ours.keys() == theirs.keys() and theirs["seconds"] is None
    assert theirs["ratio"] > 2 * ours["ratio"]  # noise anew in each frame
    assert theirs["full size, object"] > 5 * ours["full size, object"]
    assert theirs["background PSNR"] == 99
    assert read_rgb(out / "examples.png").shape[0] == 2 * (240 + 30 + 6)
    key = json.loads((tmp_path / "page.key.json").read_text(encoding="utf-8"))
    methods = sorted(entry["method"] for entry in key["videos"].values())
    assert methods == ["Blended Diffusion", "ours"]
    assert {entry["text"] for entry in key["videos"].values()} == {TEXT}
