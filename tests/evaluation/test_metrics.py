"""Every metric gives the number that can be worked out by hand."""

import math

import numpy as np
import pytest
import torch

from engine.evaluation import metrics


def test_psnr_is_the_mean_over_frames_not_over_pixels():
    reference = torch.zeros(2, 4, 4, 3)
    video = reference.clone()
    video[0] += 0.1
    video[1] += 0.01
    assert metrics.psnr(video, reference) == pytest.approx((20 + 40) / 2, abs=1e-3)


def test_psnr_inside_a_region_ignores_the_rest():
    reference = torch.zeros(1, 4, 4, 3)
    video = reference.clone()
    video[0, :2] += 0.1
    video[0, 2:] += 0.9
    where = torch.zeros(1, 4, 4, dtype=torch.bool)
    where[0, :2] = True
    assert metrics.psnr(video, reference, where) == pytest.approx(20, abs=1e-3)


def test_equal_videos_have_the_psnr_that_stands_for_equality():
    video = torch.rand(2, 4, 4, 3)
    assert metrics.psnr(video, video) == pytest.approx(99)


def test_alpha_leak_counts_only_what_is_far_from_the_mask():
    masks = np.zeros((1, 40, 40), bool)
    masks[0, 10:20, 10:20] = True
    alpha = masks.astype(float)
    alpha[0, 10:20, 22] = 1.0  # within five pixels of the mask
    assert metrics.alpha_leak(alpha, masks) == 0.0
    alpha[0, 35] = 0.5
    outside = (~metrics.dilate(masks)).sum()
    assert metrics.alpha_leak(alpha, masks) == pytest.approx(0.5 * 40 / outside)


def test_mask_iou_is_intersection_over_union():
    masks = np.zeros((1, 4, 4), bool)
    masks[0, :2] = True
    alpha = np.zeros((1, 4, 4))
    alpha[0, 1:3] = 1.0
    assert metrics.mask_iou(alpha, masks) == pytest.approx(4 / 12)


def test_a_video_that_follows_the_flow_has_no_warp_error():
    rng = np.random.default_rng(0)
    wide = rng.random((20, 40, 3), dtype=np.float32)
    video = np.stack([wide[:, 10 - 2 * t : 30 - 2 * t] for t in range(3)])
    flow = np.zeros((2, 20, 20, 2), np.float32)
    flow[..., 0] = 2
    valid = np.ones((2, 20, 20), bool)
    valid[:, :, -2:] = False
    assert metrics.warp_error(video, flow, valid) == pytest.approx(0, abs=1e-10)
    assert metrics.warp_error(video, 0 * flow, valid) > 0.1


def test_warp_error_sums_over_channels():
    video = np.zeros((2, 3, 3, 3), np.float32)
    video[1] = 0.1
    still = np.zeros((1, 3, 3, 2), np.float32)
    assert metrics.warp_error(video, still, np.ones((1, 3, 3), bool)) == pytest.approx(0.03)


def test_frame_consistency_is_the_mean_cosine_of_neighbours():
    embeddings = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    assert metrics.frame_consistency(embeddings) == pytest.approx((1 + 0 + 0) / 3)


def test_text_similarity_is_a_mean_cosine():
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    value = metrics.text_similarity(embeddings, torch.tensor([3.0, 0.0]))
    assert value == pytest.approx((1 + math.sqrt(0.5)) / 2)


def test_background_psnr_looks_only_outside_the_object():
    source = np.full((8, 8, 3), 100, np.uint8)
    result = source.copy()
    result[:4] = 200
    outside = np.zeros((8, 8), bool)
    outside[4:] = True
    background = metrics.BackgroundError()
    background.add(result, source, outside)
    assert background.psnr() == pytest.approx(99)
    result[4:] = 101
    background.add(result, source, outside)
    assert background.psnr() == pytest.approx((99 + 20 * math.log10(255)) / 2)


def squares(*colours: tuple[float, float, float], tile: int = 20) -> torch.Tensor:
    """A picture [3, 40, 40] of ``colours`` by turns, in stripes of ``tile`` pixels."""
    which = torch.arange(40) // tile % len(colours)
    return torch.tensor(colours)[which].T[:, None].expand(3, 40, 40).clone()


GREY, WHITE, BLACK = (0.5, 0.5, 0.5), (0.9, 0.9, 0.9), (0.1, 0.1, 0.1)


def test_what_looks_as_before_is_bare_and_stripes_are_not_though_their_mean_is_the_same():
    alpha, shown = torch.ones(1, 40, 40), squares(GREY)
    assert metrics.bareness(shown, shown, alpha) == pytest.approx(1, abs=1e-3)
    assert metrics.bareness(squares(WHITE, BLACK, tile=2), shown, alpha) < 0.05
    half = squares(GREY, WHITE)
    assert metrics.bareness(half, shown, alpha) == pytest.approx(0.5, abs=0.02)


def test_bareness_counts_the_object_alone_and_many_pictures_at_once():
    alpha = torch.zeros(1, 40, 40)
    alpha[:, :, 10:30] = 1
    shown, stylized = squares(GREY), torch.stack([squares(GREY), squares(WHITE)])
    found = metrics.bareness((stylized * alpha)[:, None], (shown * alpha)[None], alpha[None])
    assert found.shape == (2, 1)
    assert found[:, 0].tolist() == pytest.approx([1, 0], abs=0.02)
