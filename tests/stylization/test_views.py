from dataclasses import replace

import pytest
import torch

from engine.contract.settings import ViewsSettings
from engine.stylization.crops import crop_grid, crop_views, filled_up
from engine.stylization.views import Subject, Views, draw_views, perspective

PLAIN = ViewsSettings(
    global_views=40, local_views=60, perspective_chance=0, background_removal=0, margin=0.1
)


def subject_of(mask: torch.Tensor) -> Subject:
    places = mask.nonzero().double()
    low, high = places.amin(0).flip(0), places.amax(0).flip(0) + 1
    box = torch.cat([low, high])
    return Subject.of(mask, box, margin=0.1 * float((high - low).max()))


def blob() -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(100), torch.arange(140), indexing="ij")
    return ((rows - 50) / 30) ** 2 + ((columns - 70) / 55) ** 2 < 1


def drawn(mask: torch.Tensor, settings: ViewsSettings = PLAIN, seed: int = 0):
    return draw_views(subject_of(mask), settings, torch.Generator().manual_seed(seed))


def test_every_global_view_holds_the_whole_object():
    whole, _ = drawn(blob())
    left, top, width, height = whole.crops.unbind(1)
    x0, y0, x1, y1 = subject_of(blob()).box.tolist()
    assert (left <= x0 + 1e-6).all() and (left + width >= x1 - 1e-6).all()
    assert (top <= y0 + 1e-6).all() and (top + height >= y1 - 1e-6).all()


def test_every_accepted_local_view_is_a_third_object():
    _, close = drawn(blob())
    covered = subject_of(blob()).coverage(close.crops)
    assert (close.fallback | (covered >= 1 / 3)).all()
    assert not close.fallback.any()


def test_a_thin_part_is_seen_alone_where_close_views_lie_around_the_object():
    rows, columns = torch.meshgrid(torch.arange(100), torch.arange(200), indexing="ij")
    disc = (rows - 50) ** 2 + (columns - 50) ** 2 < 45**2
    neck = ((rows - 50).abs() < 5) & (columns > 50) & ~disc
    shares = {}
    for placement in ("box", "object"):
        settings = replace(PLAIN, local_placement=placement, local_views=64)
        _, close = drawn(disc | neck, settings, seed=1)
        without_disc = subject_of(disc | neck).coverage(close.crops) > 0
        without_disc &= subject_of(disc).coverage(close.crops) == 0
        shares[placement] = float(without_disc.double().mean())
    of_pixels = float(neck.sum() / (disc | neck).sum())  # .13
    assert shares["box"] < 0.05 < 0.6 * of_pixels < shares["object"], shares


def test_close_views_around_the_object_shrink_only_where_it_is_thin():
    _, close = draw_views(
        subject_of(blob()), replace(PLAIN, local_placement="object"), torch.Generator()
    )
    box = subject_of(blob())
    area = (box.box[2:] - box.box[:2] + 2 * box.margin).prod()
    share = close.crops[:, 2:].prod(1) / area
    assert share.min() >= 0.1 * 0.8 and share.max() <= 0.5
    assert not close.fallback.any()


def test_coverage_is_the_mean_of_the_mask_in_the_crop():
    mask = blob()
    found = subject_of(mask).coverage(torch.tensor([[20.0, 30.0, 40.0, 20.0]]))
    assert found == pytest.approx(mask[30:50, 20:60].double().mean().item())


def test_what_lies_beyond_the_canvas_covers_nothing():
    solid = subject_of(torch.ones(20, 20, dtype=torch.bool))
    assert solid.coverage(torch.tensor([[-10.0, 0.0, 20.0, 20.0]])) == pytest.approx(0.5)


def test_a_thin_object_ends_in_flagged_views_that_still_see_it():
    mask = torch.zeros(200, 200, dtype=torch.bool)
    mask[torch.arange(200), torch.arange(200)] = True
    _, close = drawn(mask)
    assert close.fallback.all()
    assert (subject_of(mask).coverage(close.crops) > 0).all()


def test_the_sizes_of_crops_are_area_fractions_within_their_aspects():
    _, close = drawn(blob())
    size = close.crops[:, 2:]
    box = subject_of(blob())
    area = (box.box[2:] - box.box[:2] + 2 * box.margin).prod()
    share, aspect = size.prod(1) / area, size[:, 0] / size[:, 1]
    assert share.min() >= 0.1 - 1e-6 and share.max() <= 0.5 + 1e-6
    assert aspect.min() >= 0.8 - 1e-6 and aspect.max() <= 1.2 + 1e-6


def test_the_same_seed_draws_the_same_views():
    one, other = drawn(blob(), ViewsSettings())[1], drawn(blob(), ViewsSettings())[1]
    assert torch.equal(one.crops, other.crops) and torch.equal(one.warps, other.warps)


def test_no_move_of_the_corners_is_no_perspective():
    assert torch.allclose(perspective(torch.zeros(2, 4, 2)), torch.eye(3), atol=1e-6)


def test_a_perspective_maps_the_moved_corners_to_the_square():
    moves = 0.5 * torch.rand(3, 4, 2, dtype=torch.float64)
    square = torch.tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=torch.float64)
    corners = torch.cat([square * (1 - moves), torch.ones(3, 4, 1)], 2)
    mapped = torch.einsum("vij,vcj->vci", perspective(moves), corners)
    assert torch.allclose(mapped[..., :2] / mapped[..., 2:], square.expand(3, 4, 2), atol=1e-9)


def one_view(crop: list[float], *, black: bool = False, moves: float = 0.0) -> Views:
    return Views(
        torch.tensor([crop], dtype=torch.float64),
        perspective(torch.full((1, 4, 2), moves, dtype=torch.float64)),
        torch.tensor([black]),
        torch.tensor([False]),
    )


def picture() -> torch.Tensor:
    """Red object over the left half, blue background over the right one."""
    full = torch.zeros(6, 32, 32)
    full[0, :, :16] = 0.8
    full[5, :, 16:] = 0.6
    return full


def test_a_crop_of_its_own_size_is_read_pixel_by_pixel():
    noise = torch.rand(6, 32, 32)
    crops = crop_views(noise, one_view([4, 8, 16, 16]), 16)
    assert torch.allclose(crops[0], (noise[:3] + noise[3:])[:, 8:24, 4:20], atol=1e-5)


def test_background_removal_leaves_the_object_alone():
    plain = crop_views(picture(), one_view([0, 0, 32, 32]), 32)[0]
    alone = crop_views(picture(), one_view([0, 0, 32, 32], black=True), 32)[0]
    assert torch.equal(plain[0], alone[0]) and plain[2].max() > 0.5
    assert alone[2].abs().max() == 0


def test_what_lies_around_a_warped_view_is_black():
    crops = crop_views(torch.ones(6, 32, 32), one_view([8, 8, 16, 16], moves=0.5), 32)[0]
    assert crops[:, 0, 0].abs().max() == 0 and crops[:, 16, 16].min() > 1


def test_removal_stays_aligned_under_perspective():
    warped = one_view([0, 0, 32, 32], moves=0.3)
    with_background = crop_views(picture(), warped, 64)[0]
    alone = crop_views(picture(), replace(warped, black=torch.tensor([True])), 64)[0]
    assert torch.equal(with_background[0], alone[0])


def test_shrinking_averages_instead_of_skipping_pixels():
    checker = ((torch.arange(64)[:, None] + torch.arange(64)) % 2).float().expand(6, 64, 64)
    full = torch.cat([checker[:3], torch.zeros(3, 64, 64)])
    crops = crop_views(full, one_view([0, 0, 64, 64]), 16)
    assert torch.allclose(crops, torch.full_like(crops, 0.5), atol=1e-5)


def test_views_of_a_larger_canvas_see_the_same_place():
    small = torch.nn.functional.avg_pool2d(torch.rand(1, 6, 16, 16), 3, 1, 1)[0]
    large = torch.nn.functional.interpolate(small[None], scale_factor=4, mode="bilinear")[0]
    view = one_view([2, 3, 10, 8])
    assert (crop_views(small, view, 8) - crop_views(large, view.scale(4), 8)).abs().mean() < 0.03


def test_coverage_can_mean_the_part_of_the_object():
    subject = subject_of(blob())
    everything = torch.tensor([[0.0, 0.0, 140.0, 100.0]])
    assert subject.coverage(everything, "object") == pytest.approx(1.0)
    assert subject.coverage(everything) < 0.5


def test_hard_removal_keeps_what_is_mostly_object_and_nothing_else():
    alpha = torch.tensor([0.2, 0.4, 0.6, 0.9]).repeat_interleave(4).expand(16, 16)
    front = alpha * torch.ones(3, 16, 16)
    picture = torch.cat([front, 0 * front, (alpha > 0.5).float()[None]])
    crops = torch.tensor([[0.0, 0.0, 16.0, 16.0]], dtype=torch.float64)
    plain = perspective(torch.zeros(1, 4, 2, dtype=torch.float64))
    no = torch.zeros(1, dtype=torch.bool)
    crops = crop_views(picture, Views(crops, plain, ~no, no), 16)[0, 0, 8]
    assert crops[:8].max() == 0 and torch.allclose(crops[8:], alpha[8, 8:])


def test_a_seed_keeps_its_views():
    whole, close = drawn(blob(), replace(PLAIN, perspective_chance=0.5))
    assert whole.crops[0].tolist() == pytest.approx([4.04928, -24.97021, 124.51114, 136.99501])
    assert close.crops[0].tolist() == pytest.approx([59.77366, 41.74029, 53.90411, 45.81038])
    tilted = close.warps[close.warps[:, 2, 0] != 0][0]
    assert tilted[2].tolist() == pytest.approx([-0.00910569, 0.03070014, 1.0], abs=1e-7)


def several(shape: tuple[int, int], seed: int) -> tuple[torch.Tensor, Views]:
    """A picture of noise, and views that read three levels of its pyramid, also beyond its edge."""
    generator = torch.Generator().manual_seed(seed)
    height, width = shape
    crops = [[3, 2, 12, 12], [0, 0, width, height], [-20, -9, 2 * width, 1.5 * height]]
    moves = 0.4 * torch.rand(3, 4, 2, generator=generator, dtype=torch.float64)
    no = torch.zeros(3, dtype=torch.bool)
    views = Views(torch.tensor(crops, dtype=torch.float64), perspective(moves), no, no)
    return torch.rand(6, *shape, generator=generator), views


def test_views_of_several_pictures_are_the_same_as_alone():
    shapes = [(40, 33), (31, 40), (40, 40)]
    pictures, views = zip(*(several(shape, seed) for seed, shape in enumerate(shapes)), strict=True)
    grid = crop_grid(views, shapes, 12, torch.device("cpu"))
    assert len(grid.levels) == 3
    both = torch.stack(filled_up(pictures))
    together = grid.crops(both[:, :3], both[:, 3:])
    for crops, picture, some in zip(together, pictures, views, strict=True):
        for number, alone in enumerate(crops):
            one = Views(*(each[number : number + 1] for each in vars(some).values()))
            assert torch.allclose(alone, crop_views(picture, one, 12)[0], atol=1e-4)


def test_slopes_of_several_pictures_stay_within_each():
    shapes = [(40, 33), (31, 40)]
    pictures, views = zip(*(several(shape, seed) for seed, shape in enumerate(shapes)), strict=True)
    both = torch.stack(filled_up(pictures)).requires_grad_()
    crops = crop_grid(views, shapes, 12, torch.device("cpu")).crops(both[:, :3], both[:, 3:])
    slopes = torch.autograd.grad(crops[1].sum(), both)[0]
    assert slopes[0].abs().max() == 0 and slopes[1].abs().max() > 0
    assert slopes[1, :, 31:].abs().max() == 0  # below it there is nothing
