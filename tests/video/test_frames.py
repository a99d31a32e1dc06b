"""Footage is decoded frame by frame as chosen, whatever its container, size and order."""

from __future__ import annotations

import subprocess

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from engine.contract.events import EngineError, Fault, Stopped
from engine.contract.job import Footage, FootageKind
from engine.contract.settings import FramesSettings
from engine.video import movies
from engine.video.frames import (
    encode_png,
    footage_from_path,
    is_movie,
    load_video,
    read_video,
    save_video,
    source_frames,
    whole_frames,
    working_size,
    write_movie,
    write_png,
)
from engine.video.images import read_image

BITS = 6


def barcode(number, height=60, width=80):
    """A frame that shows ``number`` as black and white bars."""
    frame = np.zeros((height, width, 3), np.uint8)
    bar = width // BITS
    for bit in range(BITS):
        frame[:, bit * bar : (bit + 1) * bar] = 255 if number >> bit & 1 else 0
    return frame


def number_of(frame):
    bar = frame.shape[1] // BITS
    middle = frame[frame.shape[0] // 2, bar // 2 :: bar, 0][:BITS]
    return sum(1 << bit for bit, level in enumerate(middle) if level > 127)


def movie(folder, count=20, rate=24.0, height=60, width=80):
    path = folder / "film ü.mp4"
    write_movie(path, (barcode(n, height, width) for n in range(count)), rate)
    return path


def images(folder, count=4):
    for number in range(count):
        write_png(folder / f"{number:03d}.png", barcode(number))
    return folder


def fault_of(footage, listener, longest_side=64):
    with pytest.raises(EngineError) as caught:
        read_video(footage, FramesSettings(longest_side), listener)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("rate", [24.0, 25.0, 30.0, 24000 / 1001])
def test_every_frame_of_a_movie_is_read_once_in_order(tmp_path, rate):
    footage = footage_from_path(movie(tmp_path, rate=rate))
    assert footage.frames_per_second == pytest.approx(rate, abs=0.01)
    assert [number_of(frame) for frame in source_frames(footage)] == list(range(20))


@pytest.mark.parametrize(
    "indices",
    [(5, 6, 7, 8), (19, 18, 17), (3, 3, 3, 4, 4), (0, 5, 2, 19, 2), (7,)],
    ids=["trimmed", "reversed", "held", "jumping", "single"],
)
def test_frames_of_a_movie_come_as_chosen(tmp_path, indices):
    footage = Footage(FootageKind.MOVIE, str(movie(tmp_path)), indices=indices)
    assert tuple(number_of(frame) for frame in source_frames(footage)) == indices


def test_a_long_reversed_movie_is_decoded_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(movies, "HELD_FRAMES", 6)
    indices = tuple(reversed(range(20)))
    footage = Footage(FootageKind.MOVIE, str(movie(tmp_path)), indices=indices)
    assert tuple(number_of(frame) for frame in source_frames(footage)) == indices


def test_uneven_frame_times_neither_repeat_nor_drop_frames(tmp_path, listener):
    path = tmp_path / "uneven.mp4"
    uneven = "setpts='(N+floor(N/3)*2)/24/TB'"
    writer = imageio_ffmpeg.write_frames(
        str(path), (80, 60), fps=24, output_params=["-vf", uneven, "-fps_mode", "vfr"],
        macro_block_size=1,
    )  # fmt: skip
    writer.send(None)
    for number in range(12):
        writer.send(barcode(number))
    writer.close()
    footage = footage_from_path(path)
    assert [number_of(frame) for frame in source_frames(footage)] == list(range(12))
    read_video(footage, FramesSettings(64), listener)
    assert "different times" in listener.warnings[0]


@pytest.mark.parametrize(("height", "width"), [(61, 83), (120, 66), (60, 81)])
def test_odd_and_portrait_movies_keep_all_their_pixels(tmp_path, height, width):
    footage = footage_from_path(movie(tmp_path, 3, height=height, width=width))
    frame = next(iter(source_frames(footage)))
    assert frame.shape == (height + height % 2, width + width % 2, 3)


def test_a_turned_movie_is_read_upright(tmp_path):
    plain, turned = movie(tmp_path, 3), tmp_path / "turned.mp4"
    tool = imageio_ffmpeg.get_ffmpeg_exe()
    command = [tool, "-v", "error", "-display_rotation", "90", "-i", plain, "-c", "copy", turned]
    subprocess.run(command, check=True)
    frames = list(source_frames(footage_from_path(turned)))
    assert [frame.shape for frame in frames] == [(80, 60, 3)] * 3


def test_colours_survive_a_movie(tmp_path):
    colour = np.full((64, 64, 3), (200, 60, 90), np.uint8)
    write_movie(tmp_path / "colour.mp4", [colour, colour], 24.0)
    frame = next(iter(source_frames(footage_from_path(tmp_path / "colour.mp4"))))
    assert np.abs(frame.astype(int) - colour).max() <= 4


def test_the_working_size_keeps_the_aspect_and_never_grows():
    assert working_size((1920, 1080), 768) == (768, 432)
    assert working_size((1080, 1920), 768) == (432, 768)
    assert working_size((320, 181), 768) == (320, 181)


def test_a_video_knows_the_size_and_rate_of_its_footage(tmp_path, listener):
    footage = footage_from_path(images(tmp_path), frames_per_second=25.0)
    video = read_video(footage, FramesSettings(64), listener)
    assert video.frames.shape == (4, 48, 64, 3) and video.frames.dtype == np.uint8
    assert video.source_size == (80, 60) and video.frames_per_second == 25.0
    assert listener.steps[-1] == (4, 4)


def test_a_saved_video_is_loaded_alike(tmp_path, listener):
    (tmp_path / "in").mkdir()
    footage = footage_from_path(images(tmp_path / "in"))
    video = read_video(footage, FramesSettings(), listener)
    save_video(video, tmp_path)
    loaded = load_video(tmp_path)
    assert np.array_equal(loaded.frames, video.frames)
    assert (loaded.source_size, loaded.frames_per_second) == ((80, 60), 24.0)


def test_images_are_chosen_by_name_and_index(tmp_path):
    files = ("003.png", "001.png")
    footage = Footage(FootageKind.IMAGES, str(images(tmp_path)), files, indices=(1, 0, 0))
    assert [number_of(frame) for frame in source_frames(footage)] == [1, 3, 3]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp"])
def test_every_kind_of_image_becomes_rgb(tmp_path, suffix):
    pixels = np.full((20, 30, 3), (30, 90, 200), np.uint8)
    for number in range(2):
        path = tmp_path / f"bild ü {number}{suffix}"
        path.write_bytes(cv2.imencode(suffix, pixels)[1].tobytes())
    frame = next(iter(source_frames(footage_from_path(tmp_path))))
    assert np.abs(frame.astype(int) - (200, 90, 30)).max() <= 6


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bit_images_are_reduced(tmp_path, channels):
    pixels = np.full((8, 8, channels), 257 * 100, np.uint16)
    pixels[..., 3:] = 65535
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    frame = next(iter(source_frames(footage_from_path(tmp_path))))
    assert frame.shape == (8, 8, 3) and (frame == 100).all()


def test_transparent_parts_are_seen_over_black(tmp_path):
    pixels = np.full((4, 4, 4), 200, np.uint8)
    pixels[..., 3] = 0
    write_png(tmp_path / "a.png", pixels)
    assert next(iter(source_frames(footage_from_path(tmp_path)))).max() == 0


@pytest.mark.parametrize("channels", [3, 4])
def test_a_written_png_is_read_alike(tmp_path, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, channels)).astype(np.uint8)
    write_png(tmp_path / "bild ü.png", pixels)
    assert np.array_equal(read_image(tmp_path / "bild ü.png"), pixels)
    assert (tmp_path / "bild ü.png").read_bytes() == encode_png(pixels)
    assert [entry.name for entry in tmp_path.iterdir()] == ["bild ü.png"]


def test_a_movie_is_told_from_images(tmp_path):
    images(tmp_path, 1)
    assert is_movie(movie(tmp_path, 2))
    assert not is_movie(tmp_path) and not is_movie(tmp_path / "000.png")


def test_a_missing_movie_is_named(tmp_path, listener):
    error = fault_of(Footage(FootageKind.MOVIE, str(tmp_path / "gone.mp4")), listener)
    assert error.fault is Fault.MEDIA_UNREADABLE and "gone.mp4" in error.message


def test_a_file_that_is_no_movie_is_refused(tmp_path, listener):
    (tmp_path / "text.mp4").write_text("no film")
    error = fault_of(Footage(FootageKind.MOVIE, str(tmp_path / "text.mp4")), listener)
    assert error.fault is Fault.MEDIA_UNREADABLE and "text.mp4" in error.message


def test_a_single_image_is_no_footage(tmp_path):
    with pytest.raises(EngineError, match="single image"):
        footage_from_path(images(tmp_path, 1) / "000.png")


@pytest.mark.parametrize("kind", list(FootageKind))
def test_an_index_beyond_the_end_names_both_numbers(tmp_path, listener, kind):
    path = movie(tmp_path, 4) if kind is FootageKind.MOVIE else images(tmp_path)
    error = fault_of(Footage(kind, str(path), indices=(2, 9)), listener)
    assert error.fault is Fault.MEDIA_UNREADABLE
    assert "9" in error.message and "4" in error.message


def test_a_negative_index_is_refused(tmp_path, listener):
    error = fault_of(Footage(FootageKind.IMAGES, str(images(tmp_path)), indices=(-1, 0)), listener)
    assert error.fault is Fault.MEDIA_UNREADABLE and "-1" in error.message


def test_an_unreadable_image_is_named(tmp_path, listener):
    (images(tmp_path) / "002.png").write_bytes(b"broken")
    error = fault_of(Footage(FootageKind.IMAGES, str(tmp_path)), listener)
    assert error.fault is Fault.MEDIA_UNREADABLE and "002.png" in error.message


@pytest.mark.parametrize("name", ["empty", "gone"])
def test_a_folder_without_images_is_refused(tmp_path, listener, name):
    (tmp_path / "empty").mkdir()
    error = fault_of(Footage(FootageKind.IMAGES, str(tmp_path / name)), listener)
    assert error.fault is Fault.MEDIA_UNREADABLE and name in error.message


def test_images_of_different_sizes_are_refused(tmp_path, listener):
    write_png(images(tmp_path) / "003.png", barcode(0, 50, 80))
    error = fault_of(Footage(FootageKind.IMAGES, str(tmp_path)), listener)
    assert error.fault is Fault.MEDIA_UNREADABLE and "80 x 50" in error.message


def test_a_single_frame_is_too_short(tmp_path, listener):
    error = fault_of(Footage(FootageKind.IMAGES, str(images(tmp_path)), indices=(1,)), listener)
    assert error.fault is Fault.FOOTAGE_TOO_SHORT and "1" in error.message


def test_reading_stops_when_asked(tmp_path, stopping_listener):
    with pytest.raises(Stopped):
        read_video(footage_from_path(movie(tmp_path)), FramesSettings(), stopping_listener)
    assert len(stopping_listener.steps) == 2


def glass(folder, opacities=(255, 128)):
    """16 bit images with alpha."""
    for number, opacity in enumerate(opacities):
        picture = np.full((8, 10, 4), (1000, 2000, 40000, opacity * 257), np.uint16)
        write_png(folder / f"{number}.png", picture)
    return Footage(FootageKind.IMAGES, str(folder))


def test_whole_frames_keep_16_bits_and_alpha(tmp_path):
    first, second = whole_frames(glass(tmp_path), 16)
    assert first.dtype == np.uint16 and first[0, 0].tolist() == [1000, 2000, 40000, 65535]
    assert second[0, 0, 3] == 128 * 257
    eight = next(whole_frames(glass(tmp_path), 8))
    assert eight.dtype == np.uint8 and eight[0, 0].tolist() == [4, 8, 156, 255]


def test_whole_frames_have_the_channels_of_the_first(tmp_path):
    footage = glass(tmp_path, (128, 128))
    write_png(tmp_path / "2.png", np.full((8, 10, 3), 90, np.uint8))
    assert [frame[0, 0, 3] for frame in whole_frames(footage, 8)] == [128, 128, 255]
    write_png(tmp_path / "0.png", np.full((8, 10, 3), 90, np.uint8))
    shown = [frame[0, 0].tolist() for frame in whole_frames(footage, 8)]
    assert shown == [[90, 90, 90], [2, 4, 78], [90, 90, 90]]


def test_whole_frames_of_8_bit_media_are_the_same_levels_at_16_bits(tmp_path):
    footage = Footage(FootageKind.IMAGES, str(images(tmp_path)))
    for eight, sixteen in zip(whole_frames(footage, 8), whole_frames(footage, 16), strict=True):
        assert np.array_equal(eight.astype(np.uint16) * 257, sixteen)


def test_whole_frames_of_a_movie_keep_its_depth(tmp_path):
    footage = Footage(FootageKind.MOVIE, str(movie(tmp_path, 3)), indices=(2, 0))
    frames = list(whole_frames(footage, 16))
    assert frames[0].dtype == np.uint16 and frames[0].shape == (60, 80, 3)
    assert [number_of(frame >> 8) for frame in frames] == [2, 0]
