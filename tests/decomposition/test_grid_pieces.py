"""The parts of the fast decomposition, each on its own."""

import cv2
import numpy as np
import pytest
import torch

from engine.decomposition.grid import (
    crop,
    equations,
    matches,
    registration,
    splines,
    textures,
)
from engine.decomposition.grid.background import register_background
from engine.decomposition.grid.folds import unfold_knots
from engine.decomposition.grid.mapping import Foreground, around, box_positions
from engine.decomposition.grid.path import trace
from engine.decomposition.grid.tracks import track_matches
from engine.evaluation import drift
from tests.synthetic import moving_sprite


def still_path(masks):
    steps = np.zeros((len(masks) - 1, *masks.shape[1:], 2))
    return trace(masks, np.zeros_like(masks), steps, steps)


def test_a_spline_with_equal_knots_is_constant_everywhere():
    lattice = splines.Lattice(50, 30, 8)
    points = torch.rand(100, 2) * 80 - 10
    assert torch.allclose(lattice.basis(points).sum(1), torch.ones(100), atol=1e-5)


def test_a_field_on_pixels_is_the_spline_at_their_points():
    lattice = splines.Lattice(20, 12, 5)
    knots = torch.randn(1, lattice.rows, lattice.columns, 2)
    x, y = torch.arange(20.0), torch.arange(12.0)
    field = splines.field(knots, lattice.basis_x(x)[None], lattice.basis_y(y)[None])
    basis = lattice.basis(torch.tensor([[7.0, 3.0], [19.0, 11.0]]))
    expected = basis @ knots[0].reshape(-1, 2)
    assert torch.allclose(field[0, [3, 11], [7, 19]], expected, atol=1e-5)


def test_a_shift_costs_no_stiffness():
    lattice = splines.Lattice(30, 30, 10)
    energy = splines.stiffness(lattice, first=1.0, second=1.0, size=0.0)
    assert torch.allclose(energy @ torch.ones(len(energy)), torch.zeros(len(energy)), atol=1e-5)


def test_the_window_follows_a_growing_object():
    masks = np.zeros((9, 60, 90), np.float32)
    for frame in range(9):
        half = 5 + frame
        masks[
            frame, 30 - half : 30 + half + 1, 20 + 5 * frame - half : 20 + 5 * frame + half + 1
        ] = 1
    window = crop.follow(masks, still_path(masks))
    assert np.allclose(window.centre[:, 0], 20 + 5 * np.arange(9), atol=0.2)
    assert window.scale[-1] > 1.8 * window.scale[0]
    inside = [crop.cut(mask, window, frame) for frame, mask in enumerate(masks)]
    sides = [np.sqrt((part > 0.5).sum()) for part in inside]
    assert max(sides) < 1.3 * min(sides)


def test_the_path_goes_on_where_the_frame_cuts_the_object_off():
    footage = moving_sprite()
    whole, half = footage.masks / 255, slice(0, 70)
    steps = footage.flow.forward[:, :, half], footage.flow.backward[:, :, half]
    none = np.zeros_like(whole)
    path = trace(whole[:, :, half], none[:, :, half], *steps)
    truth = trace(whole, none, footage.flow.forward, footage.flow.backward)
    assert np.abs(path.centre - truth.centre).max() < 4
    assert np.abs(path.deviation / truth.deviation - 1).max() < 0.15


def test_a_window_survives_frames_without_the_object():
    masks = np.zeros((5, 40, 40), np.float32)
    masks[[0, 4], 10:20, 10:20] = 1
    window = crop.follow(masks, still_path(masks))
    assert np.isfinite(window.centre).all() and (window.scale > 0).all()


def test_the_nearest_knots_are_those_with_weight():
    lattice = splines.Lattice(60, 40, 7)
    points = torch.rand(300, 2) * torch.tensor([70.0, 50.0]) - 5  # also beyond the edges
    numbers, weights = lattice.near(points)
    dense = torch.zeros(300, lattice.rows * lattice.columns).scatter_(1, numbers, weights)
    assert torch.allclose(dense, lattice.basis(points), atol=1e-6)


def test_a_refined_field_is_the_same_field():
    coarse, fine = splines.Lattice(60, 40, 16), splines.Lattice(60, 40, 8)
    knots = torch.randn(1, coarse.rows, coarse.columns, 2)
    points = torch.rand(200, 2) * torch.tensor([59.0, 39.0])
    before = coarse.basis(points) @ knots.flatten(1, 2)
    after = fine.basis(points) @ fine.refine(knots, coarse).flatten(1, 2)
    assert torch.allclose(before, after, atol=5e-3)


def test_a_solve_finds_a_known_shift_and_distrusts_false_matches():
    random = np.random.default_rng(0)
    shifts = np.array([[0.0, 0], [2, 1], [-3, 2], [1, -4]])
    parts = []
    for first, second in matches.pairs(4, 2):
        spots = random.uniform(5, 45, (200, 2))
        start, end = spots - shifts[first], spots - shifts[second]
        end[:20] += random.uniform(-40, 40, (20, 2))
        count = np.full(200, 1)
        parts.append(matches.Matches(count * first, count * second, start, end, np.ones(200)))
    found = matches.join(parts)
    lattice = splines.Lattice(50, 50, 12)
    knots, _ = registration.solve(
        equations.problem(found, found.end - found.start),
        lattice,
        splines.stiffness(lattice, first=0.01, second=0.25, size=1e-4),
        start=torch.zeros(4, lattice.rows, lattice.columns, 2),
        reference=2,
        device=torch.device("cpu"),
        before_round=lambda: None,
    )
    centre = lattice.basis(torch.tensor([[25.0, 25.0]])) @ knots.flatten(1, 2)
    assert torch.allclose(centre[:, 0], torch.tensor(shifts - shifts[2]).float(), atol=0.25)


def test_a_fold_is_taken_out_and_other_frames_stay():
    lattice = splines.Lattice(60, 40, 12)
    knots = 0.5 * torch.randn(2, lattice.rows, lattice.columns, 2)
    knots[1, 3, 3:5, 0] = torch.tensor([20.0, -20.0])
    inside = torch.zeros(2, 40, 60, dtype=torch.bool)
    inside[:, 5:35, 5:55] = True
    assert areas(lattice, knots)[1][inside[1]].min() < 0
    found = unfold_knots(lattice, knots, inside)
    assert areas(lattice, found)[inside].min() > 0
    assert torch.equal(found[0], knots[0])


def areas(lattice, knots):
    x, y = torch.arange(60.0), torch.arange(40.0)
    shift = splines.field(
        knots, lattice.basis_x(x).expand(2, -1, -1), lattice.basis_y(y).expand(2, -1, -1)
    )
    across, down = torch.gradient(shift, dim=2)[0], torch.gradient(shift, dim=1)[0]
    return (1 + across[..., 0]) * (1 + down[..., 1]) - across[..., 1] * down[..., 0]


def test_reading_gives_back_what_was_splatted():
    points = torch.stack(torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="xy"), 2)
    uv = ((points + 0.5) / 16).reshape(-1, 2)
    colours = torch.rand(256, 3)
    splat = textures.Splat((16, 16), torch.device("cpu"))
    splat.add(colours, uv, torch.ones(256))
    read = textures.read(splat.fill(), uv[None, :, None])[0, :, 0]
    assert torch.allclose(read, colours, atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (33, 64)])
def test_holes_are_filled_within_the_range_of_what_is_there(size):
    weight = (torch.rand(1, 1, *size) > 0.8).float()
    weight[..., 0, 0] = 1
    colours = 0.3 + 0.4 * torch.rand(1, 3, *size)
    filled = textures.push_pull(colours * weight, weight)
    assert filled.min() >= 0.3 - 1e-4 and filled.max() <= 0.7 + 1e-4
    assert torch.allclose(filled * weight, colours * weight, atol=1e-5)


def test_the_work_grows_in_proportion_to_the_frames():
    counts = [len(matches.pairs(frames, frames // 2)) for frames in (140, 210, 280)]
    assert counts[2] - counts[1] == counts[1] - counts[0]


def test_the_background_is_found_through_the_pan():
    footage = moving_sprite(frames=8)
    mapping = register_background(
        footage.frames,
        footage.alpha.astype(np.float32),
        footage.flow,
        device=torch.device("cpu"),
        seed=0,
        tick=lambda _: None,
    )
    places = mapping.place([0, 7], 72, 128)
    assert torch.allclose(
        (places[1] - places[0])[36, 64], torch.tensor([0.12 * 128 * 7 / 11, 0.0]), atol=0.6
    )


def laid_out(knots, mask):
    """Return the uv of one frame whose window is the frame itself."""
    height, width = mask.shape
    window = crop.Crop(np.array([[(width - 1) / 2, (height - 1) / 2]]), np.ones(1), width, height)
    lattice = splines.Lattice(width, height, 8)
    shifts = torch.zeros(1, lattice.rows, lattice.columns, 2) + knots
    mapping = Foreground(window, lattice, shifts, torch.zeros(2), 1.0)
    placed = around(mapping, torch.from_numpy(mask)[None], [(0, 0)])
    rows, columns = box_positions(window, [0], [(0, 0)], mask.shape)
    return placed.uv([0], rows, columns)[0].numpy()


def test_a_thin_end_of_the_object_has_its_place_in_the_atlas():
    mask = np.zeros((260, 240), np.float32)
    mask[10:230, 10:230] = 1
    mask[230:250, 119:121] = 1  # less than 0.1 % of the pixels
    uv = laid_out(0.0, mask)
    assert drift.folds(uv[None], mask[None] > 0.5) == 0
    assert uv[mask > 0.5].min() > 0 and uv[mask > 0.5].max() < 1


def test_stray_pixels_do_not_make_the_object_small():
    mask = np.zeros((120, 300), np.float32)
    mask[20:100, 10:90] = 1
    mask[60, 298] = 1
    uv = laid_out(0.0, mask)[:, :95]
    assert np.ptp(uv[20:100, 10:90, 1]) > 0.6


def test_the_background_does_not_show_in_what_is_matched():
    mask = np.zeros((40, 60), np.float32)
    mask[10:30, 20:40] = 1
    picture = np.random.default_rng(0).integers(0, 255, (80, 120)).astype(np.uint8)
    picture[20:60, 40:80] = np.arange(180, 220)
    alone = crop.replace_surroundings(picture, mask)
    kept = np.s_[22:58, 42:78]
    assert np.allclose(alone[kept], picture[kept], atol=1), "the object stays"
    alone[18:62, 38:82] = 200  # the edge is soft
    assert alone.min() >= 179 and alone.max() <= 220


def test_tracks_weigh_more_where_the_footage_has_more_pixels_than_the_window():
    footage = moving_sprite(frames=6)
    masks = footage.masks.astype(np.float32) / 255
    greys = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in footage.frames])
    twice = np.stack([cv2.resize(grey, None, fx=2, fy=2) for grey in greys])
    window = crop.follow(masks, still_path(masks))
    weights = [track_matches(each, masks, window).weight for each in (greys, twice)]
    assert min(map(len, weights)) > 50
    assert np.allclose(weights[1].mean(), 4 * weights[0].mean())


def test_points_come_back_from_the_window():
    window = crop.Crop(np.array([[30.0, 20.0], [34.0, 21.0]]), np.array([0.7, 1.3]), 64, 80)
    frames, points = np.array([0, 1, 1]), np.array([[28.0, 15.0], [36.5, 22.25], [0.0, 0.0]])
    inside = window.to_crop(points, frames)
    assert not np.allclose(inside, points)
    assert np.allclose(window.to_frame(inside, frames), points)


@pytest.mark.parametrize("finer", [1, 5])
def test_texels_are_covered_the_same_however_many_rows_are_taken_at_a_time(finer, monkeypatch):
    line = (torch.arange(24) + 0.5) / 24
    uv = torch.stack(torch.meshgrid(line, line, indexing="xy"), 2).expand(2, -1, -1, -1)
    alpha = torch.rand(2, 24, 24, generator=torch.Generator().manual_seed(0))
    found = []
    for most in (1 << 21, 2 * 24 * finer**2 * 5):
        monkeypatch.setattr(textures, "PIXELS", most)
        found.append(torch.zeros(64, 64))
        textures.cover(uv, alpha, finer, found[-1])
    assert found[0].max() > 0.9 and torch.allclose(*found, atol=1e-4)
