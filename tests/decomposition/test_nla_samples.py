"""Samples name the right neighbours, in landscape and in portrait."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.decomposition.nla.samples import Samples, VideoPoints
from tests.decomposition.inverse_coordinates import pixels_of_points

CPU = torch.device("cpu")


def _video(height: int = 5, width: int = 8, frames: int = 3) -> tuple[VideoPoints, np.ndarray]:
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    shape = (frames - 1, height, width)
    flow = SimpleNamespace(
        forward=random.uniform(-2, 2, (*shape, 2)).astype(np.float32),
        backward=random.uniform(-2, 2, (*shape, 2)).astype(np.float32),
        forward_valid=random.random(shape) < 0.7,
        backward_valid=random.random(shape) < 0.7,
    )
    flow.forward[~flow.forward_valid] = np.nan
    masks = SimpleNamespace(
        masks=random.integers(0, 256, (frames, height, width), dtype=np.uint8),
        known=np.array([True, False, True]),
        given=True,
    )
    video = VideoPoints(picture, flow, masks, CPU)
    video.truth = SimpleNamespace(flow=flow, masks=masks)  # type: ignore[attr-defined]
    return video, picture


def _all(video: VideoPoints, far: float = 0.0) -> tuple[Samples, torch.Tensor]:
    numbers = torch.arange(video.extent.pixels)
    return video.at(numbers, far=far), video.extent.pixel(numbers)


@pytest.mark.parametrize(("height", "width"), [(5, 8), (8, 5)])
def test_neighbours_are_one_pixel_away(height: int, width: int) -> None:
    video, _ = _video(height, width)
    samples, pixels = _all(video, far=3)
    for place, offset in (
        ("here", (0, 0)),
        ("right", (1, 0)),
        ("below", (0, 1)),
        ("far_right", (3, 0)),
        ("far_below", (0, 3)),
    ):
        found = pixels_of_points(getattr(samples, place), video.extent)
        expected = pixels + torch.tensor([*offset, 0])
        torch.testing.assert_close(found, expected.float(), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("height", "width"), [(5, 8), (8, 5)])
def test_differences_are_those_of_the_picture_and_end_at_its_edge(height: int, width: int) -> None:
    video, picture = _video(height, width)
    samples, _ = _all(video)
    colours = picture / 255
    x = np.diff(colours, axis=2).reshape(-1, 3)
    y = np.diff(colours, axis=1).reshape(-1, 3)
    assert samples.inside_x.sum() == len(x)
    assert samples.inside_y.sum() == len(y)
    np.testing.assert_allclose(samples.difference_x[samples.inside_x], x, atol=1e-6)
    np.testing.assert_allclose(samples.difference_y[samples.inside_y], y, atol=1e-6)
    np.testing.assert_allclose(samples.colour, colours.reshape(-1, 3), atol=1e-6)


def test_flow_leads_forward_from_its_frame_and_backward_from_the_next() -> None:
    video, _ = _video()
    samples, pixels = _all(video)
    flow = video.truth.flow  # type: ignore[attr-defined]
    for place, valid, vectors, allowed, first, step in (
        ("forward", samples.valid_forward, flow.forward, flow.forward_valid, 0, 1),
        ("backward", samples.valid_backward, flow.backward, flow.backward_valid, 1, -1),
    ):
        assert valid.sum() == allowed.sum()
        found = pixels_of_points(getattr(samples, place), video.extent)[valid]
        column, row, frame = pixels[valid].unbind(1)
        expected = pixels[valid].float()
        expected[:, :2] += torch.from_numpy(vectors)[frame - first, row, column]
        expected[:, 2] += step
        torch.testing.assert_close(found, expected, atol=2e-3, rtol=0)


def test_flow_that_is_not_believed_never_reaches_the_points() -> None:
    video, _ = _video()
    samples, _ = _all(video)
    assert samples.forward.isfinite().all()
    assert samples.backward.isfinite().all()


def test_ends_of_the_video_have_no_flow() -> None:
    video, _ = _video()
    samples, pixels = _all(video)
    assert not samples.valid_forward[pixels[:, 2] == 2].any()
    assert not samples.valid_backward[pixels[:, 2] == 0].any()


def test_masks_are_parts_of_one_and_unknown_frames_are_marked() -> None:
    video, _ = _video()
    samples, pixels = _all(video)
    given = video.truth.masks.masks.reshape(-1) / 255  # type: ignore[attr-defined]
    np.testing.assert_allclose(samples.mask, given, atol=1e-6)
    assert torch.equal(samples.known, pixels[:, 2] != 1)


def test_far_neighbours_are_left_out_unless_wanted() -> None:
    samples, _ = _all(_video()[0])
    assert samples.far_right is None
    assert samples.far_below is None


def test_the_generator_alone_decides_what_is_drawn() -> None:
    video, _ = _video()
    first = video.draw(20, torch.Generator().manual_seed(3))
    torch.rand(7)
    again = video.draw(20, torch.Generator().manual_seed(3))
    assert torch.equal(first.here, again.here)


def test_points_of_one_frame_lie_in_that_frame() -> None:
    video, _ = _video()
    points = video.points_in(1, 200, torch.Generator().manual_seed(0))
    pixels = pixels_of_points(points, video.extent).round()
    assert (pixels[:, 2] == 1).all()
    assert len(pixels.unique(dim=0)) > 30
