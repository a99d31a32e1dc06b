"""What a stage key names: files by their content, and all else that decides a result."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from engine import identity, workspace
from engine.contract import seals
from engine.contract.job import Footage, FootageKind, MaskKind, ObjectMask, Stroke, TargetTexts
from engine.video.images import write_png
from engine.workspace import Names

NAMES = Names()


@pytest.fixture
def footage(tmp_path):
    for index in range(6):
        (tmp_path / "frames").mkdir(exist_ok=True)
        write_png(tmp_path / "frames" / f"{index:03d}.png", np.full((4, 4, 3), index, np.uint8))
    return Footage(FootageKind.IMAGES, str(tmp_path / "frames"))


def test_the_same_images_are_recognised_however_they_are_listed(footage):
    whole = identity.of_footage(footage, NAMES)
    names = tuple(f"{index:03d}.png" for index in range(6))
    listed = replace(footage, files=names, indices=tuple(range(6)))
    assert identity.of_footage(listed, NAMES) == whole
    turned = replace(footage, indices=(5, 4, 3, 2, 1, 0))
    assert identity.of_footage(turned, NAMES) == whole[::-1] != whole


def test_a_name_is_looked_for_by_the_weights_that_are_here(footage, monkeypatch):
    named = ObjectMask(MaskKind.NAME, class_name="dog")
    found = identity.of_mask(named, footage, NAMES)
    assert found != identity.of_mask(replace(named, class_name="cat"), footage, NAMES)
    automatic, detected = ObjectMask(), ObjectMask(MaskKind.DETECTOR, class_name="dog")
    kept = [identity.of_mask(each, footage, NAMES) for each in (automatic, detected)]
    monkeypatch.setattr(identity, "of_encoder", lambda name, names: "other weights")
    assert identity.of_mask(named, footage, NAMES) != found
    assert identity.of_mask(automatic, footage, NAMES) != kept[0]
    assert identity.of_mask(detected, footage, NAMES) == kept[1]


def test_strokes_that_correct_mask_files_make_another_mask(footage):
    given = ObjectMask(MaskKind.FILES, path=footage.path)
    painted = replace(given, strokes=(Stroke(0, (1.0, 1.0), 2.0),))
    assert identity.of_mask(given, footage, NAMES) == identity.of_mask(
        replace(given), footage, NAMES
    )
    assert identity.of_mask(given, footage, NAMES) != identity.of_mask(painted, footage, NAMES)


def test_frames_that_are_named_or_chosen_otherwise_may_have_other_masks(footage, tmp_path):
    """Which mask belongs to which frame is told by names and numbers."""
    given = ObjectMask(MaskKind.FILES, path=footage.path)
    named = identity.of_mask(given, footage, NAMES)
    assert named != identity.of_mask(given, replace(footage, indices=(1, 2)), NAMES)
    assert named != identity.of_mask(replace(given, label=2), footage, NAMES)
    shutil.copytree(footage.path, tmp_path / "other")
    (tmp_path / "other" / "005.png").rename(tmp_path / "other" / "frame5.png")
    renamed = replace(footage, path=str(tmp_path / "other"))
    assert named != identity.of_mask(given, renamed, NAMES)


def test_a_movie_of_masks_is_named_by_its_content(footage, tmp_path):
    first, second = tmp_path / "a.mp4", tmp_path / "b.mp4"
    first.write_bytes(b"one")
    second.write_bytes(b"one")
    names = [
        identity.of_mask(ObjectMask(MaskKind.FILES, path=str(path)), footage, Names())
        for path in (first, second)
    ]
    assert names[0] == names[1]
    second.write_bytes(b"two")
    assert names[0] != identity.of_mask(
        ObjectMask(MaskKind.FILES, path=str(second)), footage, Names()
    )


def test_what_was_moved_is_what_it_was(footage, tmp_path):
    there = tmp_path / "moved"
    shutil.copytree(footage.path, there)
    first, second = (ObjectMask(MaskKind.FILES, path=path) for path in (footage.path, str(there)))
    assert identity.of_mask(first, footage, NAMES) == identity.of_mask(second, footage, NAMES)
    picture, copy = (f"{folder}/000.png" for folder in (footage.path, there))
    texts = TargetTexts("gold", picture=picture)
    assert identity.of_texts(texts, NAMES) == identity.of_texts(replace(texts, picture=copy), NAMES)
    other = replace(texts, picture=f"{there}/001.png")
    assert identity.of_texts(texts, NAMES) != identity.of_texts(other, NAMES)


def test_large_files_that_differ_in_the_middle_have_two_names(tmp_path):
    size, path = 65 * 2**20, tmp_path / "movie"
    with path.open("wb") as file:
        file.truncate(size)
    first = Names().of_file(path)
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"another")
    assert Names().of_file(path) != first


def test_a_name_is_remembered_for_as_long_as_nothing_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(workspace, "WORTH_REMEMBERING", 1)
    movie, memory, read = tmp_path / "movie", tmp_path / "cache" / "names.json", []
    digest = seals.digest
    monkeypatch.setattr(
        seals, "digest", lambda path, **words: read.append(path) or digest(path, **words)
    )
    movie.write_bytes(b"one")
    os.utime(movie, (1, 1))
    first = Names(memory).of_file(movie)
    assert Names(memory).of_file(movie) == first and len(read) == 1
    movie.write_bytes(b"two")
    os.utime(movie, (1, 1))  # the same size and time of change, but not of the file's facts
    assert Names(memory).of_file(movie) != first and len(read) == 2
    memory.write_text("[[[")
    assert Names(memory).of_file(movie) != first and len(read) == 3
