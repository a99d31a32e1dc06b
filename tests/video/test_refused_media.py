"""Media that would hang, fill the memory or read elsewhere are refused in a sentence."""

import os
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from engine import faults
from engine.contract.events import EngineError, Fault
from engine.video import movies
from engine.video.images import read_image, write_png
from engine.video.movie_writer import MovieWriter, write_movie

ROOT = Path(__file__).parents[2]
# Runs its arguments; prints the most memory that they took, in kB, and exits as they did.
MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
PIPES = pytest.mark.skipif(sys.platform == "win32", reason="pipes")


@PIPES
@pytest.mark.parametrize("kind", ["pipe", "endless device", "link to an endless device"])
def test_a_special_file_is_no_image(tmp_path, kind):
    path = tmp_path / "00000.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "endless device":
        path = Path("/dev/zero")
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(EngineError, match="plain file") as refused:
        read_image(path)
    assert refused.value.fault is Fault.MEDIA_UNREADABLE


def test_a_users_link_to_an_image_is_followed(tmp_path):
    write_png(tmp_path / "real.png", np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "00000.png").symlink_to(tmp_path / "real.png")
    assert read_image(tmp_path / "00000.png").shape == (4, 4, 3)


def large_png(side):
    """Return a small file that says it holds ``side`` x ``side`` pixels of one bit."""
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(1 + (side + 7) // 8)) for _ in range(side)) + rows.flush()
    chunks = (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)), (b"IDAT", data)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in (*chunks, (b"IEND", b""))
    )


def test_a_small_file_with_very_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    (tmp_path / "frames").mkdir()
    for index in range(2):
        (tmp_path / "frames" / f"{index}.png").write_bytes(large_png(30_000))
    words = [sys.executable, "-m", "engine", "stylize", str(tmp_path / "frames")]
    words += ["--global-text", "gold", "--preset", "draft", "--out", str(tmp_path / "job")]
    words += ["--cache", str(tmp_path / "cache")]
    # From a small process: a child's peak begins with the memory of what started it.
    words = [sys.executable, "-c", MEASURED, *words]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1 and "million pixels" in ended.stdout + ended.stderr
    most = int(ended.stdout.splitlines()[-1])
    assert 10_000 < most <= 700_000, f"{most} kB"


@pytest.mark.parametrize("name", ["movie.m3u8", "movie.mp4", "movie.txt"])
@pytest.mark.parametrize("kind", ["playlist", "list"])
def test_what_reads_other_files_is_no_movie(tmp_path, name, kind):
    write_movie(tmp_path / "secret.mp4", [np.full((16, 16, 3), 90, np.uint8)] * 3, 24.0)
    text = {
        "playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsecret.mp4\n#EXT-X-ENDLIST\n",
        "list": "ffconcat version 1.0\nfile secret.mp4\n",
    }[kind]
    (tmp_path / name).write_text(text)
    with pytest.raises(EngineError) as refused:
        list(movies.movie_frames(tmp_path / name, ()))
    assert refused.value.fault is Fault.MEDIA_UNREADABLE


@PIPES
@pytest.mark.parametrize("codec", ["ffv1", "prores"])
def test_a_movie_that_the_disk_cuts_short_is_not_handed_over(tmp_path, codec):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, allowed[1]))
    try:
        with (
            pytest.raises(OSError, match="could not write") as failed,
            MovieWriter(tmp_path / "result.mov", codec, 24.0, tags={}) as movie,
        ):
            for _ in range(12):
                movie.add(noise)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert faults.explained_error(failed.value, tmp_path).fault is Fault.DISK_FULL
