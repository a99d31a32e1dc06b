"""The comparison of media sees what differs, and counts it."""

import numpy as np

from benchmarks.media.__main__ import difference, table
from benchmarks.media.written import ffmpeg, picture


def test_a_difference_is_that_of_what_is_seen():
    ours = np.zeros((4, 5, 3), np.uint8)
    theirs = np.full((4, 5, 4), 255, np.uint8)
    theirs[..., :3] = 0
    assert difference(ours, theirs) == 0
    theirs[1, 1, 2] = 3
    assert difference(ours, theirs) == 3
    theirs[1, 1, 3] = 254
    assert difference(ours, theirs) == 3 * 254 / 255
    clear = np.zeros((4, 5, 4), np.uint8)
    coloured = clear.copy()
    coloured[..., 0] = 200
    assert difference(coloured, clear) == 0
    assert difference(ours[:3], theirs) == 255


def test_every_kind_is_counted():
    rows = [
        {"blender": "5.2", "path": "a/1.PNG", "extension": "same"},
        {"blender": "5.2", "path": "a/2.png", "extension": "same"},
        {"blender": "5.2", "path": "a/2.png", "extension": "DIFFERENT"},
    ]
    assert "| 5.2 | .png | 2 |  |  |  |  | 1 |  |  |" in table(rows, "extension")


def test_what_ffmpeg_refuses_leaves_no_file(tmp_path):
    assert ffmpeg(tmp_path / "good.mkv", ["-c:v", "ffv1"])
    assert not ffmpeg(tmp_path / "bad.mkv", ["-c:v", "cinepak", "-pix_fmt", "yuva444p16le"])
    assert [file.name for file in tmp_path.iterdir()] == ["good.mkv"]
    assert np.ptp(picture(0)[..., 3]) == 65535
