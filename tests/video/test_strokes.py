"""Strokes on a few frames find the object on all, correct what was found, and are obeyed."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contract.events import EngineError, Fault
from engine.contract.job import Box, Footage, FootageKind, MaskKind, ObjectMask, Stroke
from engine.contract.settings import FlowSettings, MasksSettings
from engine.video.flow import estimate_flow
from engine.video.frames import Video
from engine.video.masks import find_masks
from engine.video.strokes import draw

MOVIE = Footage(FootageKind.MOVIE, "never opened.mp4")


def overlap(found, true):
    """Intersection over union, the mean over the frames."""
    solid = found > 127
    return np.mean([(a & b).sum() / (a | b).sum() for a, b in zip(solid, true, strict=True)])


@pytest.fixture
def find(scene, flow, listener):
    """Look for the object of the scene, which is at half of its footage's size."""
    height, width = scene.frames.shape[1:3]
    video = Video(scene.frames, (2 * width, 2 * height), 24.0, scene.frames[..., 0])

    def find(mask, video=video, flow=flow):
        return find_masks(mask, MOVIE, video, flow, MasksSettings(), listener)

    return find


def centre(mask):
    rows, columns = np.nonzero(mask)
    return 2.0 * columns.mean() + 1, 2.0 * rows.mean() + 1


def on_object(scene, frame, radius=8.0):
    x, y = centre(scene.masks[frame])
    return Stroke(frame, (x - 16, y, x + 16, y), radius)


def around_object(scene, frame):
    """A loop well outside the object."""
    (x, y), turn = centre(scene.masks[frame]), np.linspace(0, 2 * np.pi, 25)
    reach = 2 * 96 * 0.22 + 16
    loop = np.stack([x + reach * np.cos(turn), y + reach * np.sin(turn)], 1)
    return Stroke(frame, tuple(loop.ravel().tolist()), 4.0, is_object=False)


def painted(*strokes, kind=MaskKind.STROKES, box=None):
    return ObjectMask(kind, box=box, strokes=strokes)


def pixels(scene, stroke):
    """The pixels under a stroke at the working size, drawn anew by distance."""
    height, width = scene.masks.shape[1:]
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    (ax, ay), (bx, by) = np.reshape(stroke.points, (-1, 2))[[0, -1]] / 2
    length = (bx - ax) ** 2 + (by - ay) ** 2
    along = np.clip(((columns - ax) * (bx - ax) + (rows - ay) * (by - ay)) / length, 0, 1)
    distance = np.hypot(columns - ax - along * (bx - ax), rows - ay - along * (by - ay))
    return distance < stroke.radius / 2 - 1


@pytest.mark.parametrize("frame", [0, 4, 9])
def test_strokes_on_any_one_frame_find_the_object_on_all(find, scene, frame):
    masks = find(painted(on_object(scene, frame), around_object(scene, frame)))
    assert overlap(masks.masks, scene.masks) > 0.9
    assert masks.known.all() and not masks.given


def test_one_stroke_on_the_object_is_enough(find, scene):
    assert overlap(find(painted(on_object(scene, 0))).masks, scene.masks) > 0.85


def test_an_object_that_does_not_move_is_found_by_strokes(scene, find, listener):
    frames = np.repeat(scene.frames[:1], 4, axis=0)
    still = estimate_flow(frames, FlowSettings(), listener)
    video = Video(frames, (2 * frames.shape[2], 2 * frames.shape[1]), 24.0, frames[..., 0])
    masks = find(painted(on_object(scene, 0), around_object(scene, 0)), video, still)
    assert overlap(masks.masks, scene.masks[[0] * 4]) > 0.9


@pytest.mark.parametrize("kind", [MaskKind.STROKES, MaskKind.AUTOMATIC, MaskKind.BOX])
def test_painted_pixels_are_obeyed_whatever_else_finds_the_object(find, scene, kind):
    x, y = centre(scene.masks[3])
    hole = Stroke(3, (x - 10, y, x + 10, y), 6.0, is_object=False)
    outside = Stroke(3, (20.0, 20.0, 60.0, 20.0), 6.0)
    box = Box(0, 30, 40, 120, 110)
    strokes = (on_object(scene, 0), hole, outside)
    masks = find(painted(*strokes, kind=kind, box=box))
    assert (masks.masks[3][pixels(scene, hole)] == 0).all()
    assert (masks.masks[3][pixels(scene, outside)] == 255).all()


def test_the_later_of_two_strokes_that_cross_holds(scene):
    first, second = Stroke(0, (10, 10, 40, 10), 5), Stroke(0, (20, 10, 20, 10), 5, False)
    marks = draw((first, second), (96, 72), (2, 72, 96))[0]
    assert marks.outside[10, 20] and not marks.inside[10, 20]
    assert marks.inside[10, 35] and not (marks.inside & marks.outside).any()


def test_a_stroke_lies_where_it_was_painted_at_another_size():
    marks = draw((Stroke(1, (100.0, 50.0, 140.0, 50.0), 10.0),), (200, 100), (3, 50, 100))
    rows, columns = np.nonzero(marks[1].inside)
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((25, 60), abs=0.5)
    assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == pytest.approx(
        (10, 30), abs=1.5
    )


def test_a_correction_on_a_second_frame_reaches_its_neighbours(find, scene):
    """A first stroke on the ground finds the wrong thing; the second frame's strokes mend it."""
    wrong = painted(Stroke(0, (200.0, 30.0, 250.0, 30.0), 8.0))
    right = (on_object(scene, 8), around_object(scene, 8))
    before = overlap(find(wrong).masks[6:], scene.masks[6:])
    after = overlap(find(painted(*wrong.strokes, *right)).masks[6:], scene.masks[6:])
    assert before < 0.3 and after > 0.6


@pytest.mark.parametrize(
    "stroke",
    [
        Stroke(10, (5, 5, 9, 9), 3),
        Stroke(0, (), 3),
        Stroke(0, (5, 5, 9), 3),
        Stroke(0, (5, 5, 9, 9), 3, is_object=False),
    ],
    ids=["beyond the end", "without points", "half a point", "none on the object"],
)
def test_strokes_that_say_nothing_are_refused(find, stroke):
    with pytest.raises(EngineError) as caught:
        find(painted(stroke))
    assert caught.value.fault is Fault.BAD_JOB and caught.value.hint
