"""The judge of mappings finds no drift in the truth, and the drift that is put in."""

import numpy as np
import pytest

from engine.evaluation import drift, points
from tests.synthetic import moving_sprite

FRAMES = 23


@pytest.fixture(scope="module")
def footage():
    return moving_sprite(frames=FRAMES, width=288, height=160, seed=3)


@pytest.fixture(scope="module")
def pictures(footage):
    return {
        index: drift.sampled_picture(frame)
        for index, frame in enumerate(footage.frames)
        if drift.is_sampled(index)
    }


@pytest.fixture(scope="module")
def visible(footage):
    return footage.alpha > 0.5


def true_uv(footage):
    return (footage.uv / 400 + 0.5).astype(np.float32)


def test_followed_points_are_where_the_sprite_has_them(footage, pictures, visible):
    misses = []
    for pairs in points.follow(pictures, visible, (10,)):
        spots = footage.sprite.uv(pairs.frames[0], pairs.first)
        there = footage.sprite.points(pairs.frames[1], spots)
        misses.append(np.linalg.norm(there - pairs.second, axis=1))
    misses = np.concatenate(misses)
    assert len(misses) > 50
    assert np.median(misses) < 0.15 and np.quantile(misses, 0.95) < 0.6


def test_the_truth_does_not_drift_and_the_rest_is_unknown(footage, pictures, visible):
    found = drift.uv_drift(pictures, true_uv(footage), visible)
    assert found["uv_drift_10"] < 0.15 and found["uv_drift_20"] < 0.2
    assert found["uv_drift_40"] is None and found["uv_drift_40_points"] == 0


def test_a_mapping_that_slides_is_caught_by_as_much_as_it_slides(footage, pictures, visible):
    speed = 0.1  # px of a frame 256 wide, in each frame
    slide = speed * np.arange(FRAMES) * 288 / drift.LONGER_SIDE
    columns, rows = np.meshgrid(np.arange(288.0), np.arange(160.0))
    moved = np.stack(
        [
            footage.sprite.uv(frame, np.stack([columns + slide[frame], rows], 2))
            for frame in range(FRAMES)
        ]
    )
    found = drift.uv_drift(pictures, (moved / 400 + 0.5).astype(np.float32), visible)
    assert found["uv_drift_10"] == pytest.approx(10 * speed, rel=0.1)
    assert found["uv_drift_20"] == pytest.approx(20 * speed, rel=0.1)


def test_a_mapping_without_extent_counts_as_lost(footage, pictures, visible):
    found = drift.uv_drift(pictures, 0 * true_uv(footage), visible)
    assert found["uv_drift_10"] == drift.LOST


def test_an_object_that_is_never_seen_has_no_drift(footage, pictures, visible):
    found = drift.uv_drift(pictures, true_uv(footage), visible & False)
    assert found["uv_drift_10"] is None


def test_an_object_that_comes_late_is_not_followed_before(pictures, visible):
    late = visible.copy()
    late[: FRAMES // 2] = False
    assert points.follow(pictures, late, (5,)) == []  # it is looked for in few frames


def test_very_large_footage_is_judged_smaller():
    assert drift.sampled_picture(np.zeros((600, 2048, 3), np.uint8)).shape == (300, 1024)


def test_folds_are_counted_where_the_object_is():
    columns, rows = np.meshgrid(np.arange(10.0), np.arange(10.0))
    uv = np.stack([columns, rows], 2)[None]
    visible = np.ones((1, 10, 10), bool)
    assert drift.folds(uv, visible) == 0
    uv[0, :, 5:, 0] = 9 - uv[0, :, 5:, 0]  # goes to 4 and comes back from 4
    assert drift.folds(uv, visible) == pytest.approx(5 / 9)
    visible[..., 4:] = False
    assert drift.folds(uv, visible) == 0
