"""The ground behind an object is known from other frames, and gives back what was missed."""

from __future__ import annotations

import numpy as np

from engine.video.border_refinement import difference_from, learn_odds, refine_border
from engine.video.ground import ground_of
from engine.video.segmentation import describe_appearance

from .conftest import moving_disc, texture


def overlap(found, true):
    return np.mean([(a & b).sum() / (a | b).sum() for a, b in zip(found, true, strict=True)])


def test_the_ground_behind_the_object_is_what_other_frames_show(scene, flow):
    ground = ground_of(scene.frames, flow, scene.masks)
    bare = texture(96, 144 + 40, (70, 110, 60), seed=1)  # the ground of `moving_disc`
    for index in (0, 9):
        asked = ground.seen[index] & scene.masks[index]
        assert asked.sum() > 0.5 * scene.masks[index].sum()
        true = bare[:, 2 * index : 2 * index + 144].astype(np.float32)
        assert np.abs(ground.plate[index] - true)[asked].mean() < 5.0


def test_what_no_other_frame_shows_is_not_seen(flow):
    scene = moving_disc()
    everywhere = np.ones_like(scene.masks)
    assert not ground_of(scene.frames, flow, everywhere).seen.any()
    # The ground leaves to the left: the last column of the last frame was never seen before.
    strip = np.zeros_like(scene.masks)
    strip[:, 40:50, 100:130] = True
    assert not ground_of(scene.frames, flow, strip).seen[-1, :, -4:].any()


def test_the_object_differs_from_its_ground_and_the_rest_does_not(scene, flow):
    ground = ground_of(scene.frames, flow, scene.masks)
    difference = difference_from(ground, scene.frames)
    inside = difference[ground.seen & scene.masks]
    outside = difference[ground.seen & ~scene.masks]
    assert np.median(inside) > 4.0 > 1.0 > np.median(outside)


def test_a_larger_difference_never_says_less():
    random = np.random.default_rng(0)
    difference = random.gamma(2.0, 1.0, (2, 40, 40)).astype(np.float32)
    probability = (difference + random.normal(size=difference.shape) > 3.0).astype(np.float32)
    asked = np.ones(difference.shape, bool)
    asked[0, :5] = False
    odds = learn_odds(difference, asked, probability)
    order = np.argsort(difference[asked])
    assert (np.diff(odds[asked][order]) >= 0).all()
    assert odds[asked].min() < -1.0 < 1.0 < odds[asked].max()
    assert not odds[~asked].any()
    assert not learn_odds(difference, np.zeros_like(asked), probability).any()


def test_a_part_that_was_missed_is_given_back(scene, flow):
    found = scene.masks.astype(np.float32)
    found[:, :34] = 0.0  # the upper 7 px of the disc, on all frames
    assert overlap(found > 0.5, scene.masks) < 0.9
    answer = refine_border(
        describe_appearance(scene.frames), scene.frames, flow, found, lambda: None
    )
    assert overlap(answer > 0.5, scene.masks) > 0.95
