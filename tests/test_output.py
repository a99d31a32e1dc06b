"""What is written is what was made, in every format, and says where it comes from."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from xml.etree import ElementTree

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from engine.output import Output, is_deep, linear
from engine.video.exr import encode_exr
from engine.video.images import read_image
from engine.video.movies import Pixels, movie_frames
from engine.video.premultiplied import with_weighted_colours
from engine.video.probing import movie_facts
from engine.video.provenance import SOURCE_TYPE, Provenance

HEIGHT, WIDTH = 35, 53
TEXT = 'Schwan <aus> Öl & "Glas"'


def frames(file_format, *, alpha, count=3):
    """Smooth colours with every level, and alpha from 0 to 1."""
    most = 65535 if is_deep(file_format) else 255
    across, down = np.meshgrid(np.linspace(0, 1, WIDTH), np.linspace(0, 1, HEIGHT))
    for index in range(count):
        planes = [across, down, (across + index / count) % 1, down * across]
        picture = np.stack(planes[: 4 if alpha else 3], 2) * most
        yield picture.round().astype(np.uint16 if most > 255 else np.uint8)


def write(folder, file_format, pictures, rate=24000 / 1001):
    facts = Provenance(TEXT, 7, "Strip Stylizer 1.2.3")
    with Output(folder, file_format, rate, facts) as output:
        for picture in pictures:
            output.add(picture)
    return output.facts()


def decoded_exr(path, names):
    """Decode with ffmpeg, a reader that is not ours: float16 [H, W, C]."""
    pixels = {3: "gbrpf16le", 4: "gbrapf16le"}[len(names)]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path)]
    command += ["-f", "rawvideo", "-pix_fmt", pixels, "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    planes = np.frombuffer(raw, "<f2").reshape(len(names), HEIGHT, WIDTH)
    return np.stack([planes["GBRA".index(name)] for name in names], 2)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("file_format", ["png", "png16"])
def test_png_holds_every_bit(file_format, alpha, tmp_path):
    made = list(frames(file_format, alpha=alpha))
    facts = write(tmp_path, file_format, made)
    assert facts["files"] == ["00000.png", "00001.png", "00002.png"]
    kind = "straight" if alpha else "none"
    assert (facts["alpha"], facts["size"], facts["frames"]) == (kind, [WIDTH, HEIGHT], 3)
    for name, picture in zip(facts["files"], made, strict=True):
        found = read_image(tmp_path / name, 16 if is_deep(file_format) else 8)
        assert np.array_equal(found, picture)


@pytest.mark.parametrize("alpha", [False, True])
def test_exr_holds_linear_light_as_precise_as_half_floats_are(alpha, tmp_path):
    made = list(frames("exr", alpha=alpha))
    facts = write(tmp_path, "exr", made)
    found = decoded_exr(tmp_path / facts["files"][1], "RGBA" if alpha else "RGB")
    assert np.array_equal(found, linear(made[1]).astype(np.float16))


def test_exr_keeps_what_zip_cannot_shrink(tmp_path):
    noise = np.random.default_rng(1).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    (tmp_path / "noise.exr").write_bytes(encode_exr(noise))
    found = decoded_exr(tmp_path / "noise.exr", "RGB")
    assert np.array_equal(found, noise.astype(np.float16))


def test_linear_light_is_that_of_srgb_with_colours_weighted_by_alpha():
    picture = np.array([[[255, 128, 5, 128]]], np.uint8)
    expected = np.array([1.0, 0.2158605, 5 / 255 / 12.92]) * 128 / 255
    assert linear(picture)[0, 0] == pytest.approx([*expected, 128 / 255], rel=1e-5)


@pytest.mark.parametrize("alpha", [False, True])
def test_ffv1_loses_nothing(alpha, tmp_path):
    made = list(frames("ffv1", alpha=alpha))
    facts = write(tmp_path, "ffv1", made)
    assert facts["files"] == ["result.mkv"]
    path = tmp_path / "result.mkv"
    assert movie_facts(path).has_alpha == alpha
    found = list(movie_frames(path, (), Pixels(4 if alpha else 3)))
    assert np.array_equal(np.stack(found), np.stack(made))
    assert movie_facts(path).frames_per_second == Fraction(24000, 1001)


@pytest.mark.parametrize("alpha", [False, True])
def test_prores_keeps_colours_and_premultiplied_alpha(alpha, tmp_path):
    made = list(frames("prores", alpha=alpha))
    facts = write(tmp_path, "prores", made)
    assert facts["files"] == ["result.mov"]
    path = tmp_path / "result.mov"
    assert movie_facts(path).has_alpha == alpha
    found = np.stack(list(movie_frames(path, (), Pixels(4 if alpha else 3, 16))))
    expected = np.stack([with_weighted_colours(picture) for picture in made]).astype(int)
    error = np.abs(found - expected) / 65535
    assert error[..., :3].mean() < 0.01
    if alpha:
        assert error[..., 3].max() < 0.002


def test_a_movie_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "result.mkv").mkdir()
    with pytest.raises(OSError, match="ffmpeg"):
        write(tmp_path, "ffv1", list(frames("ffv1", alpha=False, count=50)))


def test_a_png_says_where_it_comes_from(tmp_path):
    write(tmp_path, "png", list(frames("png", alpha=False, count=1)))
    data = (tmp_path / "00000.png").read_bytes()
    assert data.count(SOURCE_TYPE.encode()) == 2
    assert b"iTXtDescription\0\0\0\0\0" + TEXT.encode() in data
    assert b"Strip Stylizer 1.2.3" in data and b"iTXtSeed\0\0\0\0\x007" in data
    assert "Schwan &lt;aus&gt; Öl &amp;".encode() in data
    assert cv2.imread(str(tmp_path / "00000.png")).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("file_format", ["exr", "ffv1", "prores"])
def test_other_files_say_where_they_come_from(file_format, tmp_path):
    name = write(tmp_path, file_format, list(frames(file_format, alpha=True)))["files"][0]
    data = (tmp_path / name).read_bytes()
    assert SOURCE_TYPE.encode() in data and TEXT.encode() in data


def test_the_same_frames_are_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "exr", list(frames("exr", alpha=True, count=1)))
    first, second = ((tmp_path / name / "00000.exr").read_bytes() for name in "ab")
    assert first == second


@pytest.mark.parametrize("file_format", ["png", "ffv1", "prores"])
def test_a_text_with_letters_that_no_file_may_hold_is_written(file_format, tmp_path):
    facts = Provenance("gold\0and\vice \ud800", 7, "Strip Stylizer 1.2.3")
    with Output(tmp_path, file_format, 24.0, facts) as output:
        for picture in frames(file_format, alpha=False, count=2):
            output.add(picture)
    data = (tmp_path / output.facts()["files"][0]).read_bytes()
    assert b"gold and ice  " in data
    ElementTree.fromstring(facts.xmp)
