"""A job folder is run elsewhere, and its result comes back."""

import shutil
import subprocess
import sys
from pathlib import Path

import bpy
import pytest
from barcodes import top

ROOT = Path(__file__).parents[2]


@pytest.fixture
def exported(clip, part, media, tmp_path):
    """The folder of a job whose object is found by mask files."""
    facts = part("operators.properties").of(clip)
    facts.global_text, facts.object_source = "a bronze swan", "files"
    facts.mask_folder = str(media / "frames")
    assert bpy.ops.strip_stylizer.job_export(directory=str(tmp_path)) == {"FINISHED"}
    (folder,) = tmp_path.iterdir()
    return folder


def rehearse(folder):
    """Run the folder as another computer would."""
    command = [sys.executable, "-m", "engine", "rehearse", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=60)


def test_a_job_folder_has_all_that_it_needs(exported, part, tmp_path, media):
    moved = tmp_path.with_name(f"{tmp_path.name}-elsewhere")
    shutil.move(exported, moved)
    spec = part("engine.contract.folder").JobFolder(moved).read_spec()
    footage, mask = Path(spec.footage.path), Path(spec.objects[0].mask.path)
    assert footage.is_relative_to(moved) and mask.is_relative_to(moved)
    assert {path.name for path in footage.iterdir()} >= set(spec.footage.files)
    assert len(list(mask.iterdir())) == 40
    assert "engine run" in (moved / "README.txt").read_text()


def test_only_the_images_that_are_needed_travel(clip, part, tmp_path):
    part("operators.properties").of(clip).global_text = "a bronze swan"
    bpy.ops.strip_stylizer.job_export(directory=str(tmp_path))
    (folder,) = tmp_path.iterdir()
    assert len(list((folder / "media").rglob("*.png"))) == 10


def test_what_another_computer_made_comes_back_as_a_strip(exported, scene, tmp_path):
    rehearse(exported)
    assert bpy.ops.strip_stylizer.job_import(directory=str(exported)) == {"FINISHED"}
    source, result = top(scene)
    assert result.name == f"{source.name} \N{EN DASH} a bronze swan, take 1"
    assert (result.frame_final_start, result.frame_final_duration) == (5, 10)
    assert Path(result.directory).resolve() == (exported / "result").resolve()
    bpy.ops.strip_stylizer.job_import(directory=str(exported))
    assert len(top(scene)) == 2


def test_a_folder_that_was_not_run_says_so(exported, scene):
    with pytest.raises(RuntimeError, match="run it first"):
        bpy.ops.strip_stylizer.job_import(directory=str(exported))
    with pytest.raises(RuntimeError, match="no job folder"):
        bpy.ops.strip_stylizer.job_import(directory=str(exported.parent))
    assert len(top(scene)) == 1


def test_what_must_be_rendered_first_is_not_exported(clip, part, tmp_path):
    facts = part("operators.properties").of(clip)
    facts.global_text, facts.source = "a gold swan", "displayed"
    with pytest.raises(RuntimeError, match="must render the strip"):
        bpy.ops.strip_stylizer.job_export(directory=str(tmp_path))
    assert list(tmp_path.iterdir()) == []
