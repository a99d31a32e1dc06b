"""The whole path on generated footage, and all the ways in which a request can be wrong.

Small numbers: what is looked at here is the course of a job, not its beauty.
"""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import open_clip
import pytest

from engine import __main__ as command_line
from engine import output, pipeline
from engine.contract.codec import event_from_json
from engine.contract.events import (
    Cancelled,
    Failed,
    Finished,
    StageFinished,
    StageStarted,
    Warned,
)
from engine.contract.folder import JobFolder
from engine.contract.job import (
    Footage,
    FootageKind,
    JobSpec,
    MaskKind,
    ObjectMask,
    Stage,
    TargetObject,
)
from engine.video.images import read_image, read_rgb, write_png

from .synthetic import moving_sprite

QUICK = (
    "frames.longest_side=96", "decomposition.grid.steps=8", "decomposition.grid.atlas_size=64",
    "stylization.steps=6", "stylization.views.local_views=2", "stylization.snapshot_every=3",
)  # fmt: skip
NUMBERS = {
    "psnr", "psnr_object", "psnr_no_gain", "folds", "alpha_leak", "mask_iou",
    "warp_error", "warp_error_source",
    "background_psnr", "text_similarity_before", "text_similarity_after", "frame_consistency",
}  # fmt: skip


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """A folder with frames and a folder with masks, 122 x 70, 6 frames."""
    return moving_sprite(frames=6, width=122, height=70).write(tmp_path_factory.mktemp("footage"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def stylize(footage, out, cache, *more, text="Bird with zebra fur", masks=True):
    arguments = ["stylize", str(footage / "frames"), "--global-text", text, "--preset", "draft"]
    arguments += ["--out", str(out), "--cache", str(cache)]
    if masks:
        arguments += ["--masks", str(footage / "masks")]
    for assignment in QUICK:
        arguments += ["--set", assignment]
    return command_line.main([*arguments, *more])


def events_of(out):
    lines = JobFolder(out).events.read_text(encoding="utf-8").splitlines()
    return [event_from_json(json.loads(line)) for line in lines]


def reused(out):
    return {e.stage for e in events_of(out) if isinstance(e, StageFinished) and e.reused}


@pytest.fixture(scope="module")
def finished(footage, cache, tmp_path_factory):
    out = tmp_path_factory.mktemp("job")
    assert stylize(footage, out, cache) == 0
    return out


def test_a_job_writes_every_frame_and_all_numbers(finished):
    frames = sorted((finished / "result").glob("*.png"))
    assert [path.name for path in frames] == [f"{index:05d}.png" for index in range(6)]
    assert read_rgb(frames[0]).shape == (70, 122, 3)
    report = json.loads((finished / "report.json").read_text(encoding="utf-8"))
    assert set(report["seconds"]) == set(report["keys"]) == {stage.value for stage in Stage}
    assert set(report["metrics"]) >= NUMBERS
    assert all(isinstance(report["metrics"][name], float) for name in NUMBERS)
    assert report["device"]["kind"] and report["versions"]["torch"]
    assert report["unstyled"] == "footage"
    assert isinstance(events_of(finished)[-1], Finished)
    shown = {path.stem for path in (finished / "preview").glob("*.png")}
    assert shown >= {"mask", "alpha", "atlas", "atlas_background", "stylized_atlas", "frame"}


def test_pixels_outside_the_object_are_the_footages(finished, footage):
    for path in sorted((finished / "result").glob("*.png")):
        source = read_rgb(footage / "frames" / f"{int(path.stem):03d}.png")
        mask = read_rgb(footage / "masks" / f"{int(path.stem):03d}.png")[..., 0]
        far = cv2.dilate(mask, np.ones((25, 25), np.uint8)) == 0
        result = read_rgb(path)
        assert far.sum() > 1000
        assert np.array_equal(result[far], source[far])
        assert not np.array_equal(result[mask == 255], source[mask == 255])


def test_a_second_text_reuses_all_that_does_not_depend_on_it(footage, cache, finished, tmp_path):
    assert stylize(footage, tmp_path, cache, text="Bird made of gold") == 0
    assert reused(tmp_path) == {Stage.FRAMES, Stage.FLOW, Stage.MASKS, Stage.DECOMPOSITION}


def test_another_seed_may_keep_the_layers(footage, cache, finished, tmp_path):
    words = ["--set", "seed=1", "--set", "decomposition.seed=0"]
    assert stylize(footage, tmp_path, cache, *words) == 0
    assert reused(tmp_path) == {Stage.FRAMES, Stage.FLOW, Stage.MASKS, Stage.DECOMPOSITION}


def test_pins_correct_frames_and_train_nothing_again(footage, cache, finished, tmp_path):
    assert stylize(footage, tmp_path, cache, "--pin", "0:50,30 5:62,38") == 0
    assert reused(tmp_path) == set(Stage) - {Stage.RENDER}
    before, after = (json.loads((job / "report.json").read_text()) for job in (finished, tmp_path))
    changed = {name for name in after["keys"] if after["keys"][name] != before["keys"][name]}
    assert changed == {Stage.DECOMPOSITION.value, Stage.RENDER.value}
    last = "result/00005.png"
    assert not np.array_equal(read_rgb(finished / last), read_rgb(tmp_path / last))
    assert after["metrics"]["folds"] == before["metrics"]["folds"]
    kept = {path.name for path in cache.glob("stylization-*")}
    words = ["layers", "apply", finished, "--out", tmp_path / "again", "--cache", cache]
    assert command_line.main([*map(str, words), "--pin", "0:50,30 5:62,38"]) == 0
    assert (tmp_path / "again" / last).read_bytes() == (tmp_path / last).read_bytes()
    assert {path.name for path in cache.glob("stylization-*")} == kept


def test_a_pin_outside_the_footage_is_refused_before_the_layers(footage, tmp_path, capsys):
    assert stylize(footage, tmp_path, tmp_path / "cache", "--pin", "0:50,30 6:62,38") == 2
    assert "Pin 1 is on frame 6, but the last one is 5." in capsys.readouterr().err
    assert not [*(tmp_path / "cache").glob("decomposition-*")]


def test_the_same_request_again_is_all_reuse_and_equal(footage, cache, finished, tmp_path):
    assert stylize(footage, tmp_path, cache) == 0
    assert reused(tmp_path) == set(Stage) - {Stage.RENDER}
    for path in (finished / "result").glob("*.png"):
        assert path.read_bytes() == (tmp_path / "result" / path.name).read_bytes()


def test_another_request_keeps_the_earlier_job(footage, cache, finished, tmp_path):
    out = tmp_path / "job"
    shutil.copytree(finished, out)
    assert stylize(footage, out, cache, text="Bird made of gold") == 0
    (earlier,) = (out / "earlier").iterdir()
    assert json.loads((earlier / "job.json").read_text())["objects"][0]["texts"][
        "global_text"
    ].endswith("fur")
    assert len(list((earlier / "result").glob("*.png"))) == 6


def test_what_already_lies_in_the_out_folder_is_not_lost(footage, cache, finished, tmp_path):
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "mine.txt").write_text("precious")
    assert stylize(footage, tmp_path, cache) == 0
    (kept,) = (tmp_path / "earlier").rglob("mine.txt")
    assert kept.read_text() == "precious"


def test_a_run_that_fails_leaves_no_report_of_the_run_before(footage, cache, finished, tmp_path):
    out, copy = tmp_path / "job", tmp_path / "footage"
    shutil.copytree(footage, copy)
    assert stylize(copy, out, cache) == 0
    (copy / "frames" / "002.png").write_bytes(b"no picture")
    assert stylize(copy, out, cache) == 1
    assert not (out / "report.json").exists()
    assert command_line.main(["sheet", str(out), "--out", str(tmp_path / "sheet")]) == 2


def test_a_relative_path_is_found_from_anywhere(footage, cache, finished, tmp_path, monkeypatch):
    monkeypatch.chdir(footage)
    assert stylize(Path(), tmp_path, cache) == 0
    monkeypatch.chdir(tmp_path)
    assert command_line.main(["run", str(tmp_path), "--cache", str(cache), "--quiet"]) == 0


def test_a_missing_package_is_a_fault_of_the_environment(footage, cache, tmp_path, monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'cv2'")

    monkeypatch.setattr(pipeline, "run", missing)
    assert stylize(footage, tmp_path, cache) == 1
    assert failure(tmp_path).fault.value == "environment"


def test_the_object_alone_comes_with_alpha(footage, cache, finished, tmp_path):
    assert stylize(footage, tmp_path, cache, "--set", "render.foreground_only=true") == 0
    picture = read_image(tmp_path / "result" / "00000.png")
    assert picture.shape == (70, 122, 4)
    assert picture[0, 0, 3] == 0 and picture[..., 3].max() > 240


def test_a_deep_result_keeps_alpha_and_what_is_not_the_object_bit_for_bit(footage, cache, tmp_path):
    (tmp_path / "frames").mkdir()
    shutil.copytree(footage / "masks", tmp_path / "masks")
    alpha = np.linspace(20_000, 65_535, 122).astype(np.uint16)[None, :, None].repeat(70, axis=0)
    for path in (footage / "frames").iterdir():
        deep = read_rgb(path).astype(np.uint16) * 250 + 99
        write_png(tmp_path / "frames" / path.name, np.concatenate([deep, alpha], axis=2))
    assert stylize(tmp_path, tmp_path / "job", cache, "--set", "render.format=png16") == 0
    source = read_image(tmp_path / "frames" / "003.png", 16)
    picture = read_image(tmp_path / "job" / "result" / "00003.png", 16)
    mask = read_rgb(tmp_path / "masks" / "003.png")[..., 0]
    beside = cv2.dilate(mask, np.ones((25, 25))) == 0
    assert np.array_equal(picture[..., 3], source[..., 3])
    assert np.array_equal(picture[beside], source[beside]) and beside.any()
    changed = picture[mask > 0][:, :3]
    assert (changed != source[mask > 0][:, :3]).mean() > 0.5
    assert (changed % 257).any()


def test_premultiplied_footage_has_a_premultiplied_result(footage, cache, tmp_path, monkeypatch):
    def premultiplied(path):
        return Footage(FootageKind.IMAGES, str(path), premultiplied=True)

    monkeypatch.setattr("engine.video.frames.footage_from_path", premultiplied)
    (tmp_path / "frames").mkdir()
    shutil.copytree(footage / "masks", tmp_path / "masks")
    alpha = np.linspace(60, 255, 122).astype(np.uint8)[None, :, None].repeat(70, axis=0)
    for path in (footage / "frames").iterdir():
        colours = np.round(read_rgb(path) * (alpha / 255)).astype(np.uint8)
        colours[:5, :5] = 255  # light without alpha
        write_png(tmp_path / "frames" / path.name, np.concatenate([colours, alpha], axis=2))
    assert stylize(tmp_path, tmp_path / "job", cache) == 0
    facts = json.loads((tmp_path / "job" / "report.json").read_text())["result"]
    assert facts["alpha"] == "premultiplied"
    source = read_image(tmp_path / "frames" / "003.png")
    picture = read_image(tmp_path / "job" / "result" / "00003.png")
    mask = read_rgb(tmp_path / "masks" / "003.png")[..., 0]
    beside = cv2.dilate(mask, np.ones((25, 25))) == 0
    assert np.array_equal(picture[..., 3], source[..., 3])
    assert np.array_equal(picture[beside], source[beside]) and beside[:5, :5].all()
    changed = picture[mask > 0]
    assert (changed[:, :3] != source[mask > 0][:, :3]).mean() > 0.5
    assert (changed[:, :3] <= changed[:, 3:]).all()


@pytest.mark.parametrize(
    ("file_format", "first"),
    [("exr", "00000.exr"), ("ffv1", "result.mkv"), ("prores", "result.mov")],
)
def test_the_report_says_which_files_the_result_is(
    footage, cache, finished, tmp_path, file_format, first
):
    more = ("--set", f"render.format={file_format}", "--set", "render.foreground_only=true")
    assert stylize(footage, tmp_path, cache, *more) == 0
    facts = json.loads((tmp_path / "report.json").read_text())["result"]
    assert facts["files"][0] == first and facts["frames"] == 6 and facts["size"] == [122, 70]
    assert facts["alpha"] != "none" and facts["provenance"]["Seed"] == "0"
    assert sorted(path.name for path in (tmp_path / "result").iterdir()) == facts["files"]


def test_strength_0_gives_the_footage_back(footage, cache, finished, tmp_path):
    assert stylize(footage, tmp_path, cache, "--set", "render.strength=0") == 0
    source = read_rgb(footage / "frames" / "000.png")
    assert np.array_equal(read_rgb(tmp_path / "result" / "00000.png"), source)


@pytest.mark.parametrize("stage", [Stage.DECOMPOSITION, Stage.STYLIZATION])
def test_a_stopped_job_resumes_to_the_same_result(
    footage, cache, finished, tmp_path, monkeypatch, stage
):
    out, own_cache = tmp_path / "job", tmp_path / "cache"
    progress = pipeline.Reporter.progress

    def stop_there(self, step, total, terms=None):
        progress(self, step, total, terms)
        if self._stage is stage and step >= total // 2:
            self.request_stop()

    monkeypatch.setattr(pipeline.Reporter, "progress", stop_there)
    assert stylize(footage, out, own_cache) == 130
    assert isinstance(events_of(out)[-1], Cancelled)
    assert not (out / "result").exists()
    monkeypatch.undo()
    assert command_line.main(["run", str(out), "--cache", str(own_cache), "--quiet"]) == 0
    for path in (finished / "result").glob("*.png"):
        assert path.read_bytes() == (out / "result" / path.name).read_bytes()


def failure(out):
    event = events_of(out)[-1]
    assert isinstance(event, Failed)
    assert event.message.strip() and event.hint.strip()
    assert not (out / "result").exists()
    assert not (out / "report.json").exists()
    return event


def test_missing_media_is_one_sentence(tmp_path, cache, capsys):
    assert stylize(tmp_path / "nowhere", tmp_path / "job", cache, masks=False) == 1
    assert "nowhere" in capsys.readouterr().err


def test_media_that_went_away_is_one_sentence(footage, tmp_path, cache):
    copy = tmp_path / "footage"
    shutil.copytree(footage, copy)
    out = tmp_path / "job"
    assert stylize(copy, out, cache) == 0
    shutil.rmtree(out / "result")
    (out / "report.json").unlink()
    (copy / "frames" / "003.png").unlink()
    assert command_line.main(["run", str(out), "--cache", str(cache), "--quiet"]) == 1
    assert "003.png" in failure(out).message or "frames" in failure(out).message


def test_a_folder_without_images_is_one_sentence(tmp_path, cache, capsys):
    (tmp_path / "empty" / "frames").mkdir(parents=True)
    assert stylize(tmp_path / "empty", tmp_path / "job", cache, masks=False) == 1
    assert "error:" in capsys.readouterr().err


def test_one_frame_is_too_short(footage, tmp_path, cache):
    (tmp_path / "frames").mkdir()
    shutil.copy(footage / "frames" / "000.png", tmp_path / "frames")
    assert stylize(tmp_path, tmp_path / "job", cache, masks=False) == 1
    assert failure(tmp_path / "job").fault.value == "footage_too_short"


@pytest.mark.parametrize("level", [0, 255])
def test_an_empty_or_full_mask_shows_no_object(footage, tmp_path, cache, level):
    shutil.copytree(footage / "frames", tmp_path / "frames")
    (tmp_path / "masks").mkdir()
    for path in (tmp_path / "frames").iterdir():
        plain = np.full((70, 122, 3), level, np.uint8)
        write_png(tmp_path / "masks" / path.name, plain)
    assert stylize(tmp_path, tmp_path / "job", cache) == 1
    assert failure(tmp_path / "job").fault.value == "object_not_found"


def test_an_empty_text_is_bad_usage(footage, tmp_path, cache, capsys):
    assert stylize(footage, tmp_path / "job", cache, text="  ") == 2
    assert "has a text" in capsys.readouterr().err
    assert not (tmp_path / "job").exists()


def test_a_long_text_is_cut_with_a_warning(footage, tmp_path, cache, capsys):
    long_text = "Bird with " + "very " * 90 + "zebra fur"
    assert stylize(footage, tmp_path / "job", cache, text=long_text) == 0
    assert "token" in capsys.readouterr().err


def test_a_word_that_the_embedded_encoder_does_not_know_is_told_before_any_stage(
    footage, tmp_path, cache, capsys
):
    text = "Bird made of gold and quinoa"
    out = tmp_path / "job"
    assert stylize(footage, out, cache, text=text) == 0
    assert '"quinoa"' in capsys.readouterr().err
    kinds = [type(each) for each in events_of(out)]
    assert kinds.index(Warned) < kinds.index(StageStarted)


def test_a_text_without_a_known_look_is_refused(footage, tmp_path, cache, capsys):
    assert stylize(footage, tmp_path / "job", cache, text="Bird made of quinoa") == 2
    assert 'no look in "Bird made of quinoa"' in capsys.readouterr().err
    assert StageStarted not in map(type, events_of(tmp_path / "job"))


@pytest.mark.parametrize(
    ("path", "value"),
    [(("settings", "seed"), -1), (("settings", "sead"), 1), (("footage", "kind"), "tape")],
)
def test_a_bad_job_file_is_refused_and_says_where(finished, tmp_path, path, value, capsys):
    data = json.loads((finished / "job.json").read_text(encoding="utf-8"))
    data[path[0]][path[1]] = value
    (tmp_path / "job.json").write_text(json.dumps(data))
    assert command_line.main(["run", str(tmp_path)]) == 2
    assert ".".join(("job", *path)) in capsys.readouterr().err


def test_a_folder_that_is_a_file_cannot_be_written(footage, tmp_path, cache, capsys):
    (tmp_path / "job").write_text("in the way")
    assert stylize(footage, tmp_path / "job", cache) == 1
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence_and_leaves_no_result(
    footage, tmp_path, cache, monkeypatch, capsys
):
    def no_room(image):
        with open("/dev/full", "wb", buffering=0) as device:  # noqa: PTH123
            device.write(bytes(image.ravel()[:10]))

    monkeypatch.setattr(output, "encode_png", no_room)
    assert stylize(footage, tmp_path / "job", cache) == 1
    assert failure(tmp_path / "job").fault.value == "disk_full"


def test_a_sheet_that_cannot_be_written_is_a_sentence(finished, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert command_line.main(["sheet", str(finished), "--out", str(tmp_path / "file" / "x")]) == 1
    assert "cannot write in" in capsys.readouterr().err


def test_missing_weights_without_network_end_the_job_at_once(footage, tmp_path, cache, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    more = ("--encoder", "ViT-B-32:laion400m_e31")
    monkeypatch.setattr(open_clip, "download_pretrained", _no_network, raising=True)
    assert stylize(footage, tmp_path / "job", cache, *more) == 1
    event = failure(tmp_path / "job")
    assert event.fault.value == "weights_unavailable"
    assert not [e for e in events_of(tmp_path / "job") if isinstance(e, StageFinished)]


def _no_network(*_, **__):
    raise OSError("no route to host")


def test_a_box_finds_the_object(footage, tmp_path, cache):
    assert stylize(footage, tmp_path, cache, "--box", "2,30,10,62,52", masks=False) == 0
    assert json.loads((tmp_path / "report.json").read_text())["metrics"]["mask_iou"] is None


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d,e"])
def test_a_box_of_the_wrong_form_is_bad_usage(footage, tmp_path, cache, box, capsys):
    assert stylize(footage, tmp_path / "job", cache, "--box", box, masks=False) == 2
    assert "FRAME,X,Y,WIDTH,HEIGHT" in capsys.readouterr().err


def test_the_sheet_shows_all_jobs(finished, tmp_path):
    assert command_line.main(["sheet", str(finished), str(finished), "--out", str(tmp_path)]) == 0
    assert read_rgb(tmp_path / "contact_sheet.png").shape[0] > 800
    assert (tmp_path / "before_after.mp4").stat().st_size > 1000


def test_check_proves_that_the_device_computes(capsys):
    assert command_line.main(["check", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["computation"] == "right"
    assert facts["weights"]["embedded"] == "ready"


def test_settings_lists_a_preset(capsys):
    assert command_line.main(["settings", "--preset", "draft"]) == 0
    assert "stylization.encoder=automatic" in capsys.readouterr().out


def test_a_job_can_end_with_its_masks_and_needs_no_texts_for_that(footage, tmp_path, cache):
    masks = ObjectMask(MaskKind.FILES, path=str(footage / "masks"))
    images_there = Footage(FootageKind.IMAGES, str(footage / "frames"))
    folder = JobFolder(tmp_path / "job")
    folder.write_spec(JobSpec(images_there, (TargetObject(mask=masks),), until=Stage.MASKS))
    assert command_line.main(["run", str(folder.path), "--cache", str(cache)]) == 0
    said = [event_from_json(json.loads(line)) for line in folder.events.read_text().splitlines()]
    done = [event.stage for event in said if isinstance(event, StageFinished)]
    assert done == [Stage.FRAMES, Stage.FLOW, Stage.MASKS]
    assert isinstance(said[-1], Finished) and not folder.result.exists()
    first = sorted(folder.masks.iterdir())[0].read_bytes()
    given = read_rgb(footage / "masks" / "000.png")[..., 0] > 127
    assert len(list(folder.masks.iterdir())) == 6 and first.startswith(b"P5 122 70 255\n")
    numbers = np.frombuffer(first[-122 * 70 :], np.uint8).reshape(70, 122)
    assert ((numbers == 1) == given).mean() > 0.99 and set(np.unique(numbers)) == {0, 1}
