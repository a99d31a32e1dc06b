"""Pins: a mapping that slides is corrected where a person points at the same spot."""

import numpy as np
import pytest
import torch

from engine.contract.events import EngineError, Fault
from engine.contract.job import Pin
from engine.decomposition.pins import check_pins, correct_mapping, read_pins
from engine.evaluation.drift import folds

FRAMES, HEIGHT, WIDTH = 21, 60, 96
SIZE = 2 * WIDTH, 2 * HEIGHT  # of the footage: twice as large as what is worked on
LAST = FRAMES - 1
SLIDE = 5.0  # px over all frames
SPOTS = np.array([(36, 22), (58, 24), (46, 38)])  # px of the working size


@pytest.fixture(scope="module")
def alpha():
    """A disc that stands still."""
    down, across = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    disc = (down - 30).square() + (across - 48).square() < 22**2
    return disc.float().expand(FRAMES, -1, -1)


def truth():
    """The mapping that sticks: every frame shows the atlas as it is, [T, H, W, 2]."""
    down, across = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    return ((torch.stack([across, down], 2) + 0.5) / WIDTH).expand(FRAMES, -1, -1, -1)


def sliding():
    """The mapping slides along x, frame by frame."""
    by = torch.linspace(0, SLIDE / WIDTH, FRAMES)[:, None, None]
    uv = truth().clone()
    uv[..., 0] += by
    return uv


def pin(spot, *frames):
    """The disc stands still: the same place in all frames."""
    x, y = 2 * (spot + 0.5)
    return Pin(frames, (float(x), float(y)) * len(frames))


def corrected(uv, alpha, *pins):
    return correct_mapping(uv, alpha, read_pins(pins, uv, SIZE))


def error(uv):
    """Return by how many pixels the mapping is wrong at most within 2 px of the spots, [T]."""
    wrong = (uv - truth()).norm(dim=3) * WIDTH
    near = [wrong[:, y - 2 : y + 3, x - 2 : x + 3].amax((1, 2)) for x, y in SPOTS]
    return torch.stack(near).amax(0)


def test_a_sliding_mapping_is_held_between_the_frames_of_the_pins_too(alpha):
    uv = sliding()
    found = corrected(uv, alpha, *(pin(spot, 0, LAST) for spot in SPOTS))
    for x, y in SPOTS:
        assert found[LAST, y, x] == pytest.approx(uv[0, y, x], abs=0.2 / WIDTH)
    before, after = error(uv), error(found)
    assert (after[5:] < 0.5 * before[5:]).all()
    assert after[0] < 0.2  # where the pins begin, the mapping was right
    assert folds(found.numpy(), alpha.numpy() > 0.5) == 0


def test_what_a_pin_says_is_about_its_surroundings(alpha):
    uv = sliding()
    found = corrected(uv, alpha, pin(SPOTS[0], 0, LAST))
    moved = (found - uv).norm(dim=3)[LAST] * WIDTH
    x, y = SPOTS[0]
    assert moved[y, x] == pytest.approx(SLIDE, abs=0.2)
    assert moved[30, 68] < 0.2 * SLIDE


def test_the_first_frame_of_a_pin_keeps_its_place(alpha):
    uv = sliding()
    found = corrected(uv, alpha, *(pin(spot, LAST, 0) for spot in SPOTS))
    for x, y in SPOTS:
        assert found[LAST, y, x] == pytest.approx(uv[LAST, y, x], abs=0.2 / WIDTH)
        assert found[0, y, x] == pytest.approx(uv[LAST, y, x], abs=0.2 / WIDTH)


def test_pins_that_contradict_each_other_fold_nothing(alpha):
    uv = truth().clone()
    crossed = [
        Pin((0, LAST), (80.0, 60.0, 112.0, 60.0)),
        Pin((0, LAST), (112.0, 60.0, 80.0, 60.0)),
    ]
    found = corrected(uv, alpha, *crossed)
    assert folds(found.numpy(), alpha.numpy() > 0.3) == 0
    assert (found - uv).norm(dim=3)[LAST].max() > 1 / WIDTH


class Warnings(list):
    def warning(self, message, hint=""):
        self.append(message)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (pin(SPOTS[0], 0, FRAMES), "Pin 1 is on frame 21, but the last one is 20."),
        (Pin((0, 3), (5.0, 5.0, 193.0, 5.0)), "193, 5 on frame 3 is outside the picture of 192 x"),
    ],
)
def test_a_pin_outside_the_footage_is_refused(alpha, given, said):
    masks = (alpha * 255).byte().numpy()
    with pytest.raises(EngineError, match=said) as caught:
        check_pins([given], masks, SIZE, Warnings())
    assert caught.value.fault is Fault.BAD_JOB


def test_a_pin_beside_the_object_is_warned_of(alpha):
    masks, report = (alpha * 255).byte().numpy(), Warnings()
    check_pins([pin(SPOTS[0], 0, 3)], masks, SIZE, report)
    assert not report
    check_pins([Pin((0, 3, 5), (90.0, 60.0, 4.0, 4.0, 190.0, 4.0))], masks, SIZE, report)
    assert report == ["Pin 1 is beside the object on frames: 3, 5."]
