"""The protocol of looks: its lists, its resumption, its table, its judge of materials."""

import json

import cv2
import numpy as np
import pytest
import torch

from benchmarks import looks as command
from benchmarks.judging import kin, photographs
from benchmarks.protocol import jobs, measuring, sheets, tables
from benchmarks.protocol.looks import (
    CLIPS,
    FAMILIAR,
    HELD_OUT,
    LOOKS,
    MATERIAL,
    MATERIALS,
    TUNE,
    chosen,
    familiar,
)  # fmt: skip

MACHINE = {"machine": "a made one"}


def test_there_are_twelve_held_out_looks_twelve_to_tune_by_and_thirty_materials():
    assert {each.clip.name for each in familiar(HELD_OUT)} == {"dog", "car-turn", "wolf"}
    assert {each.clip.name for each in familiar(TUNE)} == {"blackswan", "boat", "lucia"}
    assert len(familiar(HELD_OUT)) == len(familiar(TUNE)) == 12
    materials = [each for each in LOOKS if each.kind == MATERIAL]
    assert len(materials) == 30 and sum(each.split == TUNE for each in MATERIALS) == 5


def test_nothing_that_is_held_out_is_tuned_on():
    tuned, held = ({each.name for each in chosen(split)} for split in (TUNE, HELD_OUT))
    assert not tuned & held and len(tuned | held) == len(LOOKS) == len(set(LOOKS))
    for each in chosen(TUNE):
        assert CLIPS[each.clip.name].split == each.texts.split == TUNE


def test_every_look_has_a_judge_that_exists_or_none():
    for each in LOOKS:
        assert each.texts.judge in {*kin.LOOKS, *photographs.LABELS, ""}
        assert each.kind == MATERIAL or each.texts.judge in kin.LOOKS
        assert each.clip.thing in each.whole and "{" not in each.whole


def test_only_names_clips_texts_and_looks():
    assert {each.name for each in chosen("all", ("dog-zebra", "wolf"))} == {
        "dog-zebra", "wolf-zebra", "wolf-leopard", "wolf-strawberry", "wolf-chain-mail",
    }  # fmt: skip
    assert {each.clip.name for each in chosen(HELD_OUT, ("gold",))} == {"dog", "car-turn"}
    with pytest.raises(ValueError, match="cow is no clip"):
        chosen("all", ("cow",))


def order_in(path, **changes):
    for clip in ("dog", "wolf"):
        (path / "clips" / clip / "frames").mkdir(parents=True, exist_ok=True)
    (path / "clips/dog/masks").mkdir(exist_ok=True)
    return jobs.Order(path / "clips", path / "out", path / "cache", **changes)


def test_a_job_is_run_as_a_user_would(tmp_path):
    order = order_in(tmp_path, assignments=("stylization.iterations=5",))
    (dog,), (wolf,) = (chosen("all", (name,)) for name in ("dog-zebra", "wolf-leopard"))
    words = jobs.command(order, dog, 3)
    assert words[:2] == ["stylize", str(tmp_path / "clips/dog/frames")]
    for pair in (
        ["--global-text", "dog with zebra fur"], ["--local-text", "zebra fur"],
        ["--masks", str(tmp_path / "clips/dog/masks")], ["--set", "seed=3"],
        ["--set", "stylization.iterations=5"], ["--preset", "draft"],
        ["--cache", str(tmp_path / "cache")],
    ):  # fmt: skip
        at = words.index(pair[1])
        assert words[at - 1 : at + 1] == pair
    assert "--masks" not in jobs.command(order, wolf, 0) and "--box" in jobs.command(order, wolf, 0)


def finished_job(path, arguments):
    """Leave what the engine leaves: a report, and a stylization in the cache."""
    out = jobs.Path(arguments[arguments.index("--out") + 1])
    report = {"keys": {"stylization": ["abc"], "decomposition": ["def"]}}
    (out / "report.json").write_text(json.dumps(report))
    for name in ("stylization-abc", "decomposition-def"):
        (path / "cache" / name).mkdir(parents=True, exist_ok=True)


def test_a_finished_job_leaves_its_decomposition_but_no_stylization(tmp_path):
    order, (dog,) = order_in(tmp_path), chosen("all", ("dog-zebra",))

    def run(arguments, log):
        finished_job(tmp_path, arguments)
        return 0

    assert jobs.make(order, dog, 1, run) == ""
    assert {each.name for each in (tmp_path / "cache").iterdir()} == {"decomposition-def"}


def test_a_job_that_fails_says_why(tmp_path):
    order, (dog,) = order_in(tmp_path), chosen("all", ("dog-zebra",))

    def run(arguments, log):
        log.write_text("working\nerror: the disk is full")
        return 1

    assert jobs.make(order, dog, 1, run).endswith("the disk is full")


def test_numbers_belong_to_one_request(tmp_path):
    order, (dog,) = order_in(tmp_path), chosen("all", ("dog-zebra",))
    jobs.keep_numbers(order, dog, 1, {"seen": True})
    assert jobs.kept_numbers(order, dog, 1)["seen"] is True
    assert jobs.kept_numbers(order, dog, 2) is None
    assert jobs.kept_numbers(order_in(tmp_path, preset="fine"), dog, 1) is None
    jobs.forget(order, dog, 1)
    assert jobs.kept_numbers(order, dog, 1) is None


SEEN = {
    "judged_by": "imagenet",
    "whole": {"probability": 0.65, "place": 1},
    "close": {"probability": 0.5, "place": 1},
    "seen": True,
    "own_place": 3,
    "still": True,
    "footage": {"own_place": 1, "still": True},
    "calm": {"own motion, alone": 0.8},
}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A bench whose jobs and judges are made; returns how often each look was run."""
    order_in(tmp_path)
    runs = []

    def run(arguments, log):
        out = jobs.Path(arguments[arguments.index("--out") + 1])
        runs.append(out.name)
        if out.name == "wolf-zebra-1" and len(runs) < 4:
            log.write_text("error: no wolf")
            return 1
        finished_job(tmp_path, arguments)
        return 0

    def read(folder, cache, masks):
        picture, mask = np.full((60, 80, 3), 90, np.uint8), np.zeros((60, 80))
        mask[10:50, 20:60] = 1
        return measuring.Finished([picture] * 3, [picture] * 3, np.stack([mask] * 3), {}, {})

    monkeypatch.setattr(measuring, "read", read)
    monkeypatch.setattr(measuring.Measuring, "numbers", lambda *_: SEEN)

    def start(*more):
        words = ["--clips", str(tmp_path / "clips"), "--out", str(tmp_path / "out")]
        only = ["--split", "all", "--only", "dog-zebra,dog-leopard,wolf-zebra"]
        return command.main([*words, "--cache", str(tmp_path / "cache"), *only, *more], run)

    return start, runs


def test_what_is_finished_is_not_made_again_and_what_failed_is(bench, tmp_path):
    start, runs = bench
    every = ["dog-zebra-1", "dog-leopard-1", "wolf-zebra-1"]
    assert start() == 1 and runs == every
    table = (tmp_path / "out/looks.md").read_text()
    assert "**2 of 12 held-out looks are seen** (9 of them were not run)." in table
    assert start() == 0 and runs == [*every, "wolf-zebra-1"]
    assert "**3 of 12" in (tmp_path / "out/looks.md").read_text()
    assert start("--judge-only") == 0 and len(runs) == 4
    assert start("--again") == 0 and runs[4:] == every
    assert (tmp_path / "out/sheets/dog-1.png").exists()
    assert (tmp_path / "out/sheets/looks/dog-zebra-1.png").exists()


def test_a_part_of_a_name_and_a_missing_clip_are_refused(tmp_path, capsys):
    order_in(tmp_path)
    for more, words in ((["--only", "zeb"], "zeb is no clip"), (["--split", "tune"], "blackswan")):
        with pytest.raises(SystemExit):
            command.main(["--clips", str(tmp_path / "clips"), *more])
        assert words in capsys.readouterr().err


def rows_of(seen, split=HELD_OUT):
    return [
        tables.row(look, 1, {**SEEN, "seen": number < seen})
        for number, look in enumerate(familiar(split))
    ]


def test_the_first_number_is_of_twelve_whatever_else_was_run():
    rows = rows_of(5) + rows_of(12, TUNE)
    assert tables.first_number(rows) == (5, 12, 0)
    assert tables.headline(rows) == "**5 of 12 held-out looks are seen**."
    assert tables.first_number(rows[:3]) == (3, 12, 9)
    assert "12 of 12 tuning looks" in tables.headline(rows_of(12, TUNE))


def test_the_table_is_made_of_stored_numbers_alone():
    rows = json.loads(json.dumps(rows_of(5)))
    (gold,) = chosen("all", ("dog-gold",))
    eye = {each: SEEN[each] for each in ("own_place", "still", "footage", "calm")}
    rows.append(tables.row(gold, 1, {**eye, "judged_by": "eye", "request": {}}))
    rows[11] = tables.row(familiar(HELD_OUT)[11], 1, {"failed": "no memory"})
    text = tables.markdown(MACHINE, rows)
    assert text.startswith("# Looks\n\n**5 of 12 held-out looks are seen**.")
    assert "| familiar looks that are seen | 5 of 12 |  |" in text
    assert "| looks that only the eye can judge | 1 | 0 |" in text
    assert "| failed jobs | 1 | 0 |" in text
    assert "0.80; 12 of 12; 0.80" in text
    assert "| dog-zebra | 1 | yes | 1. 0.65 | 1. 0.50 |" in text and "| failed |" in text
    widths = {line.count("|") for line in tables.table(rows)}
    assert len(widths) == 1


def test_captions_say_what_the_judges_said():
    assert sheets.caption("dog with zebra fur", SEEN) == "dog with zebra fur: 1. 0.65, 1. 0.50"
    assert sheets.caption("dog made of gold", {}) == "dog made of gold"


def labelled(path, count=12):
    path.mkdir()
    lines = ["file,label,path"]
    for label, blue in (("ice", 250), ("brick", 5)):
        for number in range(count):
            name = f"made__{number:03d}_{label}-{number // 2}.png"
            cv2.imwrite(str(path / name), np.full((8, 8, 3), (blue, 60, 60), np.uint8))
            lines.append(f"{name},{label},x/{name}")
    (path / "labels.csv").write_text("\n".join(lines))
    return photographs.read_labels(path)


def test_halves_keep_alike_photographs_together(tmp_path):
    found = labelled(tmp_path / "photos")
    training = photographs.halves(found)
    assert training.sum() == len(found) // 2
    sides = {}
    for each, side in zip(found, training, strict=True):
        sides.setdefault((each.label, each.group), set()).add(bool(side))
    assert len(sides) == 12 and all(len(side) == 1 for side in sides.values())


def colours(views):
    return torch.from_numpy(views).float().mean(dim=(1, 2)).numpy()


def test_the_judge_of_materials_learns_one_half_and_is_tried_on_the_other(tmp_path, monkeypatch):
    monkeypatch.setattr(photographs.networks, "features", lambda _, views: colours(views))
    monkeypatch.setattr(photographs, "LABELS", {"ice": ("ice",), "brick": ("brick",)})
    found = labelled(tmp_path / "photos")
    features = photographs.features_of(found, tmp_path / "kept.npz")
    judge = photographs.train(found, features)
    assert judge.unseen == {"all": (12, 12), "ice": (6, 6), "brick": (6, 6)}
    assert judge.knows("ice") and not judge.knows("lava")
    blue = np.full((2, 240, 240, 3), (60, 60, 250), np.uint8)
    assert judge("lite1", blue)[:, judge.classes("ice")].min() > 0.5
    monkeypatch.setattr(photographs.networks, "features", None)
    again = photographs.features_of(found, tmp_path / "kept.npz")
    assert all((again[each] == features[each]).all() for each in features)


def test_a_material_that_photographs_are_not_told_by_is_for_the_eye():
    layers: dict = {}
    judge = photographs.MaterialJudge(("ice", "brick"), layers, {"ice": (0, 9), "brick": (3, 4)})
    assert not judge.knows("ice") and not judge.knows("brick")
    (ice,) = chosen("all", ("dog-ice",))
    assert measuring.Measuring(judge)._who(ice) == "eye"
    (zebra,) = chosen("all", ("dog-zebra",))
    assert zebra.kind == FAMILIAR and measuring.Measuring(None)._who(zebra) == "imagenet"


def test_the_footage_is_judged_once_for_each_clip(monkeypatch):
    asked = []

    def answer(frames, where, judging):
        asked.append(len(frames))
        return np.full(1000, 1e-3), np.full(1000, 1e-3)

    monkeypatch.setattr(measuring.judge, "mean_probabilities", answer)
    report = {"metrics": {"background_psnr": 60.123456}, "seconds": {"stylization": 12.0}}
    done = measuring.Finished([None] * 2, [None] * 3, np.zeros(1), {"alone": None}, report)
    judged = measuring.Measuring(None)
    for look in chosen("all", ("dog-zebra", "dog-gold")):
        numbers = judged.numbers(look, done)
    assert sorted(asked) == [2, 3, 3]
    assert "seen" not in numbers and numbers["own_place"] == 1 and numbers["judged_by"] == "eye"
    assert numbers["background_psnr"] == 60.12 and numbers["seconds"] == {"stylization": 12.0}
