import pytest
import torch

from engine.stylization.boxes import object_boxes


def test_the_box_holds_the_object_and_no_specks():
    alpha = torch.zeros(3, 80, 120)
    alpha[:, 20:60, 30:90] = 1
    alpha[1, 2, 3] = 1
    boxes, seen = object_boxes(alpha)
    assert seen.all()
    assert boxes[1].tolist() == pytest.approx([30, 20, 90, 60], abs=1e-3)


def test_a_moving_object_is_never_cut_by_the_smoothing():
    alpha = torch.zeros(5, 40, 200)
    for t in range(5):
        alpha[t, 10:30, 30 * t : 30 * t + 20] = 1
    boxes, _ = object_boxes(alpha)
    for t in range(5):
        assert boxes[t, 0] <= 30 * t and boxes[t, 2] >= 30 * t + 20


def test_frames_without_the_object_are_told_and_have_a_neighbours_box():
    alpha = torch.zeros(4, 40, 60)
    alpha[:3, 10:20, 10:30] = 1
    boxes, seen = object_boxes(alpha)
    assert seen.tolist() == [True, True, True, False]
    assert torch.allclose(boxes[3], boxes[2], atol=0.1)


def test_no_object_at_all_is_seen_nowhere():
    assert not object_boxes(torch.zeros(2, 20, 20))[1].any()
