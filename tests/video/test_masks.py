"""Masks are found from files, a box or motion; what is missing is unknown, not empty."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contract.events import EngineError, Fault, Stopped
from engine.contract.job import Box, Footage, FootageKind, MaskKind, ObjectMask
from engine.contract.settings import FlowSettings, MasksSettings
from engine.video.flow import estimate_flow
from engine.video.frames import Video, write_movie, write_png
from engine.video.masks import find_masks, load_masks, save_masks

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

    def find(mask, footage=MOVIE, video=video, flow=flow, listener=listener):
        return find_masks(mask, footage, video, flow, MasksSettings(), listener)

    return find


def box_of(mask, frame):
    rows, columns = np.nonzero(mask)
    left, top = 2 * columns.min(), 2 * rows.min()
    return Box(frame, left, top, 2 * columns.max() + 2 - left, 2 * rows.max() + 2 - top)


def boxed(box):
    return ObjectMask(MaskKind.BOX, box=box)


def write_masks(folder, masks, names):
    for name, mask in zip(names, masks, strict=True):
        write_png(folder / name, np.repeat(np.repeat(mask, 2, 0), 2, 1).astype(np.uint8) * 255)
    return ObjectMask(MaskKind.FILES, str(folder))


def numbered(count):
    return [f"{number:03d}.png" for number in range(count)]


def fault_of(find, *arguments, **named):
    with pytest.raises(EngineError) as caught:
        find(*arguments, **named)
    assert caught.value.hint
    return caught.value


def test_what_moves_against_the_background_is_found(find, scene, listener):
    masks = find(ObjectMask())
    assert overlap(masks.masks, scene.masks) > 0.85
    assert masks.known.all() and not masks.given
    assert listener.steps[-1][0] == listener.steps[-1][1]


@pytest.mark.parametrize("frame", [0, 5, 9])
def test_the_object_in_a_box_is_found_on_all_frames(find, scene, frame):
    masks = find(boxed(box_of(scene.masks[frame], frame)))
    assert overlap(masks.masks, scene.masks) > 0.85
    assert masks.known.all() and not masks.given


def test_an_object_that_moves_with_the_background_is_found_by_its_box(scene, find, listener):
    frames = np.repeat(scene.frames[:1], 4, axis=0)
    still = estimate_flow(frames, FlowSettings(), listener)
    video = Video(frames, (2 * frames.shape[2], 2 * frames.shape[1]), 24.0, frames[..., 0])
    masks = find(boxed(box_of(scene.masks[0], 0)), video=video, flow=still)
    assert overlap(masks.masks, scene.masks[[0] * 4]) > 0.85


def test_a_box_may_reach_over_the_border(find, scene):
    width, height = 2 * scene.frames.shape[2], 2 * scene.frames.shape[1]
    masks = find(boxed(Box(0, -20, -20, width * 0.5 + 20, height + 40)))
    assert overlap(masks.masks, scene.masks) > 0.7


def test_masks_are_found_on_frames_larger_than_the_search(scene, listener):
    frames = np.repeat(np.repeat(scene.frames[:4], 3, axis=1), 3, axis=2)
    large = estimate_flow(frames, FlowSettings("fast"), listener)
    video = Video(frames, (frames.shape[2], frames.shape[1]), 24.0, frames[..., 0])
    masks = find_masks(ObjectMask(), MOVIE, video, large, MasksSettings(), listener)
    true = np.repeat(np.repeat(scene.masks[:4], 3, axis=1), 3, axis=2)
    assert overlap(masks.masks, true) > 0.85


def test_as_many_masks_as_frames_are_taken_in_the_order_of_their_names(find, scene, tmp_path):
    masks = find(write_masks(tmp_path, scene.masks, numbered(10)))
    assert masks.given and masks.known.all()
    assert overlap(masks.masks, scene.masks) == 1.0


def test_frames_without_a_mask_are_unknown(find, scene, tmp_path):
    footage = Footage(FootageKind.IMAGES, "images", tuple(f"{n:03d}.jpg" for n in range(10)))
    names = ["001.png", "004.png"]
    masks = find(write_masks(tmp_path, scene.masks[[1, 4]], names), footage)
    assert np.flatnonzero(masks.known).tolist() == [1, 4]
    assert overlap(masks.masks[[1, 4]], scene.masks[[1, 4]]) == 1.0


def test_masks_of_the_whole_footage_are_chosen_by_index(find, scene, tmp_path):
    indices = tuple(range(11, 1, -1))
    footage = Footage(
        FootageKind.IMAGES, "images", tuple(f"shot{n}.jpg" for n in range(14)), indices
    )
    whole = np.concatenate([scene.masks[:2], scene.masks[::-1], scene.masks[:2]])
    masks = find(write_masks(tmp_path, whole, numbered(14)), footage)
    assert overlap(masks.masks, scene.masks) == 1.0


def test_masks_of_a_whole_movie_are_chosen_by_index(find, scene, tmp_path):
    write_movie(tmp_path / "whole.mp4", [scene.frames[0]] * 12, 24.0)
    footage = Footage(FootageKind.MOVIE, str(tmp_path / "whole.mp4"), indices=tuple(range(2, 12)))
    whole = np.concatenate([scene.masks[:2], scene.masks])
    masks = find(write_masks(tmp_path, whole, numbered(12)), footage)
    assert overlap(masks.masks, scene.masks) == 1.0


def test_an_alpha_channel_is_the_mask_where_it_varies(find, scene, tmp_path):
    for name, mask in zip(numbered(10), scene.masks, strict=True):
        image = np.full((*mask.shape, 4), 255, np.uint8)
        image[..., 3] = mask * 255
        write_png(tmp_path / name, image)
    masks = find(ObjectMask(MaskKind.FILES, str(tmp_path)))
    assert overlap(masks.masks, scene.masks) == 1.0


def test_saved_masks_are_loaded_alike(find, scene, tmp_path):
    (tmp_path / "in").mkdir()
    masks = find(write_masks(tmp_path / "in", scene.masks, numbered(10)))
    save_masks(masks, tmp_path)
    loaded = load_masks(tmp_path)
    assert np.array_equal(loaded.masks, masks.masks) and loaded.given
    assert np.array_equal(loaded.known, masks.known)


def test_a_wrong_number_of_masks_is_refused_with_both_numbers(find, scene, tmp_path):
    names = [f"{letter}.png" for letter in "abcdefg"]
    error = fault_of(find, write_masks(tmp_path, scene.masks[:7], names))
    assert error.fault is Fault.MASKS_UNREADABLE
    assert "7" in error.message and "10" in error.message


@pytest.mark.parametrize("name", ["empty", "gone"])
def test_a_folder_without_masks_is_refused(find, tmp_path, name):
    (tmp_path / "empty").mkdir()
    error = fault_of(find, ObjectMask(MaskKind.FILES, str(tmp_path / name)))
    assert error.fault is Fault.MASKS_UNREADABLE and name in error.message


def test_a_broken_mask_is_named(find, scene, tmp_path):
    mask = write_masks(tmp_path, scene.masks, numbered(10))
    (tmp_path / "004.png").write_bytes(b"broken")
    error = fault_of(find, mask)
    assert error.fault is Fault.MASKS_UNREADABLE and "004.png" in error.message


@pytest.mark.parametrize(("level", "percentage"), [(False, "0.00%"), (True, "100.00%")])
def test_masks_of_nothing_or_everything_are_refused(find, scene, tmp_path, level, percentage):
    error = fault_of(find, write_masks(tmp_path, np.full_like(scene.masks, level), numbered(10)))
    assert error.fault is Fault.OBJECT_NOT_FOUND and percentage in error.message


def test_nothing_is_found_where_nothing_moves(scene, find, listener):
    frames = np.repeat(scene.frames[:1], 4, axis=0)
    still = estimate_flow(frames, FlowSettings(), listener)
    video = Video(frames, (frames.shape[2], frames.shape[1]), 24.0, frames[..., 0])
    assert fault_of(find, ObjectMask(), video=video, flow=still).fault is Fault.OBJECT_NOT_FOUND


@pytest.mark.parametrize(
    ("box", "fault"),
    [
        (None, Fault.BAD_JOB),
        (Box(10, 20, 20, 60, 60), Fault.BAD_JOB),
        (Box(0, 900, 20, 60, 60), Fault.OBJECT_NOT_FOUND),
    ],
    ids=["missing", "beyond the end", "outside the frame"],
)
def test_a_box_that_holds_nothing_is_refused(find, box, fault):
    assert fault_of(find, boxed(box)).fault is fault


def test_the_search_stops_when_asked(find, stopping_listener):
    with pytest.raises(Stopped):
        find(ObjectMask(), listener=stopping_listener)
    assert len(stopping_listener.steps) == 2
