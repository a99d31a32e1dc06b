"""Masks as people make them: labels, alpha, depths, movies, sizes; matched by name, then by count.

Each test stands for a kind of input that was refused, or read as something else.
"""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from engine.contract.events import EngineError, Fault
from engine.contract.job import Footage, FootageKind, MaskKind, ObjectMask
from engine.contract.settings import MasksSettings
from engine.video.flow import Flow
from engine.video.frames import Video, write_movie, write_png
from engine.video.masks import find_masks

from .conftest import Listener

COUNT, HEIGHT, WIDTH = 6, 40, 60
MOVIE = Footage(FootageKind.MOVIE, "never opened.mp4")
NAMES = tuple(f"{number:05d}.png" for number in range(COUNT))


class Warned(Listener):
    """A report that keeps its warnings."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def warning(self, message: str, hint: str = "") -> None:
        self.warnings.append(f"{message} {hint}")


def boxes(label: int = 1) -> np.ndarray:
    """Where the object ``label`` is, bool [T, H, W]: two boxes that move towards each other."""
    masks = np.zeros((COUNT, HEIGHT, WIDTH), bool)
    for index, mask in enumerate(masks):
        left = 4 + 2 * index if label == 1 else 42 - 2 * index
        mask[8:28, left : left + 14] = True
    return masks


def labelled(first: object = 1, second: object = 2, kind: type = np.uint8) -> np.ndarray:
    """Pictures [T, H, W] or [T, H, W, C] with ``first`` and ``second`` in the boxes, 0 beside."""
    shape = np.shape(first)
    pictures = np.zeros((COUNT, HEIGHT, WIDTH, *shape), kind)
    pictures[boxes(2)] = second
    pictures[boxes(1)] = first
    return pictures


def palette_png(indices: np.ndarray, colours: list[tuple[int, int, int]]) -> bytes:
    """Code uint8 indices [H, W] as PNG with a palette, as DAVIS does."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(
            ">I", zlib.crc32(name + data)
        )  # fmt: skip

    height, width = indices.shape
    rows = b"".join(b"\0" + row.tobytes() for row in indices)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", bytes(sum(colours, ())))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def report():
    return Warned()


@pytest.fixture
def find(report):
    """Read masks for a grey video of the boxes' size, twice as large as it is worked at."""
    frames = np.full((COUNT, HEIGHT // 2, WIDTH // 2, 3), 90, np.uint8)
    still = np.zeros((COUNT - 1, HEIGHT // 2, WIDTH // 2, 2), np.float32)
    valid = np.ones(still.shape[:3], bool)
    video = Video(frames, (WIDTH, HEIGHT), 24.0, frames[..., 0])

    def find(source, footage=MOVIE, label=0, inverted=False):
        mask = ObjectMask(MaskKind.FILES, str(source), label=label, inverted=inverted)
        flow = Flow(still, still, valid, valid)
        return find_masks(mask, footage, video, flow, MasksSettings(), report)

    return find


def written(folder, pictures, names=NAMES):
    folder.mkdir(exist_ok=True)
    for name, picture in zip(names, pictures, strict=True):
        if name.endswith(".tif"):
            cv2.imwrite(str(folder / name), picture)
        else:
            write_png(folder / name, picture)
    return folder


def overlap(found, true):
    """The least intersection over union of a frame, at the footage's size."""
    large = np.repeat(np.repeat(found > 127, 2, 1), 2, 2)
    pairs = zip(large, true, strict=True)
    return min((a & b).sum() / max(1, (a | b).sum()) if b.any() else not a.any() for a, b in pairs)


def refused(find, *arguments, **named):
    with pytest.raises(EngineError) as caught:
        find(*arguments, **named)
    assert caught.value.fault is Fault.MASKS_UNREADABLE and caught.value.hint
    return caught.value


def test_a_failing_disk_is_not_the_masks_fault(find, report, tmp_path, monkeypatch):
    def failing(*_):
        raise EngineError(Fault.DISK_FAILED, "The disk failed.", "Check it.")

    monkeypatch.setattr(report, "progress", failing)
    with pytest.raises(EngineError) as caught:
        find(written(tmp_path / "m", labelled()), label=1)
    assert caught.value.fault is Fault.DISK_FAILED


GREY = {
    "values 1 and 2": labelled(),
    "any two values": labelled(120, 38),
    "16 bit": labelled(1, 2, np.uint16),
    "16 bit, large numbers": labelled(1000, 2000, np.uint16),
}


@pytest.mark.parametrize("kind", GREY)
def test_labels_are_one_object_each(find, tmp_path, kind):
    folder = written(tmp_path / "m", GREY[kind])
    first, second = sorted(np.unique(GREY[kind]))[1:] if "any" not in kind else (120, 38)
    assert overlap(find(folder, label=int(first)).masks, boxes(1)) == 1.0
    behind = boxes(2) & ~boxes(1)
    assert overlap(find(folder, label=int(second)).masks, behind) > 0.9


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_labels_in_other_numbers_are_labels(find, tmp_path, kind):
    folder = written(tmp_path / "m", labelled(1, 2, kind), [f"{n}.tif" for n in range(COUNT)])
    assert overlap(find(folder, label=1).masks, boxes(1)) == 1.0


def test_several_labels_and_no_number_are_asked_about(find, tmp_path):
    error = refused(find, written(tmp_path / "m", labelled(1, 3)))
    assert "2 objects: 1, 3" in error.message and "--masks DIR:1" in error.hint


def test_a_label_that_is_not_there_is_refused_with_those_that_are(find, tmp_path):
    assert "only 1, 2" in refused(find, written(tmp_path / "m", labelled()), label=3).message
    plain = written(tmp_path / "p", boxes() * np.uint8(255))
    assert "without a number" in refused(find, plain, label=1).message


def test_a_single_label_needs_no_number_and_is_opaque(find, tmp_path):
    folder = written(tmp_path / "m", boxes() * np.uint8(138))
    masks = find(folder)
    assert overlap(masks.masks, boxes()) == 1.0 and masks.masks.max() == 255


@pytest.mark.parametrize(
    "colours",
    [((0, 0, 0), (128, 0, 0), (0, 128, 0)), ((0, 0, 0), (236, 95, 103), (249, 145, 87))],
    ids=["DAVIS", "YouTube-VOS"],
)
def test_a_palette_numbers_the_objects(find, tmp_path, colours):
    (tmp_path / "m").mkdir()
    for name, indices in zip(NAMES, labelled(), strict=True):
        (tmp_path / "m" / name).write_bytes(palette_png(indices, list(colours)))
    assert overlap(find(tmp_path / "m", label=1).masks, boxes(1)) == 1.0
    assert "1, 2" in refused(find, tmp_path / "m").message
    written(tmp_path / "rgb", np.array(colours, np.uint8)[labelled()])  # as many tools save it
    assert overlap(find(tmp_path / "rgb", label=1).masks, boxes(1)) == 1.0


def test_a_palette_of_greys_is_a_plain_mask(find, tmp_path):
    (tmp_path / "m").mkdir()
    for name, mask in zip(NAMES, boxes(), strict=True):
        content = palette_png(mask * np.uint8(200), [(level,) * 3 for level in range(256)])
        (tmp_path / "m" / name).write_bytes(content)
    assert overlap(find(tmp_path / "m").masks, boxes()) == 1.0


def test_the_void_around_labels_is_no_object(find, tmp_path):
    pictures = labelled()
    for picture in pictures:
        edge = cv2.morphologyEx(
            (picture == 1).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3))
        )
        picture[edge > 0] = 255
    masks = find(written(tmp_path / "m", pictures), label=1)
    assert overlap(masks.masks, boxes(1)) > 0.6


def test_soft_edges_are_no_labels(find, tmp_path):
    soft = np.stack([cv2.GaussianBlur(m * np.uint8(255), (0, 0), 2) for m in boxes()])
    masks = find(written(tmp_path / "m", soft))
    assert overlap(masks.masks, soft > 127) > 0.9
    assert len(np.unique(masks.masks)) > 15
    few = (soft // 64 * 64 + 63).astype(np.uint8) * (soft > 31)
    assert overlap(find(written(tmp_path / "few", few)).masks, soft > 127) > 0.8


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_deep_masks_keep_their_soft_edges(find, tmp_path, kind):
    soft = np.stack([cv2.GaussianBlur(m.astype(np.float32), (0, 0), 2) for m in boxes()])
    soft = (soft * (65535 if kind is np.uint16 else 1)).astype(kind)
    soft[0] = soft[0] > soft.max() / 2  # one frame of floats without fractions
    soft[0] *= soft.max()
    masks = find(written(tmp_path / "m", soft, [f"{n}.tif" for n in range(COUNT)]))
    assert overlap(masks.masks, soft > soft.max() / 2) > 0.9
    assert len(np.unique(masks.masks)) > 15


def test_one_stray_transparent_pixel_does_not_make_alpha_the_mask(find, tmp_path):
    pictures = np.repeat((boxes() * np.uint8(255))[..., None], 4, axis=-1)
    pictures[..., 3] = 255
    pictures[:, 3, 50, 3] = 254
    assert overlap(find(written(tmp_path / "m", pictures)).masks, boxes()) == 1.0


def test_alpha_stays_the_mask_in_a_frame_that_the_object_has_left(find, tmp_path):
    pictures = np.random.default_rng(1).integers(0, 255, (COUNT, HEIGHT, WIDTH, 4), np.uint8)
    pictures[..., 3] = boxes() * np.uint8(255)
    pictures[4:, ..., 3] = 0
    masks = find(written(tmp_path / "m", pictures))
    true = boxes()
    true[4:] = False
    assert overlap(masks.masks, true) == 1.0 and masks.known.all()


def test_an_object_that_comes_late_and_leaves_is_taken(find, tmp_path):
    true = boxes()
    true[[0, 1, 2, 3, 5]] = False
    masks = find(written(tmp_path / "m", true * np.uint8(255)))
    assert overlap(masks.masks, true) == 1.0 and masks.known.all()


def test_inverted_masks_are_said_and_turned_round(find, report, tmp_path):
    folder = written(tmp_path / "m", ~boxes() * np.uint8(255))
    find(folder)
    assert "inverted" in report.warnings[0] and "--invert-masks" in report.warnings[0]
    report.warnings.clear()
    assert overlap(find(folder, inverted=True).masks, boxes()) == 1.0
    find(written(tmp_path / "right", boxes() * np.uint8(255)))
    assert not report.warnings


def test_a_large_object_is_not_called_inverted(find, report, tmp_path):
    large = np.zeros((COUNT, HEIGHT, WIDTH), np.uint8)
    large[:, 8:, 8:] = 255
    find(written(tmp_path / "m", large))
    assert not report.warnings


@pytest.mark.parametrize(("height", "width"), [(20, 30), (120, 180), (41, 60)])
def test_masks_of_another_size_are_scaled(find, tmp_path, height, width):
    sized = [
        cv2.resize(m * np.uint8(255), (width, height), interpolation=cv2.INTER_NEAREST)
        for m in boxes()
    ]
    assert overlap(find(written(tmp_path / "m", sized)).masks, boxes()) > 0.8


@pytest.mark.parametrize(("turned", "word"), [(True, "turned"), (False, "another shape")])
def test_masks_of_another_shape_are_refused(find, tmp_path, turned, word):
    shaped = [m.T if turned else m[:, :40] for m in boxes() * np.uint8(255)]
    error = refused(find, written(tmp_path / "m", shaped))
    assert word in error.message and "60 x 40" in error.message


def test_a_movie_of_masks_is_read(find, tmp_path):
    pictures = [np.repeat(m[..., None], 3, -1) for m in boxes() * np.uint8(255)]
    write_movie(tmp_path / "masks.mp4", pictures, 24.0)
    assert overlap(find(tmp_path / "masks.mp4").masks, boxes()) > 0.85
    write_movie(tmp_path / "short.mp4", pictures[:4], 24.0)
    assert "4 frames" in refused(find, tmp_path / "short.mp4").message


def test_what_is_no_movie_is_refused(find, tmp_path):
    (tmp_path / "notes.txt").write_text("masks")
    assert "notes.txt" in refused(find, tmp_path / "notes.txt").message


def images(*names, indices=()):
    return Footage(FootageKind.IMAGES, "images", tuple(names), indices)


def test_names_decide_before_the_count(find, tmp_path):
    """The clip is shown backwards, and there is a mask for each frame."""
    folder = written(tmp_path / "m", boxes() * np.uint8(255))
    footage = images(*(f"{number:05d}.jpg" for number in reversed(range(COUNT))))
    assert overlap(find(folder, footage).masks, boxes()[::-1]) == 1.0


def test_the_number_in_a_name_is_the_frame(find, tmp_path):
    names = ["mask_3.png", "mask_5.png"]
    folder = written(tmp_path / "m", boxes()[[2, 4]] * np.uint8(255), names)
    masks = find(folder, images(*(f"shot_{number:04d}.jpg" for number in range(1, 7))))
    assert np.flatnonzero(masks.known).tolist() == [2, 4]
    assert overlap(masks.masks[[2, 4]], boxes()[[2, 4]]) == 1.0


def test_masks_of_the_whole_shot_serve_a_part_of_it(find, tmp_path):
    whole = np.concatenate([boxes()[:3], boxes()])
    folder = written(tmp_path / "m", whole * np.uint8(255), [f"m{n}.png" for n in range(9)])
    footage = images(*(f"f{n:02d}.jpg" for n in range(20)), indices=tuple(range(3, 9)))
    assert overlap(find(folder, footage).masks, boxes()) == 1.0


def test_masks_numbered_from_one_fit_frames_numbered_from_zero(find, report, tmp_path):
    names = [f"{number:05d}.png" for number in range(1, COUNT + 1)]
    folder = written(tmp_path / "m", boxes() * np.uint8(255), names)
    masks = find(folder, images(*(f"{number:05d}.jpg" for number in range(COUNT))))
    assert overlap(masks.masks, boxes()) == 1.0 and masks.known.all()
    assert "00001.png" in report.warnings[0]


@pytest.mark.parametrize("first", [0, 1])
def test_masks_of_some_frames_of_a_movie_are_found_by_number(find, tmp_path, first):
    names = [f"{number + first:04d}.png" for number in (0, 2, 5)]
    folder = written(tmp_path / "m", boxes()[[0, 2, 5]] * np.uint8(255), names)
    masks = find(folder)
    if first == 0:
        assert np.flatnonzero(masks.known).tolist() == [0, 2, 5]
        assert overlap(masks.masks[[0, 2, 5]], boxes()[[0, 2, 5]]) == 1.0
    else:
        assert np.flatnonzero(masks.known).tolist() == [0, 2, 5]
