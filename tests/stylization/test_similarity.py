import pytest
import torch

from engine.stylization.similarity import embed_objects, object_crops


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


def test_every_frame_with_the_object_has_an_embedding(encoder):
    alpha = torch.zeros(3, 40, 40)
    alpha[1:, 10:30, 10:30] = 1
    embeddings = embed_objects(encoder, torch.rand(3, 40, 40, 3), alpha)
    assert len(embeddings) == 2 and embeddings.isfinite().all()
    assert not torch.equal(embeddings[0], embeddings[1])
