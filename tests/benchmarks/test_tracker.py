"""The second judge of drift finds the points where the truth has them, later and earlier ones."""

import cv2
import numpy as np
import pytest

from benchmarks.layered import tracker
from tests.synthetic import moving_sprite

FRAMES = 24


@pytest.fixture(scope="module")
def footage():
    return moving_sprite(frames=FRAMES, width=288, height=160, seed=3)


@pytest.fixture(scope="module")
def greys(footage):
    return [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in footage.frames]


@pytest.fixture(scope="module")
def pairs(footage, greys):
    return tracker.follow(greys, footage.alpha > 0.5)


def test_followed_corners_are_where_the_sprite_has_them(footage, pairs):
    misses = []
    for each in pairs:
        spots = footage.sprite.uv(each.frames[0], each.first)
        there = footage.sprite.points(each.frames[1], spots)
        misses.append(np.linalg.norm(there - each.second, axis=1))
    assert len(np.concatenate(misses)) > 100
    assert np.median(np.concatenate(misses)) < 0.5


def test_points_go_both_ways_from_every_start_over_every_gap(pairs):
    ways = {each.frames for each in pairs}
    assert {(0, 10), (0, 20), (6, 16), (12, 2), (18, 8)} <= ways
    assert all(first % tracker.START_EVERY == 0 for first, _ in ways)


def test_the_truth_drifts_little_and_a_shifted_frame_is_found_out(footage, greys, pairs):
    uv = (footage.uv / 400 + 0.5).astype(np.float32)
    found = tracker.drift_of(pairs, greys[0].shape, uv)
    assert found["tracker_10"] < 0.4 and found["tracker_20"] < 0.6
    assert found["tracker_40"] is None and found["tracker_40_points"] == 0
    moving = uv + np.arange(FRAMES, dtype=np.float32)[:, None, None, None] * 0.1 / 400
    assert tracker.drift_of(pairs, greys[0].shape, moving)["tracker_10"] > 1
