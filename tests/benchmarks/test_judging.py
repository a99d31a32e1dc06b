"""The judges of real photographs: their classes, their windows, their arithmetic."""

import numpy as np
import pytest
from timm.data import ImageNetInfo

from benchmarks.judging import judge, kin, networks, views

CLASSES = 1000


def test_every_class_has_the_name_that_imagenet_gives_it():
    imagenet = ImageNetInfo()
    for lists in (kin.LOOKS, kin.OBJECTS):
        for name, classes in lists.items():
            assert classes, name
            for index, spelled in classes.items():
                words = imagenet.index_to_description(index)
                assert words.startswith(spelled), (name, index, words)


def test_the_breeds_are_all_the_dogs_and_nothing_else():
    imagenet = ImageNetInfo()
    first, last = kin.DOG_BREEDS[0], kin.DOG_BREEDS[-1]
    assert imagenet.index_to_description(first).startswith("Chihuahua")
    assert imagenet.index_to_description(last).startswith("Mexican hairless")
    assert imagenet.index_to_description(last + 1).startswith("timber wolf")
    numbers = [int(imagenet.index_to_label_name(each)[1:]) for each in kin.DOG_BREEDS]
    assert all(2085620 <= each <= 2113978 for each in numbers)


def test_no_look_is_also_an_object():
    looks = {index for classes in kin.LOOKS.values() for index in classes}
    objects = {index for classes in kin.OBJECTS.values() for index in classes}
    assert not looks & objects


def test_kin_are_pooled_and_stand_at_one_place():
    probabilities = np.array([0.2, 0.15, 0.3, 0.25, 0.1])
    assert judge.scores(probabilities, (0, 1)) == {"probability": 0.35, "place": 1}
    assert judge.scores(probabilities, (0,)) == {"probability": 0.2, "place": 3}
    assert judge.scores(probabilities, (0, 4)) == {"probability": 0.3, "place": 1}


def test_an_object_stands_where_its_best_class_does():
    probabilities = np.array([0.2, 0.15, 0.3, 0.25, 0.1])
    assert judge.best_place(probabilities, (1, 3)) == 2
    assert judge.best_place(probabilities, ()) is None


@pytest.mark.parametrize(
    ("place", "probability", "seen"), [(1, 0.3, True), (1, 0.29, False), (2, 0.4, False)]
)
def test_a_look_is_seen_where_it_is_first_and_probable(place, probability, seen):
    assert judge.is_seen({"place": place, "probability": probability}) is seen


def disc(height=120, width=160, radius=40, middle=(60, 70)):
    y, x = np.mgrid[:height, :width]
    return ((y - middle[0]) ** 2 + (x - middle[1]) ** 2 <= radius**2).astype(np.float32)


def test_close_views_are_full_of_the_object_and_of_the_wanted_size():
    masks = np.stack([disc()] * 12)
    found = views.windows(masks)
    assert [each.frame for each in found] == [0, 2, 3, 5, 6, 8, 9, 11]
    for each in found:
        assert len(each.close) == views.CLOSE
        for left, top, side in each.close:
            part = masks[0][top : top + side, left : left + side]
            assert part.shape == (side, side) and part.mean() >= views.FILLED - 0.002
            assert 0.08 <= side**2 / 81**2 <= 0.32


def test_the_whole_view_holds_the_object_and_stays_in_the_frame():
    at_the_edge = disc(middle=(45, 41))
    ((left, top, side),) = (each.whole for each in views.windows(at_the_edge[None]))
    assert left >= 0 and top >= 0 and side == round(81 * 1.2)
    assert at_the_edge[top : top + side, left : left + side].sum() == at_the_edge.sum()


def test_an_object_that_no_close_view_can_be_full_of_gets_the_fullest():
    line = np.zeros((1, 100, 100), np.float32)
    line[0, 50:53, 10:90] = 1
    (found,) = views.windows(line)
    for left, top, side in found.close:
        assert line[0, top : top + side, left : left + side].any()


def test_frames_without_the_object_are_not_looked_at():
    masks = np.stack([np.zeros((120, 160)), disc(), np.zeros((120, 160))])
    assert [each.frame for each in views.windows(masks)] == [1]
    with pytest.raises(ValueError, match="No frame shows"):
        views.windows(masks[:1])


def test_what_lies_outside_the_frame_is_grey():
    picture = np.zeros((10, 20, 3), np.uint8)
    seen = views.cut(picture, (0, -5, 20), 20)
    assert (seen[:5] == views.GREY).all() and (seen[5:15] == 0).all()
    assert (seen[15:] == views.GREY).all()


def test_boxes_are_masks():
    (mask,) = views.from_boxes([(2, 1, 3, 2)], 5, 8)
    assert mask.sum() == 6 and mask[1:3, 2:5].all()


def bright_is_zebra(variant, pictures):
    """Judge a view by its brightness: white is a zebra, black a Chihuahua."""
    found = np.zeros((len(pictures), CLASSES), np.float32)
    found[:, 340] = pictures.mean(axis=(1, 2, 3)) / 255
    found[:, 151] = 1 - found[:, 340]
    return found


def test_frames_are_judged_whole_and_close():
    masks = np.stack([disc()] * 3)
    white = [(mask[..., None] * 255).repeat(3, 2).astype(np.uint8) for mask in masks]
    found = judge.judge_frames(white, masks, "zebra", "dog", judging=bright_is_zebra)
    assert found["close"]["probability"] > 0.95 and found["close"]["place"] == 1
    assert 0.4 < found["whole"]["probability"] < 0.7
    assert found["seen"] is (found["whole"]["place"] == 1)
    assert found["still"] is True and found["own_place"] in (1, 2)
    small = masks[:, ::2, ::2]
    again = judge.judge_frames(white, small, "zebra", "woman", judging=bright_is_zebra)
    assert again["own_place"] is None and again["still"] is None
    assert again["close"]["probability"] > 0.9


def test_frames_and_masks_must_be_as_many():
    with pytest.raises(ValueError, match="2 frames, but 3 masks"):
        judge.judge_frames([np.zeros((9, 9, 3), np.uint8)] * 2, np.ones((3, 9, 9)), "zebra")


def test_the_judges_know_a_zebra_less_picture():
    """Real weights: grey is no zebra, and the probabilities are some."""
    for variant, side in networks.SIDES.items():
        grey = np.full((1, side, side, 3), 128, np.uint8)
        found = networks.probabilities(variant, grey)
        assert found.shape == (1, CLASSES) and found.sum() == pytest.approx(1, abs=1e-4)
        assert networks.features(variant, grey).shape == (1, 1280)
        assert found[0, 340] < 0.1
