"""The example scripts do what they say."""

import importlib.util
from pathlib import Path

import bpy
import pytest
from barcodes import barcode, image_strip, top

ROOT = Path(__file__).parents[2]


def script(name):
    """Return an example as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def example():
    """The script for one strip."""
    return script("stylize_strip")


def test_a_folder_is_added_whatever_the_case_of_its_suffixes(example, scene, part, tmp_path):
    for number, name in enumerate(("a.PNG", "b.png", ".hidden.png", "notes.txt")):
        (tmp_path / name).write_bytes(barcode(number))
    strip = example.add_strip(scene, tmp_path)
    assert [element.filename for element in strip.elements] == ["a.PNG", "b.png"]
    assert (scene.render.resolution_x, scene.frame_end) == (128, 2)
    assert set(example.IMAGES) == part("operators.strips.footage").READABLE_IMAGES


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


def test_one_strip_is_stylized_and_the_edit_is_saved(example, scene, media, tmp_path):
    example.main(str(media / "frames"), "a duck made of gold", str(tmp_path / "edit.blend"))
    assert len(top(bpy.context.scene)) == 2 and (tmp_path / "edit.blend").is_file()


def test_all_strips_with_a_text_are_stylized(scene, media, tmp_path):
    for number, name in enumerate(("Swan", "Boat", "Tree")):
        strip = image_strip(scene, media / "frames", count=6, channel=1 + 3 * number)
        strip.name = name
    made = script("many_strips").main(str(tmp_path / "edit.blend"))
    assert [name.split(" \N{EN DASH} ")[0] for name in made] == ["Boat", "Swan"]


def test_many_texts_become_takes_of_one_strip(clip, tmp_path, part, capsys):
    texts = ("a gold bar", "please fail", "an ice bar")
    assert script("many_texts").main("bars", str(tmp_path / "edit.blend"), *texts) == 2
    assert "The rehearsal failed" in capsys.readouterr().out
    takes = part("operators.strips").results_of(top(bpy.context.scene)[0])
    assert [take.name.split(", ")[-1] for take in takes] == ["take 1", "take 2"]


def test_the_engine_is_used_without_blender(media, tmp_path):
    frames = str(media / "frames")
    run = script("without_blender").main
    status = run(frames, "a swan", str(tmp_path / "job"), verb="rehearse")
    assert status.phase.value == "finished" and len(list((tmp_path / "job/result").iterdir())) == 24
