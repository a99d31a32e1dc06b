"""A detector's object is followed through the frames; what it does not see stays unknown."""

from __future__ import annotations

import builtins

import numpy as np
import pytest
import torch

from engine.contract.events import EngineError, Fault, Stopped
from engine.contract.job import Footage, FootageKind, MaskKind, ObjectMask
from engine.contract.settings import MasksSettings
from engine.partial_results import UNSAVED, PartialResults
from engine.video import detector
from engine.video.detector import detect, longest_track
from engine.video.finders import find_by_detections, find_by_detector
from engine.video.flow import Flow, on_processor
from engine.video.frames import Video
from engine.video.masks import find_masks

torchvision = pytest.importorskip("torchvision")
MODEL = "maskrcnn_resnet50_fpn"
MOVIE = Footage(FootageKind.MOVIE, "never opened.mp4")


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Random weights in the format of the trained ones, which call everything a dog (18)."""
    torch.manual_seed(0)
    network = torchvision.models.get_model(MODEL, weights=None, weights_backbone=None)
    state = network.state_dict()
    state["roi_heads.box_predictor.cls_score.bias"][18] = 20.0
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(state, path)
    return path


def seen(video, name, listener, network, least_score=0.5):
    return detect(
        video.frames, name, network=network, least_score=least_score, device="cpu", report=listener
    )


@pytest.fixture
def video(scene):
    frames = scene.frames[:2]
    return Video(frames, (frames.shape[2], frames.shape[1]), 24.0, frames[..., 0])


def as_detections(masks):
    return [[(0.9, mask.astype(np.float32))] for mask in masks]


@pytest.mark.slow
def test_a_file_of_weights_detects_what_it_calls_by_that_name(weights, video, listener):
    found = seen(video, "Dog", listener, f"{MODEL}:{weights}")
    assert len(found) == 2 and found[0]
    score, mask = found[0][0]
    assert score > 0.9 and mask.shape == video.frames.shape[1:3]
    assert not any(seen(video, "cat", listener, f"{MODEL}:{weights}"))
    assert listener.steps[0] == (1, 2)


@pytest.mark.slow
def test_nothing_of_the_class_is_no_object(weights, video, flow, listener):
    settings = MasksSettings(detector=f"{MODEL}:{weights}")
    mask = ObjectMask(MaskKind.DETECTOR, class_name="cat")
    with pytest.raises(EngineError) as caught:
        find_masks(mask, MOVIE, video, flow, settings, listener)
    assert caught.value.fault is Fault.OBJECT_NOT_FOUND and "cat" in caught.value.message


@pytest.mark.slow
def test_the_detection_stops_when_asked(weights, scene, stopping_listener):
    video = Video(scene.frames, (144, 96), 24.0, scene.frames[..., 0])
    with pytest.raises(Stopped):
        seen(video, "dog", stopping_listener, f"{MODEL}:{weights}")


def test_a_detection_that_is_killed_goes_on_with_the_frames_that_are_left(
    scene, listener, tmp_path, monkeypatch
):
    looked = []

    def found(network, frame, *_):
        looked.append(None)
        if len(looked) == 6:
            raise KeyboardInterrupt
        number = int(frame.sum()) % 3
        return [(0.1 + each / 7, frame[..., each] / np.float32(255)) for each in range(number)]

    monkeypatch.setattr(detector, "load_network", lambda *_, **__: None)
    monkeypatch.setattr(detector, "_detections", found)

    def detections(partial):
        return detect(
            scene.frames, "dog", network=f"{MODEL}:COCO_V1", least_score=0.5, device="cpu",
            report=listener, partial=partial,
        )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        detections(PartialResults(tmp_path, seconds=0))
    resumed = detections(PartialResults(tmp_path, seconds=0))
    assert len(looked) == 6 + len(scene.frames) - 5
    whole = detections(UNSAVED)
    assert any(whole) and not all(whole)
    for ours, theirs in zip(resumed, whole, strict=True):
        assert [score for score, _ in ours] == [score for score, _ in theirs]
        assert all(np.array_equal(a[1], b[1]) for a, b in zip(ours, theirs, strict=True))


def test_the_object_is_found_also_on_frames_without_a_detection_and_these_are_told(
    scene, flow, listener
):
    detections = as_detections(scene.masks)
    detections[4] = detections[5] = []
    video = Video(scene.frames, (144, 96), 24.0, scene.frames[..., 0])
    found, seen = find_by_detections(video, flow, detections, listener)
    assert np.flatnonzero(~seen).tolist() == [4, 5]
    solid = found > 0.5
    overlaps = (solid & scene.masks).sum((1, 2)) / (solid | scene.masks).sum((1, 2))
    assert overlaps.min() > 0.9


@pytest.mark.slow
def test_what_the_network_detects_is_followed(weights, video, flow, listener):
    settings = MasksSettings(detector=f"{MODEL}:{weights}")
    short = Flow(
        *(
            part[:1]
            for part in (flow.forward, flow.backward, flow.forward_valid, flow.backward_valid)
        )
    )
    found, seen = find_by_detector(video, short, "dog", settings, listener, device=on_processor)
    assert found.shape == video.frames.shape[:3] and seen.any()


def test_the_object_that_lasts_longest_is_chosen_among_its_class(scene, flow):
    detections = as_detections(scene.masks)
    other = np.zeros_like(scene.masks[0])
    other[5:20, 100:130] = True
    for found in detections[2:6]:
        found.append((0.99, other.astype(np.float32)))
    track = longest_track(detections, flow)
    assert sorted(track.masks) == list(range(10))
    assert all((track.masks[index] == scene.masks[index]).all() for index in range(10))


def test_an_object_is_known_again_after_frames_without_it(scene, flow):
    detections = as_detections(scene.masks)
    detections[3] = detections[4] = detections[5] = []
    assert sorted(longest_track(detections, flow).masks) == [0, 1, 2, 6, 7, 8, 9]


def test_no_detection_is_no_track(flow):
    assert not longest_track([[] for _ in range(10)], flow).masks


@pytest.mark.parametrize(
    ("network", "name", "fault", "word"),
    [
        (f"{MODEL}:COCO_V1", "gryphon", Fault.BAD_JOB, "gryphon"),
        ("yolo:COCO_V1", "dog", Fault.BAD_JOB, "yolo"),
        (f"{MODEL}:COCO_V9", "dog", Fault.WEIGHTS_UNAVAILABLE, "COCO_V9"),
        (f"{MODEL}:COCO_V1", "dog", Fault.WEIGHTS_UNAVAILABLE, "not on this computer"),
    ],
)
def test_what_cannot_be_detected_is_said(
    video, listener, tmp_path, monkeypatch, network, name, fault, word
):
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    with pytest.raises(EngineError) as caught:
        seen(video, name, listener, network)
    assert caught.value.fault is fault and word in caught.value.message and caught.value.hint


def test_weights_of_another_network_are_refused(video, listener, tmp_path):
    torch.save({"layer": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(EngineError) as caught:
        seen(video, "dog", listener, f"{MODEL}:{tmp_path / 'other.pth'}")
    assert caught.value.fault is Fault.WEIGHTS_UNAVAILABLE


def test_a_missing_torchvision_is_said(video, listener, monkeypatch):
    imported = builtins.__import__

    def without(name, *arguments, **named):
        if name == "torchvision":
            raise ImportError(name)
        return imported(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EngineError) as caught:
        seen(video, "dog", listener, f"{MODEL}:COCO_V1")
    assert caught.value.fault is Fault.ENVIRONMENT and "torchvision" in caught.value.message
