import pytest
import torch

from engine.stylization.similarity import object_crops, similarities, similarity


def test_the_object_fills_its_crop():
    frames, alpha = torch.zeros(2, 60, 100, 3), torch.zeros(2, 60, 100)
    frames[:, 20:40, 30:60, 0] = 1
    alpha[:, 20:40, 30:60] = 1
    crops = object_crops((frames * 255).byte(), alpha, 36)
    assert crops.shape == (2, 3, 36, 36)
    assert crops[0, 0].mean() == pytest.approx(30 * 20 / 36**2, rel=0.02)
    assert crops[0, 1:].abs().max() == 0


def test_frames_without_the_object_are_left_out():
    alpha = torch.zeros(3, 40, 40)
    alpha[1, 10:30, 10:30] = 1
    assert len(object_crops(torch.rand(3, 40, 40, 3), alpha, 8)) == 1


def test_similarity_is_the_mean_of_the_cosines(encoder):
    images, texts = torch.rand(3, 3, 32, 32), ["gold", "wood"]
    cosines = similarities(encoder, images, texts)
    assert cosines.shape == (3, 2) and cosines.abs().max() <= 1
    assert similarity(encoder, images, texts) == pytest.approx(cosines.mean().item(), abs=1e-6)
