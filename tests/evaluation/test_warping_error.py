"""The warping error at the footage's own size: small of a still texture, large of a sliding one."""

import cv2
import numpy as np
import pytest
import torch

from engine.evaluation.warping_error import OWN, QUOTED, REGIONS, WarpingError, texture
from engine.render import full_alpha

HEIGHT, WIDTH, FRAMES = 120, 160, 4
ALPHA = torch.zeros(FRAMES, HEIGHT // 4, WIDTH // 4)
ALPHA[:, 5:-5, 5:-5] = 1


def wide_noise(seed: int, blur: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH + 40, 3)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), blur)
    return np.clip(128 + 40 * noise / noise.std(), 0, 255).astype(np.uint8)


def moving(picture: np.ndarray, speed: float) -> list[np.ndarray]:
    """What a camera sees that pans by ``speed`` px a frame over ``picture``."""
    shifts = (np.array([[1, 0, -20 + speed * t], [0, 1, 0]], np.float32) for t in range(FRAMES))
    return [cv2.warpAffine(picture, shift, (WIDTH, HEIGHT)) for shift in shifts]


def ratios(source: list[np.ndarray], result: list[np.ndarray]) -> dict[str, float | None]:
    warping_error = WarpingError(ALPHA)
    for pair in zip(source, result, strict=True):
        warping_error.add(*pair)
    return warping_error.ratios()


def test_a_result_that_is_the_source_is_as_calm_as_it():
    source = moving(wide_noise(0, 2.0), 2.0)
    assert ratios(source, source) == {name: pytest.approx(1) for name in (*REGIONS, *OWN)}


def test_paint_that_slides_is_told_from_paint_that_sticks():
    source = moving(wide_noise(0, 2.0), 1.5)
    sticks = ratios(source, moving(wide_noise(1, 2.0), 1.5))
    slides = ratios(source, moving(wide_noise(1, 2.0), 2.5))
    for name in REGIONS:
        assert slides[name] > 10 * sticks[name]


def test_paint_that_flickers_is_not_calm_along_any_motion():
    source = moving(wide_noise(0, 2.0), 1.5)
    other, another = (moving(wide_noise(seed, 2.0), 1.5) for seed in (1, 2))
    flickers = [(other, another)[frame % 2][frame] for frame in range(FRAMES)]
    slides = ratios(source, moving(wide_noise(1, 2.0), 2.5))
    assert QUOTED in OWN
    for name in OWN:  # a sliding texture does not flicker: drift measures it
        assert ratios(source, flickers)[name] > 30 > 2 > slides[name]


def test_contrast_does_not_count():
    source = moving(wide_noise(0, 2.0), 1.5)
    pale = [(64 + frame / 2).astype(np.uint8) for frame in source]
    assert ratios(source, pale)["object"] == pytest.approx(1, abs=0.3)


def test_where_the_object_is_nowhere_there_is_no_number():
    source = moving(wide_noise(0, 2.0), 1.5)
    warping_error = WarpingError(torch.zeros_like(ALPHA))
    for frame in source:
        warping_error.add(frame, frame)
    assert warping_error.ratios() == dict.fromkeys((*REGIONS, *OWN))


def test_an_edge_alone_is_no_texture():
    edge = np.zeros((60, 60), np.uint8)
    edge[:, 30:] = 200
    corner = edge.copy()
    corner[:30] = 0
    assert texture(edge)[30, 30] < 1 < texture(corner)[30, 30]


def test_paint_that_differs_from_the_background_is_calm_where_the_object_is_alone():
    opacity = full_alpha(ALPHA[0], (HEIGHT, WIDTH)).numpy()[..., None]
    behind = moving(wide_noise(2, 2.0), 1.5)

    def before_it(paint: np.ndarray) -> list[np.ndarray]:
        still = moving(paint, 0)
        pairs = zip(still, behind, strict=True)
        return [(opacity * a + (1 - opacity) * b).astype(np.uint8) for a, b in pairs]

    source, pale = before_it(wide_noise(0, 2.0)), before_it(235 + wide_noise(1, 2.0) // 13)
    found = ratios(source, pale)
    assert found["alone"] < 2 < 10 < found["object"]
