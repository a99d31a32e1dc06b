"""Flow is in pixels, points the right way, and admits where it does not hold."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.contract.events import Stopped
from engine.contract.settings import FlowSettings
from engine.video.flow import closer_flow, estimate_flow, load_flow, save_flow, warp, where_agreeing


def shifted(shift, height=90, width=120):
    """Two frames; what is at p in the first is at p + ``shift`` in the second."""
    noise = np.random.default_rng(3).normal(size=(height, width, 3)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 2.0)
    first = np.clip(128 + noise * 40 / noise.std(), 0, 255).astype(np.uint8)
    move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    second = cv2.warpAffine(first, move, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.stack([first, second])


@pytest.mark.parametrize("shift", [(3.0, 0.0), (0.0, -2.0), (-1.5, 2.5), (0.0, 0.0)])
@pytest.mark.parametrize("quality", ["fast", "medium"])
def test_a_translation_is_recovered(listener, shift, quality):
    flow = estimate_flow(shifted(shift), FlowSettings(quality), listener)
    middle = np.s_[0, 12:-12, 12:-12]
    assert np.abs(flow.forward[middle] - shift).mean() < 0.2
    assert np.abs(flow.backward[middle] + shift).mean() < 0.2
    assert flow.forward_valid[middle].mean() > 0.95


def test_only_a_network_asks_for_the_device(listener):
    def device():
        pytest.fail("asking imports torch")

    estimate_flow(shifted((1.0, 0.0)), FlowSettings("fast"), listener, device=device)


def test_larger_pictures_show_the_motion_more_closely(listener):
    large = shifted((5.0, -3.0), 360, 480)
    small = np.stack(
        [cv2.resize(frame, (120, 90), interpolation=cv2.INTER_AREA) for frame in large]
    )
    greys = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in large])
    settings = FlowSettings("medium")
    flow = estimate_flow(small, settings, listener)
    closer = closer_flow(flow, greys, settings, listener)
    middle = np.s_[0, 12:-12, 12:-12]
    misses = [np.abs(each.forward[middle] - (1.25, -0.75)).mean() for each in (flow, closer)]
    assert closer.forward.shape == flow.forward.shape
    assert misses[1] < 0.6 * misses[0]
    assert np.abs(closer.backward[middle] + (1.25, -0.75)).mean() < 0.05
    assert closer.forward_valid[middle].mean() > 0.95


def test_flow_without_larger_pictures_stays(listener):
    frames = shifted((1.0, 0.0))
    flow = estimate_flow(frames, FlowSettings(), listener)
    greys = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])
    assert closer_flow(flow, greys, FlowSettings(), listener) is flow


def test_a_vector_that_leaves_the_frame_is_not_valid(listener):
    flow = estimate_flow(shifted((6.0, 0.0)), FlowSettings(), listener)
    assert not flow.forward_valid[0, :, -3:].any()
    assert not flow.backward_valid[0, :, :3].any()


def test_what_is_covered_is_not_valid(listener, scene):
    flow = estimate_flow(scene.frames, FlowSettings(), listener)
    covered = scene.masks[1] & ~scene.masks[0]
    assert flow.forward_valid[0][covered].mean() < flow.forward_valid[0].mean() - 0.2


def test_frames_that_show_nothing_alike_have_no_valid_flow(listener):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    flow = estimate_flow(frames, FlowSettings(), listener)
    assert flow.forward_valid.mean() < 0.5


def test_a_fade_does_not_disturb_the_flow(listener):
    frames = shifted((2.0, 1.0))
    frames[1] = frames[1] * 0.6 + 60
    flow = estimate_flow(frames, FlowSettings(), listener)
    assert np.abs(flow.forward[0, 12:-12, 12:-12] - (2.0, 1.0)).mean() < 0.2


@pytest.mark.parametrize(("height", "width"), [(5, 7), (33, 200), (200, 20)])
def test_frames_of_any_size_have_flow(listener, height, width):
    flow = estimate_flow(np.zeros((3, height, width, 3), np.uint8), FlowSettings(), listener)
    assert flow.forward.shape == flow.backward.shape == (2, height, width, 2)
    assert np.isfinite(flow.forward).all()
    assert listener.steps == [(1, 2), (2, 2)]


def test_warping_by_the_forward_flow_brings_the_next_frame_back():
    frames = shifted((4.0, -3.0))
    constant = np.full((*frames.shape[1:3], 2), (4.0, -3.0), np.float32)
    difference = np.abs(warp(frames[1], constant).astype(int) - frames[0])
    assert difference[10:-10, 10:-10].max() <= 2


def test_saved_flow_is_loaded_alike(tmp_path, listener):
    flow = estimate_flow(shifted((1.0, 2.0)), FlowSettings(), listener)
    save_flow(flow, tmp_path)
    loaded = load_flow(tmp_path)
    assert loaded.forward.dtype == np.float32
    assert np.abs(loaded.forward - flow.forward).max() < 0.01
    assert np.array_equal(loaded.backward_valid, flow.backward_valid)


def test_the_flow_stops_when_asked(stopping_listener, scene):
    with pytest.raises(Stopped):
        estimate_flow(scene.frames, FlowSettings(), stopping_listener)
    assert len(stopping_listener.steps) == 2


def test_flow_is_sure_where_the_way_back_ends_where_it_began():
    there = np.full((20, 854, 2), (3.0, 0.0), np.float32)
    back = -there
    back[:, 400:500, 1] = 2.0  # misses by two pixels
    sure = where_agreeing(there, back)
    assert sure[:, :390].all() and not sure[:, 400:490].any()
    assert not sure[:, 852:].any()  # ends outside


@pytest.mark.parametrize(("width", "sure"), [(854, True), (85, False)])
def test_half_a_pixel_is_much_in_a_small_picture(width, sure):
    there = np.full((20, width, 2), (3.0, 0.0), np.float32)
    back = np.full((20, width, 2), (-3.0, 0.5), np.float32)
    assert (where_agreeing(there, back)[:, : width - 4] == sure).all()
