"""What only moves along with an object, its reflection and its shadow, is not taken for it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.contract.job import Box, Footage, FootageKind, MaskKind, ObjectMask
from engine.contract.settings import FlowSettings, MasksSettings
from engine.video.border_refinement import refine_border
from engine.video.flow import estimate_flow
from engine.video.frames import Video
from engine.video.ground import cast_shadow
from engine.video.masks import find_masks
from engine.video.segmentation import describe_appearance
from engine.video.steadiness import segment_solid, steadiness

from .conftest import Listener, Scene, texture

HEIGHT, WIDTH, COUNT = 112, 176, 20
WATERLINE = 64


def noise(seed: int, sigma: float, strength: float) -> np.ndarray:
    """Smooth noise of a standard deviation, float32 [H, W]."""
    made = np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH)).astype(np.float32)
    made = cv2.GaussianBlur(made, (0, 0), sigma)
    return strength * made / made.std()


def mirrored_boat() -> tuple[Scene, np.ndarray]:
    """A textured box floats over a reflection that follows it under ripples; and that, bool."""
    shore = texture(HEIGHT, WIDTH + 4 * COUNT, (90, 110, 70), seed=1)
    skin = texture(28, 60, (190, 150, 120), seed=2)
    blotches = noise(4, 5.0, 30.0)
    frames, masks, reflections = [], [], []
    for index in range(COUNT):
        left = 30 + 2 * index
        frame = shore[:, index : index + WIDTH].astype(np.float32)
        frame[WATERLINE:] = (60, 90, 120)
        frame[WATERLINE - 28 : WATERLINE, left : left + 60] = skin
        mirrored = 70.0 + blotches[:28, :60, None]
        frame[WATERLINE : WATERLINE + 28, left : left + 60] = mirrored
        frame[WATERLINE:] += noise(100 + index, 1.0, 10.0)[WATERLINE:, :, None]
        mask, reflection = np.zeros((2, HEIGHT, WIDTH), bool)
        mask[WATERLINE - 28 : WATERLINE, left : left + 60] = True
        reflection[WATERLINE : WATERLINE + 28, left : left + 60] = True
        frames.append(np.clip(frame, 0, 255).astype(np.uint8))
        masks.append(mask)
        reflections.append(reflection)
    return Scene(np.stack(frames), np.stack(masks)), np.stack(reflections)


@pytest.fixture(scope="module")
def boat():
    return mirrored_boat()


@pytest.fixture(scope="module")
def boat_flow(boat):
    return estimate_flow(boat[0].frames, FlowSettings(), Listener())


def overlap(found, true):
    return np.mean([(a & b).sum() / (a | b).sum() for a, b in zip(found, true, strict=True)])


def nothing():
    pass


def test_a_solid_object_is_steady_in_its_own_frame_and_its_reflection_is_not(boat, boat_flow):
    scene, reflections = boat
    judged = steadiness(scene.frames, boat_flow, scene.masks | reflections, nothing)
    assert judged.confidence > 0.5
    assert np.median(judged.score[scene.masks]) > 0.2
    assert np.mean(judged.score[scene.masks] > -0.1) > 0.8
    assert np.mean(judged.score[reflections] < -0.1) > 0.6


def test_a_reflection_that_was_taken_for_the_object_is_given_back(boat, boat_flow):
    scene, reflections = boat
    both = scene.masks | reflections
    assert overlap(both, scene.masks) < 0.55
    look = describe_appearance(scene.frames)
    found = segment_solid(look, scene.frames, boat_flow, both.astype(np.float32), nothing)
    assert overlap(found > 0.5, scene.masks) > 0.9


def test_an_object_that_bends_is_left_as_it_was_found(listener):
    frames = np.random.default_rng(3).integers(0, 256, (6, 64, 96, 3), dtype=np.uint8)
    flow = estimate_flow(frames, FlowSettings("fast"), listener)
    found = np.zeros((6, 64, 96), np.float32)
    found[:, 20:40, 30:60] = 0.9
    assert np.array_equal(
        segment_solid(describe_appearance(frames), frames, flow, found, nothing), found
    )


@pytest.mark.parametrize("kind", ["automatic", "box"])
def test_an_object_over_its_reflection_is_found(boat, boat_flow, listener, kind):
    scene, _ = boat
    mask = ObjectMask()
    if kind == "box":
        mask = ObjectMask(MaskKind.BOX, box=Box(0, 26, WATERLINE - 32, 68, 62))
    found = find_masks(
        mask,
        Footage(FootageKind.MOVIE, ""),
        Video(scene.frames, (WIDTH, HEIGHT), 24.0, scene.frames[..., 0]),
        boat_flow,
        MasksSettings(),
        listener,
    )
    assert overlap(found.masks > 127, scene.masks) > 0.8
    assert listener.steps[-1][0] == listener.steps[-1][1]


def shaded_box() -> tuple[Scene, np.ndarray]:
    """A reddish box and its shadow move over a road that is seen before and after; the shadow."""
    road = texture(HEIGHT, WIDTH, (130, 130, 135), seed=5)
    skin = texture(30, 40, (190, 80, 60), seed=6)
    frames, masks, shadows = [], [], []
    for index in range(COUNT):
        left = 10 + 5 * index
        frame = road.copy()
        shadow, mask = np.zeros((2, HEIGHT, WIDTH), bool)
        shadow[70:80, left : left + 40] = True
        mask[40:70, left : left + 40] = True
        frame[shadow] = frame[shadow] * 0.5
        frame[40:70, left : left + 40] = skin
        frames.append(frame)
        masks.append(mask)
        shadows.append(shadow)
    return Scene(np.stack(frames), np.stack(masks)), np.stack(shadows)


def test_the_darkened_ground_below_an_object_is_its_shadow(listener):
    scene, shadows = shaded_box()
    flow = estimate_flow(scene.frames, FlowSettings(), listener)
    found = cast_shadow(scene.frames, flow, scene.masks | shadows)
    middle = slice(8, 12)
    assert np.mean(found[middle][shadows[middle]]) > 0.6
    assert np.mean(found[middle][scene.masks[middle]]) < 0.05


def test_a_border_drawn_by_the_ground_does_not_take_the_whole_shadow_in(listener):
    scene, shadows = shaded_box()
    flow = estimate_flow(scene.frames, FlowSettings(), listener)
    found = scene.masks.astype(np.float32)
    found[:, 70:73][shadows[:, 70:73]] = 1.0  # the shadow's first rows were taken for the object
    answer = (
        refine_border(describe_appearance(scene.frames), scene.frames, flow, found, nothing) > 0.5
    )
    assert np.mean(answer[shadows]) < 0.5  # nearly all, where a shadow may tell
    assert overlap(answer, scene.masks) > 0.85
