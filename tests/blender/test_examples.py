"""The example scripts do what they say."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import bpy
import pytest
from barcodes import EXTENSION, barcode, image_strip, top
from test_real_engine import write_clip

ROOT = Path(__file__).parents[2]
AS_BLENDER_DOES = f"""
import os, runpy, sys
import bpy
import addon_utils
blend, script, *arguments = sys.argv[1:]
addon_utils.enable("{EXTENSION}", default_set=True)
if blend:
    bpy.ops.wm.open_mainfile(filepath=blend)
sys.argv = ["blender", "--", *arguments]
code = 0
try:
    runpy.run_path(script, run_name="__main__")
except BaseException as error:
    print(type(error).__name__, error)
    code = 1
sys.stdout.flush()
os._exit(code)
"""


def run(name, blend, *arguments):
    """Run an example in a Blender of its own as its head says; returns what it prints."""
    words = [str(blend), str(ROOT / "examples" / f"{name}.py"), *map(str, arguments)]
    command = [sys.executable, "-c", AS_BLENDER_DOES, *words]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=dict(os.environ), check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


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


def test_images_without_zeros_in_their_numbers_come_by_number(example, scene, tmp_path):
    for number in (10, 1, 11, 2):
        (tmp_path / f"shot {number}.png").write_bytes(barcode(number))
    strip = example.add_strip(scene, tmp_path)
    named = [element.filename for element in strip.elements]
    assert named == [f"shot {number}.png" for number in (1, 2, 10, 11)]


def test_a_movie_gives_the_edit_its_rate(example, scene, part, media):
    strip = example.add_strip(scene, media / "bars30.mp4")
    assert scene.render.fps / scene.render.fps_base == pytest.approx(30)
    baked = bpy.app.version < (4, 5)
    assert part("operators.strips").needs_baking(scene, strip) == baked
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
    texts = ("a gold bar", "please fail in gold", "an ice bar")
    assert script("many_texts").main("bars", str(tmp_path / "edit.blend"), *texts) == 2
    assert "The rehearsal failed" in capsys.readouterr().out
    takes = part("operators.strips").results_of(top(bpy.context.scene)[0])
    assert [take.name.split(", ")[-1] for take in takes] == ["take 1", "take 2"]


def test_the_engine_is_used_without_blender(media, tmp_path):
    frames = str(media / "frames")
    run = script("without_blender").main
    status = run(frames, "a gold swan", str(tmp_path / "job"), verb="rehearse")
    assert status.phase.value == "finished" and len(list((tmp_path / "job/result").iterdir())) == 24


def test_the_example_for_one_strip_runs_as_a_script(linked, media, tmp_path):
    edit = tmp_path / "edit.blend"
    run("stylize_strip", "", media / "frames", "a duck made of gold", edit)
    bpy.ops.wm.open_mainfile(filepath=str(edit))
    assert len(top(bpy.context.scene)) == 2


def test_the_example_for_many_texts_runs_as_a_script(clip, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edit.blend"))
    texts = "a gold bar", "an ice bar"
    said = run("many_texts", tmp_path / "edit.blend", "bars", tmp_path / "takes.blend", *texts)
    assert "2 takes" in said
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "takes.blend"))
    assert len(top(bpy.context.scene)) == 3


def test_the_example_for_many_strips_runs_as_a_script(clip, part, tmp_path):
    part("operators.properties").of(clip).global_text = "a gold bar"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edit.blend"))
    said = run("many_strips", tmp_path / "edit.blend", tmp_path / "result.blend")
    assert "bars \N{EN DASH} a gold bar, take 1" in said


@pytest.mark.slow
@pytest.mark.skipif(bpy.app.version[:2] != (4, 5), reason="no Blender takes part: once is enough")
def test_the_example_without_blender_stylizes_for_real(engine_python, tmp_path):
    write_clip(tmp_path / "clip")
    script, job = ROOT / "examples" / "without_blender.py", tmp_path / "job"
    command = [engine_python, str(script), str(tmp_path / "clip"), "a golden disc", str(job)]
    own_cache = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=1800, env=own_cache, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(list((job / "result").glob("*.png"))) == 5
