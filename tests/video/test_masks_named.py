"""A named object is found where its class is seen, whatever else moves, and though it rests."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.contract.events import EngineError, Fault
from engine.contract.job import Footage, FootageKind, MaskKind, ObjectMask
from engine.contract.settings import FlowSettings, MasksSettings
from engine.video.flow import estimate_flow
from engine.video.frames import Video
from engine.video.masks import find_masks

from .conftest import Listener, Scene, texture

COUNT, HEIGHT, WIDTH = 10, 96, 160
MOVIE = Footage(FootageKind.MOVIE, "never opened.mp4")


def two_discs(speed):
    """Over panning ground a large red disc moves left; a smaller blue one by ``speed`` px."""
    ground = texture(HEIGHT, WIDTH + 40, (90, 110, 80), seed=1)
    skins = [texture(HEIGHT, WIDTH, colour, seed=2) for colour in ((200, 90, 70), (60, 80, 200))]
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    frames, masks = [], []
    for index in range(COUNT):
        large = np.hypot(columns - (118 - 3 * index), rows - 66) < 21
        small = np.hypot(columns - (40 + speed * index), rows - 28) < 15
        frame = ground[:, 2 * index : 2 * index + WIDTH].copy()
        frame[large] = np.roll(skins[0], -3 * index, axis=1)[large]
        frame[small] = np.roll(skins[1], speed * index, axis=1)[small]
        frames.append(frame)
        masks.append(small)
    return Scene(np.stack(frames), np.stack(masks))


def activation_of(masks):
    """As coarse as a tower's: the truth in cells of 16 px, smoothed, with noise."""
    cells = [cv2.resize(one.astype(np.float32), (10, 6), interpolation=cv2.INTER_AREA)
             for one in masks]  # fmt: skip
    large = [cv2.resize(one, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) for one in cells]
    rough = np.random.default_rng(1).normal(0.0, 0.02, (len(masks), HEIGHT, WIDTH))
    return (np.stack(large) * 6.0 + rough).astype(np.float32)


def find(scene, mask, activation):
    flow = estimate_flow(scene.frames, FlowSettings(), Listener())
    video = Video(scene.frames, (WIDTH, HEIGHT), 24.0, scene.frames[..., 0])
    return find_masks(
        mask, MOVIE, video, flow, MasksSettings(), Listener(), look_for=lambda name: activation
    )


def overlap(found, masks):
    pairs = zip(found.masks > 127, masks, strict=True)
    return np.mean([(one & true).sum() / (one | true).sum() for one, true in pairs])


@pytest.mark.parametrize("speed", [3, -2])  # it moves; it goes with the ground, as if it stood
def test_what_is_called_so_is_found_though_something_larger_moves(speed):
    scene = two_discs(speed)
    named = ObjectMask(MaskKind.NAME, class_name="ball")
    assert overlap(find(scene, named, activation_of(scene.masks)), scene.masks) > 0.8
    assert overlap(find(scene, ObjectMask(), activation_of(scene.masks)), scene.masks) < 0.5


def test_where_nothing_stands_out_a_sentence_says_so():
    scene = two_discs(3)
    flat = np.random.default_rng(1).normal(size=scene.masks.shape).astype(np.float32)
    with pytest.raises(EngineError, match='Nothing in the frames stands out as "ball"') as caught:
        find(scene, ObjectMask(MaskKind.NAME, class_name="ball"), flat)
    assert caught.value.fault is Fault.OBJECT_NOT_FOUND and "box" in caught.value.hint
