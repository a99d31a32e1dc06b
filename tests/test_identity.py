"""What a stage key names: files by their content, and all else that decides a result."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from engine import identity
from engine.contract.job import Footage, FootageKind, MaskKind, ObjectMask, Stroke, TargetTexts
from engine.video.images import write_png


@pytest.fixture
def footage(tmp_path):
    for index in range(6):
        (tmp_path / "frames").mkdir(exist_ok=True)
        write_png(tmp_path / "frames" / f"{index:03d}.png", np.full((4, 4, 3), index, np.uint8))
    return Footage(FootageKind.IMAGES, str(tmp_path / "frames"))


def test_the_same_images_are_recognised_however_they_are_listed(footage):
    whole = identity.of_footage(footage)
    names = tuple(f"{index:03d}.png" for index in range(6))
    listed = replace(footage, files=names, indices=tuple(range(6)))
    assert identity.of_footage(listed) == whole
    turned = replace(footage, indices=(5, 4, 3, 2, 1, 0))
    assert identity.of_footage(turned) == whole[::-1] != whole


def test_strokes_that_correct_mask_files_make_another_mask(footage):
    given = ObjectMask(MaskKind.FILES, path=footage.path)
    painted = replace(given, strokes=(Stroke(0, (1.0, 1.0), 2.0),))
    assert identity.of_mask(given, footage) == identity.of_mask(replace(given), footage)
    assert identity.of_mask(given, footage) != identity.of_mask(painted, footage)


def test_what_was_moved_is_what_it_was(footage, tmp_path):
    there = tmp_path / "moved"
    shutil.copytree(footage.path, there)
    first, second = (ObjectMask(MaskKind.FILES, path=path) for path in (footage.path, str(there)))
    assert identity.of_mask(first, footage) == identity.of_mask(second, footage)
    picture, copy = (f"{folder}/000.png" for folder in (footage.path, there))
    texts = TargetTexts("gold", picture=picture)
    assert identity.of_texts(texts) == identity.of_texts(replace(texts, picture=copy))
    other = replace(texts, picture=f"{there}/001.png")
    assert identity.of_texts(texts) != identity.of_texts(other)
