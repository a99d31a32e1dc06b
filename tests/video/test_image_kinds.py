"""Images as people have them: numbers without zeros, alpha of every kind, palettes, cut files."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from engine.contract.events import EngineError, Fault
from engine.contract.image_headers import header_of
from engine.contract.job import Footage, FootageKind
from engine.contract.sequences import by_number, oddities
from engine.contract.settings import FramesSettings
from engine.output import Output
from engine.video import images
from engine.video.frames import (
    footage_from_path,
    footage_names,
    read_video,
    source_frames,
    whole_frames,
    write_png,
)
from engine.video.images import encode_png, read_image
from engine.video.premultiplied import Premultiplied
from engine.video.provenance import Provenance

COLOURS = np.random.default_rng(3).integers(0, 256, (6, 9, 4)).astype(np.uint8)
COLOURS[0, 0, 3], COLOURS[0, 1, 3] = 0, 255


def tiff(pixels, *, extra=None, meaning=2, bits=None, order="<", kind=1, planes=1):
    """Return an uncompressed TIFF of one strip; ``extra`` says what the last channel is."""
    height, width, channels = pixels.shape
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    entries = [
        (256, 4, [width]), (257, 4, [height]), (258, 3, [bits or 8 * pixels.itemsize] * channels),
        (259, 3, [1]), (262, 3, [meaning]), (273, 4, [8]), (277, 3, [channels]),
        (278, 4, [height]), (279, 4, [len(data)]), (284, 3, [planes]),
        *([(338, 3, [extra])] if extra is not None else []), (339, 3, [kind] * channels),
    ]  # fmt: skip
    body, place = data, 8 + len(data) + len(data) % 2
    body += bytes(len(data) % 2)
    table, beside = b"", b""
    for tag, form, values in entries:
        packed = struct.pack(f"{order}{len(values)}{'HI'[form - 3]}", *values)
        if len(packed) > 4:
            packed, whole = b"", packed
            at = place + 2 + 12 * len(entries) + 4 + len(beside)
            packed, beside = struct.pack(order + "I", at), beside + whole + bytes(len(whole) % 2)
        table += struct.pack(order + "HHI", tag, form, len(values)) + packed.ljust(4, b"\0")
    start = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, place)
    directory = struct.pack(order + "H", len(entries)) + table + bytes(4)
    return start + body + directory + beside


def refused(path):
    with pytest.raises(EngineError) as caught:
        read_image(path)
    assert caught.value.fault is Fault.MEDIA_UNREADABLE and path.name in caught.value.message
    return caught.value.message


def test_images_are_read_by_their_numbers(tmp_path):
    for number in range(1, 13):
        write_png(tmp_path / f"{number}.png", np.full((4, 4, 3), number, np.uint8))
    assert [frame[0, 0, 0] for frame in source_frames(footage_from_path(tmp_path))] == [
        *range(1, 13)
    ]


def test_names_are_ordered_by_every_number_in_them():
    names = ["b.png", "a10.png", "a2.png", "A3.png", "s2e10.png", "s2e9.png", "s10e1.png", "7.png"]
    assert by_number(names) == [
        "7.png", "a2.png", "A3.png", "a10.png", "b.png", "s2e9.png", "s2e10.png", "s10e1.png",
    ]  # fmt: skip


@pytest.mark.parametrize("other", ["01.png", "1.jpg"])
def test_two_images_of_one_number_are_refused(other, tmp_path):
    for name in ("1.png", "2.png", other):
        write_png(tmp_path / name, np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(EngineError, match="two images of one number") as caught:
        footage_names(Footage(FootageKind.IMAGES, str(tmp_path)))
    assert other in caught.value.message


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["1.png", "2.png", "5.png"], ["2.png and 5.png"]),
        (["a1.png", "a2.png", "b1.png", "b2.png"], ["a#.png, b#.png"]),
        (["0.png", "5.png", "10.png"], []),
        (["one.png", "two.png"], []),
        (["3.png", "3.png", "2.png"], []),
        (["f1_v2.png", "f2_v2.png", "f3_v2.png"], []),
    ],
)
def test_gaps_and_kinds_are_named(names, words):
    found = oddities(names)
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))


def test_too_little_memory_is_not_the_images_fault(tmp_path, monkeypatch):
    def without_memory(*_):
        raise MemoryError

    write_png(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
    monkeypatch.setattr(images, "read_bytes", without_memory)
    with pytest.raises(EngineError, match="memory was not enough") as caught:
        read_image(tmp_path / "a.png")
    assert caught.value.fault is Fault.OUT_OF_MEMORY


def test_a_gap_is_said_when_the_images_are_read(tmp_path, listener):
    for number in (1, 2, 4):
        write_png(tmp_path / f"{number:03d}.png", np.zeros((4, 4, 3), np.uint8))
    read_video(footage_from_path(tmp_path), FramesSettings(), listener)
    assert "002.png and 004.png" in listener.warnings[0]


@pytest.mark.parametrize(("dtype", "count"), [(np.uint8, 0), (np.uint16, 1)])
def test_deep_alpha_of_a_tiff_is_warned_of(dtype, count, tmp_path, listener):
    for name in ("1.tif", "2.tif"):
        (tmp_path / name).write_bytes(tiff(COLOURS.astype(dtype), extra=2))
    read_video(footage_from_path(tmp_path), FramesSettings(), listener)
    assert sum("premultiplied" in sentence for sentence in listener.warnings) == count


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_straight_alpha_of_a_tiff_is_not_multiplied(dtype, order, tmp_path):
    pixels = COLOURS.astype(dtype) * (257 if dtype is np.uint16 else 1)
    (tmp_path / "a.tif").write_bytes(tiff(pixels, extra=2, order=order))
    assert np.array_equal(read_image(tmp_path / "a.tif", 8 * pixels.itemsize), pixels)
    assert header_of(tmp_path / "a.tif").alpha == "straight"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_associated_alpha_of_a_tiff_is_divided_out(dtype, tmp_path):
    most = np.iinfo(dtype).max
    pixels = (COLOURS.astype(np.float64) / 255 * most).astype(dtype)
    stored = pixels.copy()
    stored[..., :3] = np.round(pixels[..., :3] * (pixels[..., 3:] / most))
    (tmp_path / "a.tif").write_bytes(tiff(stored, extra=1))
    found = read_image(tmp_path / "a.tif", 8 * pixels.itemsize).astype(int)
    weight = pixels[..., 3:] / most
    assert np.abs((found - pixels)[..., :3] * weight).max() <= 1
    assert np.array_equal(found[..., 3], pixels[..., 3])


def test_what_programs_read_in_different_ways_is_refused_by_name(tmp_path):
    grey = COLOURS[..., [0, 3]]
    (tmp_path / "grey.tif").write_bytes(tiff(grey, extra=2, meaning=1))
    assert "2 channels" in refused(tmp_path / "grey.tif")
    signed = COLOURS[..., :1].astype(np.int32)
    (tmp_path / "signed.tif").write_bytes(tiff(signed, meaning=1, kind=2))
    assert "TIFF of 32 bit" in refused(tmp_path / "signed.tif")
    planes = COLOURS[..., :3].astype(np.uint16)
    (tmp_path / "planes.tif").write_bytes(tiff(planes, planes=2))
    assert "16 bits in planes" in refused(tmp_path / "planes.tif")
    (tmp_path / "palette.tif").write_bytes(tiff(COLOURS[..., :1], meaning=3, bits=1))
    assert "palette of 1 bit" in refused(tmp_path / "palette.tif")
    whole = encode_png(COLOURS)
    chunk = b"acTL" + struct.pack(">II", 2, 0)
    chunk = struct.pack(">I", 8) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "moving.png").write_bytes(whole[:33] + chunk + whole[33:])
    assert "animated PNG" in refused(tmp_path / "moving.png")
    bitmap = bytearray(cv2.imencode(".bmp", COLOURS[..., 0])[1].tobytes())
    (tmp_path / "grey.bmp").write_bytes(bitmap)
    assert np.array_equal(read_image(tmp_path / "grey.bmp")[..., 0], COLOURS[..., 0])
    struct.pack_into("<I", bitmap, 46, 252)
    (tmp_path / "gap.bmp").write_bytes(bitmap)
    assert "do not follow" in refused(tmp_path / "gap.bmp")
    bitmap = cv2.imencode(".bmp", COLOURS)[1].tobytes()
    (tmp_path / "deep.bmp").write_bytes(bitmap)
    assert "bitmap of 32 bits" in refused(tmp_path / "deep.bmp")


def test_files_that_end_in_their_headers_are_refused_as_damaged(tmp_path):
    cv2.imwrite(str(tmp_path / "whole.png"), COLOURS)
    (tmp_path / "whole.tif").write_bytes(tiff(COLOURS, extra=2))
    cv2.imwrite(str(tmp_path / "whole.bmp"), COLOURS[..., :3])
    for whole in sorted(tmp_path.glob("whole.*")):
        content = whole.read_bytes()
        for length in range(0, 64, 3):
            cut = tmp_path / f"cut{whole.suffix}"
            cut.write_bytes(content[:length])
            header_of(cut)
            with pytest.raises(EngineError, match=r"cannot be read|unusual|bitmap"):
                read_image(cut)


def test_a_bitmap_of_os_2_is_refused(tmp_path):
    pixels = bytes(range(16))
    palette = b"".join(bytes([n, 255 - n, 128]) for n in range(256))
    header = struct.pack("<IHHHH", 12, 4, 4, 1, 8)
    start = 14 + len(header) + len(palette)
    file = struct.pack("<2sIHHI", b"BM", start + 16, 0, 0, start) + header + palette + pixels
    (tmp_path / "os2.bmp").write_bytes(file)
    assert "OS/2" in refused(tmp_path / "os2.bmp")


@pytest.mark.parametrize("options", [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]])
def test_a_jpeg_that_ends_in_zeros_is_refused(options, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    content = cv2.imencode(".jpg", noise, options)[1].tobytes()
    (tmp_path / "whole.jpg").write_bytes(content + b"what a camera adds")
    assert read_image(tmp_path / "whole.jpg").shape == (64, 64, 3)
    for cut in (len(content) // 2, len(content) - 2):
        (tmp_path / "cut.jpg").write_bytes(content[:cut] + bytes(len(content) - cut))
        refused(tmp_path / "cut.jpg")


def premultiplied(folder):
    """Two images with multiplied colours, one of them with light that has no alpha."""
    folder.mkdir()
    pixels = COLOURS.copy()
    pixels[..., :3] = np.round(pixels[..., :3] * (pixels[..., 3:] / 255))
    write_png(folder / "0.png", pixels)
    pixels[2, 2] = (200, 100, 50, 0)
    write_png(folder / "1.png", pixels)
    return Footage(FootageKind.IMAGES, str(folder), premultiplied=True)


def test_premultiplied_footage_is_seen_once_over_black(tmp_path):
    footage = premultiplied(tmp_path / "in")
    for frame, whole in zip(source_frames(footage), whole_frames(footage, 8), strict=True):
        assert np.array_equal(frame, whole[..., :3])


@pytest.mark.parametrize("file_format", ["png", "ffv1", "png16"])
def test_what_nobody_touched_of_premultiplied_footage_is_as_it_came(file_format, tmp_path):
    footage, alpha = premultiplied(tmp_path / "in"), Premultiplied()
    depth = 16 if file_format == "png16" else 8
    facts = Provenance("", 0, "")
    with Output(tmp_path, file_format, 24.0, facts, premultiplied=alpha) as output:
        for frame in alpha.straight(whole_frames(footage, depth)):
            frame[3, 3] = np.iinfo(frame.dtype).max
            frame[4, 4] = 255, 0, 128, 100
            output.add(frame)
    written = output.facts()
    assert written["alpha"] == "premultiplied"
    if file_format == "ffv1":
        found = whole_frames(footage_from_path(tmp_path / "result.mkv"), depth)
    else:
        found = (read_image(tmp_path / name, depth) for name in written["files"])
    for frame, source in zip(found, whole_frames(footage, depth), strict=True):
        assert frame[3, 3].tolist() == [np.iinfo(frame.dtype).max] * 4
        same = np.ones(frame.shape[:2], bool)
        same[3, 3] = same[4, 4] = False
        assert np.array_equal(frame[same], source[same])
        if depth == 8:
            assert frame[4, 4].tolist() == [100, 0, 50, 100]
