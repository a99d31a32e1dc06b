import pytest
import torch

from engine.stylization.shading import ShadingStatistics, detail, measure_shading, reach, shading


def disc(height: int = 60, width: int = 80) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return ((rows - height / 2) ** 2 + (columns - width / 2) ** 2 < (height / 3) ** 2).float()


def test_an_evenly_lit_object_has_shading_one():
    frame, alpha = torch.full((60, 80, 3), 0.3), disc()
    statistics = measure_shading([(frame, alpha)], side=0.5)
    light = shading(frame, alpha, statistics)
    assert torch.allclose(light[alpha > 0.5], torch.ones(()), atol=1e-3)


def test_what_surrounds_the_object_does_not_shade_it():
    alpha = disc()
    dark = torch.full((60, 80, 3), 0.3) * alpha[..., None]
    bright = torch.where(alpha[..., None] > 0.5, 0.3, 1.0).expand(60, 80, 3)
    statistics = ShadingStatistics(level=0.32, side=0.5)
    one, other = (shading(frame, alpha, statistics) for frame in (dark, bright))
    assert torch.allclose(one[alpha > 0.5], other[alpha > 0.5], atol=0.02)


def test_light_and_dark_parts_are_told_apart_within_bounds():
    frame, alpha = torch.rand(60, 80, 3) * 0.1, torch.ones(60, 80)
    frame[:, 40:] += 0.8
    light = shading(frame, alpha, measure_shading([(frame, alpha)], side=1.0))
    assert light[:, 60:].mean() > 1.2 > 0.8 > light[:, :20].mean()
    assert light.min() >= 0.4 * 0.075 and light.max() <= 1.7 * 2**0.4 + 1e-6


def test_one_level_serves_the_whole_video():
    alpha = disc()
    dim, lit = torch.full((60, 80, 3), 0.2), torch.full((60, 80, 3), 0.4)
    both = measure_shading([(dim, alpha), (lit, alpha)], side=0.5)
    assert both.level == pytest.approx((0.22 * 0.42) ** 0.5, rel=1e-3)


def test_shading_at_another_size_is_the_same_light():
    torch.manual_seed(0)
    small = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 10), (60, 80), mode="bicubic")
    large = torch.nn.functional.interpolate(small, (180, 240), mode="bilinear")
    statistics = ShadingStatistics(level=0.5, side=0.6)
    pair = [
        shading(image[0].permute(1, 2, 0).clamp(0, 1), torch.ones(image.shape[2:]), statistics)
        for image in (small, large)
    ]
    again = torch.nn.functional.avg_pool2d(pair[1][None, None], 3)[0, 0]
    assert (again - pair[0]).abs().mean() < 0.01


def test_the_detail_is_one_where_nothing_stands_out():
    frame, alpha = torch.full((60, 80, 3), 0.3), disc()
    statistics = measure_shading([(frame, alpha)], side=0.5)
    assert torch.allclose(detail(frame, alpha, statistics)[alpha > 0.5], torch.ones(()), atol=1e-3)


def test_the_detail_tells_a_bright_line_from_what_surrounds_it():
    frame, alpha = torch.full((60, 80, 3), 0.3), torch.ones(60, 80)
    frame[30] = 0.5
    statistics = ShadingStatistics(level=0.32, side=0.5)
    found = detail(frame, alpha, statistics)
    assert found[30].min() > 1.2 and found[29].max() < 1.0


def shading_of_a_spot(value: float) -> tuple[float, float]:
    """The light of a spot of ``value`` on an even .4, and what of its detail is missing there."""
    frame, alpha = torch.full((120, 160, 3), 0.4), torch.ones(120, 160)
    frame[58:62, 78:82] = value
    statistics = ShadingStatistics(level=0.42, side=1.0)
    light = shading(frame, alpha, statistics)
    rest = detail(frame, alpha, statistics, shaded=True)
    assert torch.allclose(light[10, 10], torch.ones(()), atol=1e-3)
    assert torch.allclose(rest[10, 10], torch.ones(()), atol=1e-3)
    return float(light[60, 80]), float(rest[60, 80])


def test_an_eye_stays_as_dark_as_in_the_footage_and_grain_is_dampened():
    eye, rest = shading_of_a_spot(0.06)
    assert eye < 0.3 and eye * rest < 0.26
    grain, _ = shading_of_a_spot(0.35)
    assert 0.92 < grain < 0.99
    glint, _ = shading_of_a_spot(0.8)
    assert glint < 1.4


def test_shading_and_the_rest_of_the_detail_are_all_of_it():
    torch.manual_seed(0)
    frame, alpha = 0.1 + 0.5 * torch.rand(60, 80, 3), torch.ones(60, 80)
    statistics = measure_shading([(frame, alpha)], side=1.0)
    whole = detail(frame, alpha, statistics)
    form = shading(frame, alpha, statistics) * detail(frame, alpha, statistics, shaded=True) / whole
    even = shading(torch.full((60, 80, 3), 0.4), alpha, statistics)
    assert whole.std() > 0.1 > form.std()
    assert even.std() < 1e-3


@pytest.mark.parametrize("light_of", [shading, detail])
def test_a_part_that_is_wide_enough_is_as_good_as_the_frame(light_of):
    frame, alpha = torch.rand(120, 160, 3), torch.zeros(120, 160)
    alpha[50:70, 60:90] = 1
    statistics = ShadingStatistics(level=0.5, side=0.2)
    around = reach(statistics, 160)
    part = slice(50 - around, 70 + around), slice(60 - around, 90 + around)
    assert around < 40
    found = light_of(frame[part], alpha[part], statistics, 160)
    whole = light_of(frame, alpha, statistics)
    assert torch.allclose(found[alpha[part] > 0], whole[alpha > 0], atol=1e-5)
