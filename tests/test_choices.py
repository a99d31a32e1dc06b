"""What preset Paper leaves open: RAFT and Mask R-CNN where their weights are, and how these come.

The files are of the very format in which torchvision publishes them, served on this computer.
"""

import dataclasses
import functools
import json
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine import choices, pipeline
from engine import weights as downloads
from engine.client import download
from engine.contract import variables
from engine.contract.codec import set_from_text
from engine.contract.events import EngineError, Fault, Warned
from engine.contract.folder import JobFolder
from engine.contract.job import (
    Box,
    Footage,
    FootageKind,
    JobSpec,
    MaskKind,
    ObjectMask,
    Stage,
    Stroke,
    TargetObject,
    TargetTexts,
    single,
)
from engine.contract.settings import preset, replace_setting
from engine.reporter import Reporter
from engine.video import weights
from engine.video.images import read_rgb, write_png
from engine.workspace import Cache

from . import torchvision_files
from .synthetic import moving_sprite
from .test_pipeline import events_of

RAFT, DETECTOR = "raft_large:C_T_V1", "maskrcnn_resnet50_fpn_v2:COCO_V1"
QUICK = (
    "frames.longest_side=96", "decomposition.engine=grid", "decomposition.grid.steps=4",
    "decomposition.grid.atlas_size=64", "stylization.distillation_steps=10",
    "stylization.encoder=embedded", "stylization.steps=2", "stylization.views.local_views=2",
    "stylization.views.global_views=1",
)  # fmt: skip


class Listener:
    def __init__(self):
        self.said = []

    def warning(self, message, hint=""):
        self.said.append((message, hint))


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The folder of weights files, and the tags of each network with their addresses."""
    folder = tmp_path_factory.mktemp("published")
    files = {
        RAFT: (torchvision_files.raft_state(), "raft_large_C_T_V1"),
        DETECTOR: (torchvision_files.detector_state(), "maskrcnn_resnet50_fpn_v2_coco"),
    }
    handler = functools.partial(Handler, directory=str(folder))
    there = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=there.serve_forever, daemon=True).start()
    tags = {}
    for name, (state, stem) in files.items():
        model, _, tag = name.partition(":")
        path = torchvision_files.published(state, folder, stem)
        tags[model] = {tag: f"http://127.0.0.1:{there.server_port}/{path.name}"}
    yield folder, tags
    there.shutdown()
    there.server_close()


@pytest.fixture
def empty(served, tmp_path, monkeypatch):
    """A folder for weights in which there are none, where jobs look."""
    monkeypatch.setattr(weights, "published_addresses", lambda model: served[1][model])
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setenv(variables.WEIGHTS, str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.fixture(scope="module")
def downloaded(served, tmp_path_factory):
    """A folder with both networks, as the explicit download leaves it."""
    folder = tmp_path_factory.mktemp("downloaded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "published_addresses", lambda model: served[1][model])
        for name in (RAFT, DETECTOR):
            assert downloads.main([name, "--folder", str(folder)]) == 0
    return folder


@pytest.fixture
def complete(empty, downloaded, monkeypatch):
    """The same with both networks."""
    monkeypatch.setenv(variables.WEIGHTS, str(downloaded))
    return downloaded


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footage")
    made = moving_sprite(frames=3, width=96, height=64)
    for index, frame in enumerate(made.frames):
        write_png(folder / f"{index}.png", frame)
    return Footage(FootageKind.IMAGES, str(folder))


def paper(footage, mask=None, **changed):
    settings = preset("paper")
    for path, value in changed.items():
        settings = replace_setting(settings, path.replace("__", "."), value)
    return single(footage, TargetTexts("zebra fur"), mask, settings)


def many(count):
    return Footage(FootageKind.MOVIE, "never opened.mp4", indices=tuple(range(count)))


def test_the_downloads_are_the_papers_and_found_by_their_tag(complete, served):
    settings = preset("paper")
    assert (settings.flow.raft, settings.masks.detector) == (RAFT, DETECTOR)
    for name, models in ((RAFT, ("raft_large",)), (DETECTOR, ("maskrcnn_resnet50_fpn_v2",))):
        found = weights.weights_file(name, models)
        assert found.parent == complete / name.replace(":", "--")
        assert found.stat().st_size == (served[0] / found.name).stat().st_size


def test_torchvisions_table_has_an_address_with_a_hash_for_both():
    for name, start in ((RAFT, "raft_large_C_T_V1-"), (DETECTOR, "maskrcnn_resnet50_fpn_v2_coco-")):
        address, digest = weights.source(*name.split(":"))
        assert address.startswith("https://download.pytorch.org/")
        assert address.endswith(f"/{start}{digest}.pth")


def test_weights_that_are_not_what_their_name_says_are_refused(served, empty, capsys):
    folder, tags = served
    name = tags["raft_large"]["C_T_V1"].rpartition("/")[2]
    other = folder / "raft_large_C_T_V1-00000000.pth"
    other.write_bytes((folder / name).read_bytes())
    address = tags["raft_large"]["C_T_V1"].replace(name, other.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "published_addresses", lambda model: {"C_T_V1": address})
        assert downloads.main([RAFT, "--folder", str(empty)]) == 1
    assert "not the file that was expected" in capsys.readouterr().out
    assert not [path for path in empty.rglob("*") if path.is_file()]


def test_without_a_network_and_with_an_unknown_tag_there_is_a_sentence(empty, monkeypatch, capsys):
    assert downloads.main(["raft_large:NO_TAG", "--folder", str(empty)]) == 1
    assert "weights tag of raft_large, which has: C_T_V1" in capsys.readouterr().out
    closed = {"C_T_V1": "http://127.0.0.1:9/raft_large_C_T_V1-00000000.pth"}
    monkeypatch.setattr(weights, "published_addresses", lambda model: closed)
    monkeypatch.setattr(download, "TIMEOUT", 2)
    assert downloads.main([RAFT, "--folder", str(empty)]) == 1
    assert "cannot be reached" in capsys.readouterr().out


def test_without_weights_dis_and_motion_serve_and_it_is_said(footage, empty):
    listener = Listener()
    found = choices.decide(paper(footage), listener)
    assert found.settings.flow.quality == "medium"
    assert found.objects[0].mask == ObjectMask()
    ((message, hint),) = listener.said
    assert "from DIS" in message and "from motion" in message
    assert message.count("not on this computer") == 2
    assert RAFT in hint and DETECTOR in hint


def test_with_weights_raft_and_the_detector_serve_and_it_is_said(footage, complete):
    listener = Listener()
    stroke = Stroke(0, (1.0, 2.0), 3.0)
    found = choices.decide(paper(footage, ObjectMask(strokes=(stroke,))), listener)
    assert found.settings.flow.quality == "raft"
    mask = found.objects[0].mask
    assert (mask.kind, mask.class_name) == (MaskKind.DETECTOR, "anything")
    assert mask.strokes == (stroke,)
    ((message, hint),) = listener.said
    assert "from RAFT" in message and "from Mask R-CNN" in message and not hint


@pytest.mark.parametrize(
    "mask",
    [ObjectMask(MaskKind.FILES, "masks"), ObjectMask(MaskKind.BOX, box=Box(0, 1, 2, 3, 4))],
)
def test_what_was_named_stays(footage, complete, mask):
    listener = Listener()
    spec = paper(footage, mask, flow__quality="fast")
    found = choices.decide(spec, listener)
    assert found.objects == spec.objects and found.settings.flow.quality == "fast"
    assert not listener.said


def test_of_several_objects_only_the_unnamed_is_detected(footage, complete):
    named = TargetObject(TargetTexts("gold"), ObjectMask(MaskKind.FILES, "masks"))
    spec = dataclasses.replace(paper(footage), objects=(named, TargetObject()))
    found = choices.decide(spec, Listener()).objects
    assert found[0] == named and found[1].mask.kind is MaskKind.DETECTOR


def test_the_other_presets_leave_no_network_open(footage, empty):
    listener = Listener()
    for name in ("draft", "standard", "fine"):
        spec = single(footage, TargetTexts("gold"), settings=preset(name))
        left = {"draft": "embedded"}.get(name, spec.settings.stylization.encoder)
        settings = replace_setting(spec.settings, "stylization.encoder", left)
        assert choices.decide(spec, listener) == dataclasses.replace(spec, settings=settings)
    assert not listener.said


def test_an_object_found_by_name_is_called_as_its_text_calls_it(footage):
    spec = single(footage, TargetTexts("swan with cactus skin"), ObjectMask(MaskKind.NAME))
    assert choices.decide(spec, Listener()).objects[0].mask.class_name == "swan"
    named = single(footage, TargetTexts("gold"), ObjectMask(MaskKind.NAME, class_name="dog"))
    assert choices.decide(named, Listener()).objects[0].mask.class_name == "dog"


@pytest.mark.parametrize(("text", "name"), [("gold", ""), ("gold", "person")])
def test_what_cannot_be_found_by_name_is_refused_before_any_work(footage, text, name):
    mask = ObjectMask(MaskKind.NAME, class_name=name)
    with pytest.raises(EngineError) as caught:
        choices.decide(single(footage, TargetTexts(text), mask), Listener())
    assert caught.value.fault is Fault.BAD_JOB and "box" in caught.value.hint


def test_draft_is_led_by_real_clip_for_words_that_only_that_reads(footage, empty):
    (empty / "ViT-B-32--openai").mkdir(parents=True)
    (empty / "ViT-B-32--openai" / "model.safetensors").write_bytes(b"weights")
    for text, encoder in (("gold", "embedded"), ("hippogriff feathers", "ViT-B-32:openai")):
        listener = Listener()
        spec = single(footage, TargetTexts(text), settings=preset("draft"))
        found = choices.decide(spec, listener)
        assert found.settings.stylization.encoder == encoder
        assert bool(listener.said) == (encoder != "embedded")


def test_more_frames_than_the_papers_limit_are_warned_of():
    listener = Listener()
    choices.check_length(paper(many(70)), listener)
    choices.check_length(dataclasses.replace(paper(many(71)), until=Stage.MASKS), listener)
    choices.check_length(paper(many(71), decomposition__engine="grid"), listener)
    assert not listener.said
    choices.check_length(paper(many(71)), listener)
    ((message, hint),) = listener.said
    assert "has 71 frames" in message and "70 at most" in message and "grid" in hint


def test_too_many_frames_are_warned_of_before_any_work(tmp_path):
    folder = JobFolder(tmp_path / "job")
    with Reporter(folder) as report, pytest.raises(EngineError):
        pipeline.run(paper(many(71), flow__quality="medium"), Cache(tmp_path / "cache"), report)
    events = events_of(folder.path)
    assert isinstance(events[0], Warned) and "71 frames" in events[0].message


def performed(footage, tmp_path, spec: JobSpec):
    settings = spec.settings
    for assignment in QUICK:
        settings = set_from_text(settings, assignment)
    folder = JobFolder(tmp_path / "job")
    with Reporter(folder) as report:
        job = dataclasses.replace(spec, settings=settings)
        pipeline.run(job, Cache(tmp_path / "cache"), report)
    frames = [read_rgb(path) for path in sorted(folder.result.glob("*.png"))]
    return folder, frames, json.loads(folder.report.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_papers_frames_are_composed_of_atlases_with_flow_and_masks_of_the_networks(
    footage, complete, tmp_path
):
    folder, frames, report = performed(footage, tmp_path, paper(footage))
    (said,) = [each for each in report["warnings"] if "from RAFT" in each]
    assert "from Mask R-CNN" in said
    assert said in [event.message for event in events_of(folder.path) if isinstance(event, Warned)]
    assert report["unstyled"] == "reconstruction" and report["metrics"]["background_psnr"] < 60
    assert len(frames) == 3
    mask = read_rgb(folder.preview / "mask.png")
    assert mask.shape == (64, 96, 3)
    source = read_rgb(Path(footage.path) / "0.png")
    corner = np.s_[:8, :8]  # far from the detected middle
    assert not np.array_equal(frames[0][corner], source[corner])
    assert cv2.PSNR(frames[0][corner], source[corner]) < 60
