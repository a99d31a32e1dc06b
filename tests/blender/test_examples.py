"""What the example script adds, and what it refuses."""

import importlib.util
from pathlib import Path

import pytest
from barcodes import barcode

ROOT = Path(__file__).parents[2]


@pytest.fixture
def example():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location(
        "stylize_strip", ROOT / "examples" / "stylize_strip.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_folder_is_added_whatever_the_case_of_its_suffixes(example, scene, part, tmp_path):
    for number, name in enumerate(("a.PNG", "b.png", ".hidden.png", "notes.txt")):
        (tmp_path / name).write_bytes(barcode(number))
    strip = example.add_strip(scene, tmp_path)
    assert [element.filename for element in strip.elements] == ["a.PNG", "b.png"]
    assert (scene.render.resolution_x, scene.frame_end) == (128, 2)
    assert set(example.IMAGES) == part("operators.strips").READABLE_IMAGES


def test_a_movie_gives_the_edit_its_rate(example, scene, part, media):
    strip = example.add_strip(scene, media / "bars30.mp4")
    assert scene.render.fps / scene.render.fps_base == pytest.approx(30)
    assert not part("operators.strips").needs_baking(scene, strip)
    assert scene.frame_end == 40


def test_nothing_to_add_is_a_sentence(example, scene, tmp_path):
    with pytest.raises(RuntimeError, match="holds no image"):
        example.add_strip(scene, tmp_path)
    with pytest.raises(RuntimeError, match="is not there"):
        example.add_strip(scene, tmp_path / "lost.mp4")
