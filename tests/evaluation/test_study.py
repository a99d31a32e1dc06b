"""The files of a study, and the table that its scores make."""

import json
import statistics

import numpy as np
import pytest

from engine.__main__ import main
from engine.contract.events import EngineError
from engine.evaluation.scores import facts, markdown, read_scores
from engine.evaluation.study import Video, find_videos, write_study
from engine.video.images import write_png
from engine.video.movies import movie_frames
from engine.video.probing import movie_facts


@pytest.fixture
def evaluated(tmp_path):
    """What an evaluation leaves: a table of examples with videos of two methods."""
    folder = tmp_path / "swan"
    entries = []
    for shade, method in ((40, "ours"), (200, "Blended Diffusion")):
        frames = folder / "jobs" / method / "result"
        frames.mkdir(parents=True)
        for index in range(3):
            write_png(frames / f"{index:05d}.png", np.full((16, 32, 3), shade, np.uint8))
        entries.append(
            {
                "method": method,
                "text": "Swan with cactus skin",
                "frames": f"jobs/{method}/result",
                "frames_per_second": 12.0,
            }
        )
    text = json.dumps({"question": "?", "rows": [], "videos": entries})
    (folder / "examples.json").write_text(text, encoding="utf-8")
    return folder


def key_of(page):
    return json.loads(page.with_name("page.key.json").read_text(encoding="utf-8"))


def ratings(study, scores, rater="a"):
    return json.dumps({"study": study, "rater": rater, "scores": scores})


def test_the_videos_of_an_evaluation_are_found_with_their_frames(evaluated):
    videos = find_videos([evaluated], ["examples", "ablation"])
    assert [each.method for each in videos] == ["ours", "Blended Diffusion"]
    assert all((each.frames / "00000.png").is_file() for each in videos)
    with pytest.raises(EngineError, match="no video of the experiment ablation"):
        find_videos([evaluated], ["ablation"])


def test_a_study_holds_the_videos_and_its_key_stays_beside_it(evaluated, tmp_path):
    page = tmp_path / "page"
    key_file = write_study(find_videos([evaluated], ["examples"]), page, seed=3)
    assert key_file == tmp_path / "page.key.json" and not list(page.glob("*key*"))
    for name, entry in key_of(page)["videos"].items():
        movie = page / f"{name}.mp4"
        shade = {"ours": 40, "Blended Diffusion": 200}[entry["method"]]
        frames = list(movie_frames(movie, ()))
        assert len(frames) == 3 and abs(int(np.median(frames[0])) - shade) < 4
        facts = movie_facts(movie)
        assert (facts.codec, facts.frames_per_second) == ("h264", 12)


def test_a_seed_gives_the_same_numbers_again_and_another_gives_others(evaluated, tmp_path):
    videos = find_videos([evaluated], ["examples"]) * 4
    orders = []
    for number, seed in enumerate((5, 5, 6, None)):
        write_study(videos, tmp_path / f"{number}", seed)
        key = json.loads((tmp_path / f"{number}.key.json").read_text(encoding="utf-8"))
        orders.append([each["method"] for each in key["videos"].values()])
        assert key["seed"] == seed or (seed is None and isinstance(key["seed"], int))
    assert orders[0] == orders[1] != orders[2]


def test_a_study_whose_raters_may_be_at_work_is_not_written_over(evaluated, tmp_path):
    videos = find_videos([evaluated], ["examples"])
    write_study(videos, tmp_path / "page", 1)
    with pytest.raises(EngineError, match="is there already"):
        write_study(videos, tmp_path / "page", 1)


def test_frames_that_have_gone_are_told(tmp_path):
    gone = Video("ours", "gold", "examples", tmp_path / "gone", 24.0)
    with pytest.raises(EngineError, match="gone are gone"):
        write_study([gone], tmp_path / "page", 1)
    assert not (tmp_path / "page").exists()


@pytest.fixture
def study(evaluated, tmp_path):
    """A study's key, and for each method the name of its video."""
    write_study(find_videos([evaluated], ["examples"]), tmp_path / "page", 1)
    key = key_of(tmp_path / "page")
    names = {entry["method"]: name for name, entry in key["videos"].items()}
    return key["study"], names


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_scores_become_means_and_deviations_of_each_method(study, tmp_path, capsys):
    identity, names = study
    given = {"ours": ((5, 4), (3, 5), (4, 4)), "Blended Diffusion": ((1, 2), (2, 2), (2, 1))}
    files = []
    for rater in range(3):
        scores = {
            names[method]: dict(zip(("realism", "text"), each[rater], strict=True))
            for method, each in given.items()
        }
        text = ratings(identity, scores, str(rater))
        files.append(written(tmp_path, f"{rater}.json", text))
    code = main(
        ["evaluate", "--scores", *map(str, files), "--key", str(tmp_path / "page.key.json"),
         "--out", str(tmp_path / "out")]
    )  # fmt: skip
    assert code == 0
    table = capsys.readouterr().out
    assert "| ours | 4.00 ± 1.00 | 4.33 ± 0.58 | 1 | 3 |" in table
    assert "| Blended Diffusion | 1.67 ± 0.58 | 1.67 ± 0.58 | 1 | 3 |" in table
    assert (tmp_path / "out" / "scores.md").read_text(encoding="utf-8") == table
    numbers = json.loads((tmp_path / "out" / "scores.json").read_text())["ours"]["realism"]
    assert numbers == {"mean": 4, "deviation": statistics.stdev([5, 3, 4]), "scores": 3}


def test_one_score_has_no_deviation(study, tmp_path):
    identity, names = study
    scores = {name: {"realism": 2, "text": 3} for name in names.values()}
    path = written(tmp_path, "one.json", ratings(identity, scores))
    methods = read_scores([path], tmp_path / "page.key.json")
    assert facts(methods)["ours"]["text"] == {"mean": 3, "deviation": None, "scores": 1}
    assert "| ours | 2.00 | 3.00 | 1 | 1 |" in markdown(methods)


def test_scores_that_do_not_fit_are_refused_in_a_sentence(study, tmp_path):
    identity, names = study
    key = tmp_path / "page.key.json"
    whole = {name: {"realism": 2, "text": 3} for name in names.values()}
    some = dict(list(whole.items())[:1])
    for text, words in (
        ("no json", "cannot be read"),
        ("[]", "holds no scores"),
        (ratings("another", whole), "is of another study"),
        (ratings(identity, some), "has scores of 1 videos, and the study has 2"),
        (ratings(identity, {**whole, names["ours"]: {"realism": 6, "text": 1}}), "6 for realism"),
        (ratings(identity, {**whole, names["ours"]: {"realism": 1}}), "null for text"),
        (ratings(identity, {**whole, names["ours"]: {"realism": True, "text": 1}}), "not 1 to 5"),
    ):
        with pytest.raises(EngineError, match=words):
            read_scores([written(tmp_path, "bad.json", text)], key)
    good = written(tmp_path, "good.json", ratings(identity, whole))
    with pytest.raises(EngineError, match="same rater"):
        read_scores([good, good], key)
    with pytest.raises(EngineError, match="no key of a study"):
        read_scores([good], good)


def test_the_command_writes_a_study_of_earlier_evaluations(evaluated, tmp_path, capsys):
    words = ["evaluate", "--study", str(tmp_path / "page"), "--of", str(evaluated)]
    assert main([*words, "--study-seed", "7"]) == 0
    assert "2 videos" in capsys.readouterr().out and key_of(tmp_path / "page")["seed"] == 7
    assert (tmp_path / "page" / "index.html").is_file()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "nothing to evaluate"),
        (["frames"], "tables have no place"),
        (["--study", "page"], "study has no videos"),
        (["--scores", "a.json"], "Nobody says which video is whose"),
    ],
)
def test_what_the_command_lacks_is_told(words, told, capsys):
    assert main(["evaluate", *words]) == 2
    assert told in capsys.readouterr().err
