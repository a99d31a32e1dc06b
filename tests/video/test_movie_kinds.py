"""Movies as people have them: damaged, of several streams, deep, HDR, with alpha, wide pixels."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction

import imageio_ffmpeg
import numpy as np
import pytest

from engine.contract.events import EngineError, Fault
from engine.output import Output
from engine.video.frames import footage_from_path, read_video, source_frames, whole_frames
from engine.video.movies import Pixels, movie_frames
from engine.video.probing import exact_rate, movie_facts
from engine.video.provenance import Provenance

HEIGHT, WIDTH, BARS = 48, 64, 8
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-qp", "0", "-g", "1")


def numbered(number):
    """Bars that are the bits of ``number``, 0 to 255."""
    levels = [(number >> bit & 1) * 200 + 20 for bit in range(BARS)]
    row = np.repeat(np.array(levels, np.uint8), WIDTH // BARS)
    return np.broadcast_to(row[None, :, None], (HEIGHT, WIDTH, 3))


def number_of(frame):
    middle = frame[HEIGHT // 2, WIDTH // BARS // 2 :: WIDTH // BARS, 0]
    return sum((int(level) > 120) << bit for bit, level in enumerate(middle))


def ffmpeg(*words, frames=(), rate="24", pixels="rgb24"):
    """Run ffmpeg on raw frames, or on its own inputs."""
    height, width = frames[0].shape[:2] if len(frames) else (0, 0)
    raw = ["-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{width}x{height}", "-r", rate, "-i", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *(raw if len(frames) else ())]
    data = b"".join(frame.tobytes() for frame in frames)
    subprocess.run([*command, *map(str, words)], input=data, check=True)


def movie(path, count=20, *options, rate="24"):
    ffmpeg(*(options or H264), path, frames=[numbered(n) for n in range(count)], rate=rate)
    return path


def numbers(path):
    return [number_of(frame) for frame in source_frames(footage_from_path(path))]


@pytest.mark.parametrize("file_format", ["ffv1", "prores"])
@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "60000/1001", "25", "12"])
def test_a_rate_is_the_exact_fraction_in_and_out(rate, file_format, tmp_path):
    footage = footage_from_path(movie(tmp_path / "in.mp4", 3, rate=rate))
    facts = Provenance("", 0, "")
    with Output(tmp_path, file_format, footage.frames_per_second, facts) as output:
        for frame in whole_frames(footage, 8):
            output.add(frame)
    assert movie_facts(tmp_path / "in.mp4").frames_per_second == Fraction(rate)
    result = tmp_path / output.facts()["files"][0]
    assert movie_facts(result).frames_per_second == Fraction(rate)


def test_a_rate_that_blender_rounds_is_meant_exactly():
    blender = 24 / float(np.float32(1.001))
    assert blender != 24000 / 1001 and exact_rate(blender) == Fraction(24000, 1001)
    assert exact_rate(25.0) == 25 and exact_rate(12.5) == Fraction(25, 2)


def test_a_movie_that_breaks_off_is_read_as_far_as_it_goes_with_a_warning(tmp_path, listener):
    whole = movie(tmp_path / "whole.mp4", 40, *H264, "-movflags", "+faststart")
    content = whole.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(content[: int(len(content) * 0.6)])
    frames = read_video(footage_from_path(cut), settings(), listener).frames
    assert 5 < len(frames) < 35
    assert [number_of(frame) for frame in frames] == list(range(len(frames)))
    (warning,) = listener.warnings
    assert f"{len(frames)} of 40 frames" in warning and "cut.mp4" in warning


def settings():
    from engine.contract.settings import FramesSettings

    return FramesSettings(WIDTH)


def test_a_lost_frame_does_not_move_those_after_it(tmp_path, listener):
    path = movie(tmp_path / "movie.mp4", 20, "-c:v", "mjpeg", "-q:v", "2")
    content = bytearray(path.read_bytes())
    starts = [found.start() for found in re.finditer(b"\xff\xd8\xff", content)]
    content[starts[7] : starts[8]] = bytes(starts[8] - starts[7])
    path.write_bytes(content)
    frames = read_video(footage_from_path(path), settings(), listener).frames
    assert [number_of(frame) for frame in frames] == [*range(7), 6, *range(8, 20)]
    (warning,) = listener.warnings
    assert "19 of 20 frames" in warning


def test_a_whole_movie_gives_no_warning(tmp_path, listener):
    read_video(footage_from_path(movie(tmp_path / "movie.mp4")), settings(), listener)
    assert listener.warnings == []


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
def test_a_movie_that_starts_later_than_zero_loses_and_gains_no_frame(suffix, tmp_path, listener):
    whole = movie(tmp_path / "whole.mp4", 20)
    late = tmp_path / f"late.{suffix}"
    ffmpeg("-itsoffset", "2.5", "-i", whole, "-c", "copy", late)
    assert numbers(late) == list(range(20))
    assert len(read_video(footage_from_path(late), settings(), listener).frames) == 20
    assert not listener.warnings and movie_facts(late).frames_per_second == 24


@pytest.mark.parametrize("first", [1, 5, 13])
def test_frames_before_an_edit_list_are_decoded_and_not_shown(first, tmp_path, listener):
    whole = movie(tmp_path / "whole.mp4", 20, *H264[:-1], "10")
    cut = tmp_path / "cut.mp4"
    ffmpeg("-ss", first / 24, "-i", whole, "-c", "copy", cut)
    assert b"elst" in cut.read_bytes() and numbers(cut) == list(range(first, 20))
    read_video(footage_from_path(cut), settings(), listener)
    assert not listener.warnings
    some = movie_frames(cut, (2, 3))
    assert [number_of(frame) for frame in some] == [first + 2, first + 3]


def test_a_movie_of_which_nothing_can_be_decoded_is_refused(tmp_path):
    content = bytearray(movie(tmp_path / "movie.mp4", 12).read_bytes())
    start = content.index(b"mdat") + 4
    size = int.from_bytes(content[start - 8 : start - 4], "big") - 8
    content[start : start + size] = np.random.default_rng(0).bytes(size)
    (tmp_path / "movie.mp4").write_bytes(content)
    with pytest.raises(EngineError, match=r"can(not)? (be decoded|decode)") as refused:
        list(movie_frames(tmp_path / "movie.mp4", ()))
    assert refused.value.fault is Fault.MEDIA_UNREADABLE


def test_the_first_picture_stream_gives_frames_rate_and_size(tmp_path):
    movie(tmp_path / "small.mp4", 10, rate="25")
    large = [np.full((96, 128, 3), 90, np.uint8)] * 30
    ffmpeg(*H264, tmp_path / "large.mp4", frames=large, rate="30000/1001")
    both = tmp_path / "both.mp4"
    ffmpeg("-i", tmp_path / "small.mp4", "-i", tmp_path / "large.mp4",
           "-map", "0:v", "-map", "1:v", "-c", "copy", both)  # fmt: skip
    assert numbers(both) == list(range(10))
    assert footage_from_path(both).frames_per_second == 25.0
    assert movie_facts(both).size == (WIDTH, HEIGHT)


def nearest(planes, depth):
    """Limited BT.601 of 4:2:0 planes to RGB, each chroma sample for its four pixels, in floats."""
    luma, blue, red = (plane.astype(float) / (1 << depth - 8) for plane in planes)
    blue, red = (np.kron(plane, np.ones((2, 2))) - 128 for plane in (blue, red))
    luma = (luma - 16) * 255 / 219
    scale = 255 / 224
    green = luma - scale * (0.344136 * blue + 0.714136 * red)
    rgb = [luma + scale * 1.402 * red, green, luma + scale * 1.772 * blue]
    return np.clip(np.stack(rgb, 2), 0, 255)


@pytest.mark.parametrize(("depth", "pixels"), [(8, "yuv420p"), (10, "yuv420p10le")])
def test_chroma_is_that_of_the_nearest_place_as_in_blender(depth, pixels, tmp_path):
    random = np.random.default_rng(1)
    low, high = 40 << depth - 8, 200 << depth - 8
    sides = [(HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2)]
    planes = [random.integers(low, high, side).astype(np.uint16) for side in sides]
    raw = b"".join(plane.astype(np.uint8 if depth == 8 else "<u2").tobytes() for plane in planes)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "rawvideo"]
    command += ["-pix_fmt", pixels, "-s", f"{WIDTH}x{HEIGHT}", "-i", "-", "-c:v", "ffv1"]
    subprocess.run([*command, tmp_path / "movie.mkv"], input=raw * 2, check=True)
    frame = next(movie_frames(tmp_path / "movie.mkv", ()))
    assert np.abs(frame - nearest(planes, depth)).max() <= 2


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_a_webm_keeps_its_alpha(codec, tmp_path):
    glass = np.full((HEIGHT, WIDTH, 4), (200, 60, 90, 128), np.uint8)
    glass[:, : WIDTH // 2, 3] = 255
    path = tmp_path / "glass.webm"
    ffmpeg("-c:v", codec, "-pix_fmt", "yuva420p", "-auto-alt-ref", "0", "-b:v", "2M", path,
           frames=[glass] * 4, pixels="rgba")  # fmt: skip
    frame = next(iter(whole_frames(footage_from_path(path), 8)))
    assert frame.shape == (HEIGHT, WIDTH, 4)
    assert np.abs(frame[..., 3].astype(int) - glass[..., 3])[:, ::8].max() <= 3


@pytest.mark.parametrize(("pixels", "count"), [("yuva444p", 0), ("yuva444p10le", 1)])
def test_deep_alpha_of_a_movie_is_warned_of(pixels, count, tmp_path, listener):
    path = tmp_path / "glass.mov"
    glass = [np.full((HEIGHT, WIDTH, 4), (200, 60, 90, 128), np.uint8)] * 3
    ffmpeg("-c:v", "ffv1", "-pix_fmt", pixels, path, frames=glass, pixels="rgba")
    read_video(footage_from_path(path), settings(), listener)
    assert sum("premultiplied" in sentence for sentence in listener.warnings) == count


@pytest.mark.parametrize(("transfer", "name"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG")])
def test_hdr_is_refused_by_name(transfer, name, tmp_path):
    colours = f"setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}"
    movie(tmp_path / "hdr.mp4", 3, "-vf", colours, *H264)
    with pytest.raises(EngineError, match=name) as refused:
        next(source_frames(footage_from_path(tmp_path / "hdr.mp4")))
    assert refused.value.fault is Fault.MEDIA_UNREADABLE and "SDR" in refused.value.hint


@pytest.mark.parametrize("file_format", ["ffv1", "prores"])
def test_a_result_names_the_colours_and_the_pixel_aspect_of_its_source(file_format, tmp_path):
    look = "setsar=64/45,setparams=colorspace=smpte170m:color_primaries=smpte170m"
    movie(tmp_path / "in.mp4", 3, "-vf", look + ":color_trc=smpte170m", *H264)
    source = movie_facts(tmp_path / "in.mp4")
    facts = Provenance("", 0, "")
    with Output(tmp_path, file_format, 24.0, facts, source=source) as output:
        for frame in movie_frames(tmp_path / "in.mp4", ()):
            output.add(frame)
    result = movie_facts(tmp_path / output.facts()["files"][0])
    assert result.pixel_aspect == Fraction(64, 45)
    assert (result.colours.primaries, result.colours.transfer) == ("smpte170m", "smpte170m")
    assert file_format == "ffv1" or result.colours.matrix == "smpte170m"
    shown = next(movie_frames(tmp_path / "in.mp4", ()))
    again = next(movie_frames(tmp_path / output.facts()["files"][0], (), Pixels()))
    assert np.abs(again.astype(int) - shown).max() <= (0 if file_format == "ffv1" else 3)


@pytest.mark.parametrize(
    ("name", "word"),
    [("frames/%04d.png", "pattern"), ("frames/*.png", "pattern"), ("https://host/a.mp4", "net")],
)
def test_what_is_not_on_this_machine_as_one_thing_is_refused_by_its_kind(name, word, tmp_path):
    with pytest.raises(EngineError, match=word) as refused:
        footage_from_path(tmp_path / name)
    assert "folder" in refused.value.hint
