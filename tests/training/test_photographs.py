"""No photograph is both learned from and measured with, nor its copy in the pack."""

import csv

import cv2
import numpy as np
import pytest

from training.photographs import (
    LONGEST,
    NOT_FREE,
    load_photographs,
    material_rows,
    read_picture,
)

FREE = "CC0"


def write(path, level, size=(24, 32)):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((*size, 3), level, np.uint8))


@pytest.fixture
def root(tmp_path):
    """Pictures of even greys, by which each is known: pack 10 to 60, materials 110 to 190."""
    for number in range(1, 7):
        write(tmp_path / "pack" / f"p{number}.jpg", 10 * number)
    rows = [
        ("brick/a.jpg", "brick", FREE, "p1.jpg", 110),
        ("brick/b.jpg", "brick", FREE, "p2.jpg", 120),  # held out
        ("brick/c.jpg", "brick", FREE, "", 130),
        ("brick/d.jpg", "brick", FREE, "p4.jpg", 140),  # held out
        ("moss/a.jpg", "moss", FREE, "", 150),
        ("moss/b.jpg", "moss", NOT_FREE, "", 160),  # held out
        ("moss/c.jpg", "moss", NOT_FREE, "p5.jpg", 170),  # held out, for it is not free
        ("odd/a.jpg", "an odd thing", FREE, "", 180),
    ]
    (tmp_path / "materials").mkdir()
    with (tmp_path / "materials" / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "label", "licence", "same_image_in_pack"))
        table.writerows(row[:4] for row in rows[::-1])
    for name, *_, level in rows:
        write(tmp_path / "materials" / name, level)
    return tmp_path


def levels(pictures):
    return sorted(round(float(each.mean())) for each in pictures)


def test_the_two_halves_share_nothing_and_are_all(root):
    aside, learned = ({row["file"] for row in material_rows(root, held_out=each)}
                      for each in (True, False))  # fmt: skip
    assert aside == {"brick/b.jpg", "brick/d.jpg", "moss/b.jpg", "moss/c.jpg"}
    assert learned == {"brick/a.jpg", "brick/c.jpg", "moss/a.jpg", "odd/a.jpg"}


def test_what_is_held_out_is_nowhere_in_training_nor_is_its_copy(root):
    photographs = load_photographs(root)
    kept = [10, 30, 60, 110, 130, 150, 180]
    assert levels(photographs.plain) == pytest.approx(kept, abs=1)
    assert set(photographs.materials) == {"brick", "moss"}  # no label for an odd thing
    assert levels(photographs.materials["brick"]) == pytest.approx([110, 130], abs=1)
    assert levels(photographs.materials["moss"]) == pytest.approx([150], abs=1)


def test_large_pictures_are_made_smaller_and_small_ones_are_not(root):
    write(root / "large.png", 77, size=(LONGEST, 2 * LONGEST))
    assert read_picture(root / "large.png").shape == (LONGEST // 2, LONGEST, 3)
    assert read_picture(root / "pack" / "p1.jpg").shape == (24, 32, 3)


def test_pictures_are_rgb(tmp_path):
    blue_first = np.zeros((8, 8, 3), np.uint8)
    blue_first[..., 0] = 255
    cv2.imwrite(str(tmp_path / "blue.png"), blue_first)
    assert read_picture(tmp_path / "blue.png")[0, 0].tolist() == [0, 0, 255]


def test_what_is_no_picture_is_named(tmp_path):
    (tmp_path / "notes.jpg").write_text("no picture")
    with pytest.raises(OSError, match=r"notes\.jpg is no picture"):
        read_picture(tmp_path / "notes.jpg")
