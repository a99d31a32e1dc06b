import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import commands
from engine.__main__ import EXPERIMENT_NAMES, main, parser
from engine.contract.events import EngineError
from engine.contract.job import Footage, FootageKind, TargetTexts, single
from engine.contract.settings import preset
from engine.decomposition.layers import Layers, of_one_frame
from engine.evaluation import metrics
from engine.evaluation.evaluate import (
    Made,
    bare_part,
    first_frames,
    markdown,
    row_of,
    spec_of,
    write_rows,
)  # fmt: skip
from engine.evaluation.experiments import NAMES, Variant, experiment
from engine.evaluation.held_out_classifier import close_views, load_classifier, rank, same_material
from engine.evaluation.paper import read_styles
from engine.video.flow import Flow
from engine.video.images import read_rgb

from ..stylization.conftest import moving_disc
from ..test_pipeline import QUICK
from ..test_several_objects import footage  # noqa: F401

GOLD = Variant("gold", TargetTexts("disc with gold", "gold texture"), "gold")


def made(frames=4, *, painted=None):
    layers = moving_disc(frames)
    source = (layers.reconstruction() * 255).round().byte().numpy()
    result = source.copy()
    if painted is not None:
        result[layers.alpha.numpy() > 0.5] = painted
    flow = np.zeros((frames - 1, 40, 56, 2), np.float32)
    flow[..., 0] = 2  # the disc's own motion
    valid = np.ones((frames - 1, 40, 56), bool)
    return Made(source, result, Flow(flow, -flow, valid, valid), layers, 50.0, 1.0)


class Reddish:
    """A judge that knows two materials by how red the views are."""

    name, size = "reddish", 16

    def materials(self, views):
        red = float(views[:, 0].mean())
        return sorted([("brick", red), ("slate", 1 - red)], key=lambda each: -each[1])

    def embed(self, views):
        return views.mean((2, 3))

    def text(self, text):
        return torch.tensor([1.0, 0.0, 0.0])


def test_the_bare_part_is_what_looks_as_in_the_footage():
    assert row_of(GOLD, made(), []).numbers["bare"] == pytest.approx(1, abs=0.02)
    assert row_of(GOLD, made(painted=(250, 200, 20)), []).numbers["bare"] < 0.1


def test_fine_stripes_on_a_small_object_are_not_bare():
    small = made()
    alpha = torch.zeros(4, 200, 400)
    alpha[:, 80:120, 180:220] = 1
    source = np.full((4, 200, 400, 3), 128, np.uint8)
    striped = source.copy()
    striped[:, :, :, :] = np.where(np.arange(400) // 2 % 2, 250, 6)[None, None, :, None]
    found = replace(small, source=source, result=striped, layers=only_alpha(alpha))
    assert bare_part(found) < 0.05
    assert bare_part(replace(found, layers=only_alpha(0 * alpha))) is None


def only_alpha(alpha):
    """Layers that say nothing but where the object is."""
    plain = torch.zeros(*alpha.shape, 3)
    atlas = torch.zeros(2, 2, 3)
    places = torch.zeros(*alpha.shape, 2)
    return Layers(places, alpha, plain, plain, atlas, torch.ones(2, 2), atlas, places)


def test_the_command_line_and_the_experiments_have_the_same_names():
    assert EXPERIMENT_NAMES == NAMES


def test_the_footage_may_come_before_or_after_the_lists():
    lists = ["--experiment", "varied, texts", "--experiment", "ablation",
             "--materials", "zebra fur,gold"]  # fmt: skip
    for words in (["frames", *lists], [*lists, "frames"]):
        options = parser().parse_args(["evaluate", "--out", "there", *words])
        assert str(options.footage) == "frames"
        assert options.experiments == ["varied", "texts", "ablation"]
        assert options.materials == ["zebra fur", "gold"]


def test_the_command_line_tells_which_experiments_there_are(capsys):
    words = ["evaluate", "frames", "--out", "there", "--experiment", "texts,taste"]
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "there is no taste; there are: varied" in capsys.readouterr().err


def test_a_verb_that_ctrl_c_ends_says_so_by_its_exit_code(monkeypatch):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "evaluate", interrupted)
    assert main(["evaluate", "frames", "--out", "there"]) == 130


def test_specificity_has_five_levels_that_say_more_and_more():
    levels = [each.name for each in experiment("specificity", thing="man", materials=[]).variants]
    assert len(levels) == 5 and all("armor" in level for level in levels)
    assert [len(level.split()) for level in levels] == [1, 2, 3, 6, 6]


def test_a_boat_has_five_levels_of_wood_that_say_more_and_more():
    variants = experiment("specificity", thing="Boat", materials=[]).variants
    texts = [each.texts.global_text for each in variants]
    assert len(texts) == 5 and all("wood" in each for each in texts)
    assert [len(each.split()) for each in texts] == sorted(len(each.split()) for each in texts)
    assert len({each.lower() for each in texts}) == 5


@pytest.mark.parametrize(
    ("thing", "first"),
    [("black swan", "Shiny metal black swan"), ("boat", "Shiny aluminum fishing boat"),
     ("dog", "Dog with zebra fur"), ("man", "Shiny metal man")],
)  # fmt: skip
def test_the_examples_are_those_of_the_papers_own_objects(thing, first):
    assert experiment("examples", thing=thing, materials=["gold"]).variants[0].name == first


def test_the_wording_of_one_text_is_varied_while_the_other_stays():
    variants = experiment("wording", thing="swan", materials=[]).variants
    local, whole = variants[:3], variants[3:]
    assert len({each.texts.local_text for each in local}) == len(whole) == 3
    assert {each.texts.global_text for each in local} == {"Swan with cactus skin"}
    assert len({each.texts.global_text for each in whole}) == 3
    assert {each.texts.local_text for each in whole} == {"cactus skin"}
    assert variants[5].name == "global: swan made out of cactus"


def test_settings_are_varied_on_the_papers_text_unless_a_material_is_named():
    for name in ("prefixes", "ablation", "texts"):
        plain = experiment(name, thing="swan", materials=[]).variants[0]
        assert plain.texts == TargetTexts("Swan with cactus skin", "cactus skin")
        named = experiment(name, thing="swan", materials=["gold"]).variants[0]
        assert named.texts == TargetTexts("swan with gold", "gold texture")


def test_other_settings_are_another_method_and_other_texts_are_not():
    assert {each.method for each in experiment("wording", thing="x", materials=[]).variants} == {
        "ours"
    }
    ablation = experiment("ablation", thing="x", materials=[]).variants
    assert ablation[3].method == "ours, without temporal"


def texts_file(tmp_path, content):
    path = tmp_path / "texts.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_texts_of_a_file_take_the_place_of_the_papers(tmp_path):
    looks = [{"global_text": "Swan of {jade}", "local_text": "jade"}, {"global_text": "Gold"}]
    own = read_styles(texts_file(tmp_path, {"examples": looks}))
    found = experiment("examples", thing="swan", materials=[], own=own).variants
    assert [each.texts for each in found] == [
        TargetTexts("Swan of {jade}", "jade"),
        TargetTexts("Gold"),
    ]
    assert [each.material for each in found] == ["jade", "Gold"]
    other = experiment("wording", thing="swan", materials=[], own=own)
    assert other == experiment("wording", thing="swan", materials=[])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "cannot be read"),
        ({"ablation": []}, "holds no object with examples"),
        ({}, "holds no object with examples"),
        ({"examples": []}, "holds no list of texts for examples"),
        ({"examples": [{"local_text": "gold"}]}, "which is no style"),
        ({"examples": [{"global_text": 3}]}, "which is no style"),
    ],
)
def test_a_file_of_texts_that_cannot_be_read_is_refused(tmp_path, content, told):
    with pytest.raises(EngineError, match=told):
        read_styles(texts_file(tmp_path, content))


def test_two_texts_of_one_name_are_refused(tmp_path):
    looks = [{"global_text": "Gold swan", "local_text": each} for each in ("gold", "shiny gold")]
    own = read_styles(texts_file(tmp_path, {"examples": looks}))
    with pytest.raises(EngineError, match="are called 'Gold swan'"):
        experiment("examples", thing="swan", materials=[], own=own)


def test_prefixes_are_set_apart_for_global_and_local_texts():
    found = experiment("prefixes", thing="swan", materials=["gold"]).variants
    spec = single(Footage(FootageKind.IMAGES, "x"), GOLD.texts)
    counts = [
        (chosen.global_prefixes, chosen.local_prefixes)
        for chosen in (spec_of(spec, each).settings.stylization for each in found)
    ]
    assert counts == [(0, 0), (4, 0), (0, 4), (4, 4), (8, 8)]


def test_an_ablation_takes_one_term_away_and_keeps_the_seed():
    spec = single(Footage(FootageKind.IMAGES, "x"), GOLD.texts, settings=preset("draft"))
    jobs = [spec_of(spec, v) for v in experiment("ablation", thing="x", materials=[]).variants]
    whole = jobs[0].settings.stylization.weights
    for job, term in zip(jobs[1:], ("local", "global"), strict=False):
        assert job.settings.stylization.weights == replace(whole, **{f"{term}_similarity": 0.0})
    assert whole.temporal == whole.sparsity == 1.0
    assert len({job.settings.seed for job in jobs}) == 1 and len(jobs) == 5


def test_an_unknown_experiment_is_told_with_those_that_there_are():
    with pytest.raises(EngineError, match="no experiment flying") as caught:
        experiment("flying", thing="x", materials=[])
    assert "ablation" in caught.value.hint


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("zebra", "zebra fur", True),
        ("oak wood", "wood", True),
        ("bricks", "brick", True),
        ("gold", "silver", False),
        ("leopard", "zebra fur", False),
    ],
)
def test_names_of_one_material_are_known_as_one(one, other, same):
    assert same_material(one, other) is same


def test_the_rank_of_a_material_is_its_place_among_those_named():
    named = [("gold", 0.6), ("oak wood", 0.3)]
    assert rank(named, "wood") == (2, 0.3) and rank(named, "ice") == (0, 0.0)


def test_close_views_show_the_object_and_little_else():
    layers = moving_disc()
    frames = torch.zeros(4, 40, 56, 3)
    frames[layers.alpha > 0.5] = 1.0
    views = close_views(frames, layers.alpha, 16)
    assert views.shape == (48, 3, 16, 16) and views.mean() > 0.7


def test_a_row_tells_the_judges_name_and_how_steady_the_result_is():
    row = row_of(replace(GOLD, material="brick"), made(painted=(250, 20, 20)), [Reddish()])
    numbers = row.numbers
    assert numbers["named by reddish"].startswith("brick") and numbers["place (reddish)"] == 1
    assert numbers["text score (reddish)"] > 0.8 and numbers["consistency (reddish)"] > 0.99
    assert len(row.pictures) == 4


def test_the_warp_error_is_that_of_the_videos_own_contrast():
    video = made()
    faint = replace(video, result=(video.source * 0.5).astype(np.uint8))
    ratio = row_of(GOLD, faint, []).numbers["ratio"]
    assert ratio == pytest.approx(1.0, abs=0.1)


def test_what_flickers_at_the_rim_alone_does_not_count_within():
    video = made()
    inside = video.layers.alpha.numpy() > 0.5
    rim = inside & ~metrics.interior(inside)
    noise = np.random.default_rng(0).integers(0, 255, video.result.shape).astype(np.uint8)
    flickering = np.where(rim[..., None], noise, video.source)
    numbers = row_of(GOLD, replace(video, result=flickering), []).numbers
    assert numbers["ratio"] > 2 and numbers["ratio within"] < 1.5


def test_a_row_tells_how_calm_it_is_at_the_footages_size():
    warping_error = {"object": 1.5, "textured": None}
    numbers = row_of(GOLD, replace(made(), warping_error=warping_error), []).numbers
    assert numbers["full size, object"] == 1.5 and numbers["full size, textured"] is None
    assert first_frames(replace(made(), warping_error=warping_error), 2).warping_error == {}


def test_flicker_raises_the_ratio():
    video = made()
    noise = np.random.default_rng(0).integers(0, 255, video.result.shape).astype(np.uint8)
    steady, noisy = (
        row_of(GOLD, each, []).numbers["ratio"] for each in (video, replace(video, result=noise))
    )
    assert noisy > 5 * steady


def test_variation_is_higher_where_pixels_differ():
    where = np.ones((1, 8, 8), bool)
    plain = np.zeros((1, 8, 8, 3), np.float32)
    stripes = plain.copy()
    stripes[:, :, ::2] = 1
    assert metrics.variation(plain, where) == 0 and metrics.variation(stripes, where) == 1


def test_the_first_frames_of_a_result_fit_together():
    few = first_frames(made(4), 2)
    assert len(few.result) == len(few.layers.alpha) == 2 and len(few.flow.forward) == 1


def test_one_frame_alone_is_its_own_atlas():
    layers = moving_disc()
    alone = of_one_frame(layers, 1, layers.reconstruction()[1])
    assert alone.alpha.shape == (1, 40, 56) and alone.atlas.shape == (56, 56, 3)
    assert torch.allclose(alone.uv[0, 10, 20], torch.tensor([20.5 / 56, 10.5 / 56]))


def test_tables_and_sheet_are_written(tmp_path):
    found = experiment("varied", thing="disc", materials=["gold"])
    rows = [row_of(GOLD, made(painted=(250, 200, 20)), [Reddish()])]
    write_rows(found, rows, tmp_path)
    table = (tmp_path / "varied.md").read_text(encoding="utf-8")
    assert table == markdown(found, rows) and "| gold |" in table
    assert json.loads((tmp_path / "varied.json").read_text())["rows"][0]["variant"] == "gold"
    assert read_rgb(tmp_path / "varied.png").shape[1] > 4 * 300


def test_a_judge_that_is_not_there_is_told():
    with pytest.raises(EngineError, match="cannot be loaded"):
        load_classifier("python:no.such.module", [], "cpu")


def test_a_judge_can_be_a_function_of_a_module():
    judge = load_classifier("python:tests.evaluation.witness:slate", [], "cpu")
    assert judge.materials(torch.zeros(1, 3, 8, 8)) == [("slate", 1.0)]
    assert judge.text("slate") is None


@pytest.mark.slow
def test_the_command_runs_an_experiment_and_its_baseline(footage, tmp_path, capsys):  # noqa: F811
    settings = [word for each in QUICK for word in ("--set", each)]
    code = main(
        ["evaluate", str(footage / "frames"), "--masks", str(footage / "near"),
         "--experiment", "baseline", "--thing", "disc", "--materials", "gold",
         "--frames-alone", "2", "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "c"),
         *settings]
    )  # fmt: skip
    assert code == 0
    rows = json.loads((tmp_path / "out" / "baseline.json").read_text())["rows"]
    assert [row["variant"] for row in rows] == ["gold, atlas", "gold, each frame alone"]
    assert all(row["warp error"] > 0 and row["background PSNR"] > 30 for row in rows)
    assert "each frame alone" in capsys.readouterr().out
