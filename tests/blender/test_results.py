"""Results of every format, as Blender shows them: beside the object they are the source."""

import json
import os
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest
from barcodes import prepare_render, top
from pictures import shown

ROOT = Path(__file__).parents[2]
FORMATS = ("png", "png16", "exr", "ffv1", "prores")
WRITE = """
import json, sys
from pathlib import Path
import cv2, numpy as np
from engine.output import Output, is_deep
from engine.video.frames import whole_frames, write_png
from engine.contract.job import Footage, FootageKind
from engine.video.provenance import Provenance
order = json.loads(sys.argv[1])
folder, deep = Path(order["folder"]), is_deep(order["format"])
if not (folder / "source").is_dir():
    (folder / "source").mkdir()
    rows, columns = np.mgrid[0:64, 0:128]
    for n in range(4):
        levels = [columns * 2, rows * 4, (columns + rows) // 2 + 40 * n]
        picture = np.stack(levels, 2).astype(np.uint8)
        if order["alpha"]:
            alpha = np.where(columns < 100, 255, 128)[..., None].astype(np.uint8)
            picture = np.concatenate([picture, alpha], 2)
        write_png(folder / "source" / f"{n:03d}.png", picture)
(folder / order["format"]).mkdir()
facts = Provenance("text", 1, "test")
footage = Footage(FootageKind.IMAGES, str(folder / "source"))
with Output(folder / order["format"], order["format"], 24.0, facts) as output:
    for frame in whole_frames(footage, 16 if deep else 8):
        most = 65535 if deep else 255
        if order["cut"]:
            where = np.zeros((64, 128, 4), frame.dtype)
            where[20:40, 30:60] = most
            where[20:40, 60:70, :3], where[20:40, 60:70, 3] = most, most // 2
            frame = where
        else:
            frame[20:40, 30:60, :3] = most
        output.add(frame)
"""


def written(python, folder: Path, file_format: str, *, alpha=False, cut=False) -> Path:
    """Let the engine write a source and a result that differs from it in a rectangle."""
    order = {"folder": str(folder), "format": file_format, "alpha": alpha, "cut": cut}
    command = [python, "-c", WRITE, json.dumps(order)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, timeout=60, env=environment, cwd=ROOT)
    return folder / file_format


@pytest.fixture
def placed(scene, part, tmp_path, engine_python):
    """Return a function that puts a result over its source; the scene has a view transform."""

    def place(file_format, view="AgX", **more):
        folder = written(engine_python, tmp_path, file_format, **more)
        prepare_render(scene)
        scene.view_settings.view_transform = view
        strips = part("operators.strips")
        strip = top(scene).new_image("source", str(tmp_path / "source" / "000.png"), 2, 5)
        for number in (1, 2, 3):
            strip.elements.append(f"{number:03d}.png")
        before = [shown(scene, frame, tmp_path) for frame in (5, 7)]
        names = strips.result_files(folder)
        facts = {"job_id": "j1", "label": "swan", "recipe": {"a": 1}}
        result = strips.insert(strips.place_of(scene, strip), folder, names, **facts)
        assert (strips.start(result), strips.length(result), result.channel) == (5, 4, 3)
        return strip, result, before, [shown(scene, frame, tmp_path) for frame in (5, 7)]

    return place


def outside(pictures):
    """Return the pixels beside the rectangle and the blocks of 16 that a codec may touch."""
    stacked = np.stack(pictures).copy()
    stacked[:, 16:48, 16:80] = 0
    return stacked


# ProRes keeps colours as 10 bit YUV; the others differ by no more than rounding.
@pytest.mark.parametrize("view", ["AgX", "Standard"])
@pytest.mark.parametrize(
    ("file_format", "levels"), [("png", 0), ("png16", 1), ("ffv1", 0), ("exr", 1), ("prores", 3)]
)
def test_beside_the_object_a_result_shows_what_its_source_shows(file_format, levels, view, placed):
    _, _, before, after = placed(file_format, view)
    assert np.abs(outside(after) - outside(before)).max() * 255 <= levels + 0.01
    assert np.abs(after[0] - before[0])[25:35, 35:55, :3].max() > 0.1


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_object_alone_lies_over_its_source_with_its_alpha(file_format, placed):
    _, _, before, after = placed(file_format, "Standard", cut=True)
    assert np.abs(outside(after) - outside(before)).max() * 255 <= 1.01
    assert after[0][25:35, 35:55, :3].min() > 0.98
    if file_format == "prores" and bpy.app.version < (4, 5):
        return  # takes the colours of ProRes for straight, so soft edges are too dark
    half = (before[0][25:35, 63:67, :3] + 1) / 2
    assert np.abs(after[0][25:35, 63:67, :3] - half).max() < 0.02


@pytest.mark.parametrize("file_format", ["png", "ffv1", "exr"])
def test_a_transparent_source_has_a_transparent_result(file_format, placed, scene, tmp_path):
    source, _, before, _ = placed(file_format, "Standard", alpha=True)
    source.mute = True
    alone = shown(scene, 5, tmp_path)
    assert np.abs(alone[..., 3] - before[0][..., 3]).max() < 0.01
    assert alone[10, 110, 3] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_frame_of_a_result_is_in_its_place(file_format, placed, scene, tmp_path):
    source, _, _, _ = placed(file_format, "Standard")
    together = np.stack([shown(scene, frame, tmp_path) for frame in range(5, 9)])
    for strip in top(scene):
        strip.mute = strip != source
    alone = np.stack([shown(scene, frame, tmp_path) for frame in range(5, 9)])
    assert np.abs(outside(together) - outside(alone)).max() < 0.02


def test_a_result_has_the_colour_tag_and_the_recipe_of_an_ai_edit(placed):
    _, result, _, _ = placed("png16")
    assert result.color_tag == "COLOR_05"
    assert json.loads(result["stylized_from"]) == {"a": 1, "take": 1}


def test_one_undo_removes_the_result_and_nothing_else(placed, scene, part):
    bpy.ops.ed.undo_push(message="before")
    placed("ffv1")
    bpy.ops.ed.undo_push(message="Import Stylized Strip")
    bpy.ops.ed.undo()
    names = [strip.name for strip in top(bpy.context.scene)]
    assert names == []


def test_a_premultiplied_source_has_a_premultiplied_result(scene, part, tmp_path, engine_python):
    written(engine_python, tmp_path, "png", alpha=True)
    prepare_render(scene)
    strips = part("operators.strips")
    source = top(scene).new_image("source", str(tmp_path / "source" / "000.png"), 2, 5)
    source.elements.append("001.png")
    source.alpha_mode = "PREMUL"
    assert strips.footage(scene, source).premultiplied
    place = strips.place_of(scene, source)
    names = ["000.png", "001.png"]  # what nobody touched is as it came
    facts = {"job_id": "j1", "label": "swan", "recipe": {}}
    result = strips.insert(place, tmp_path / "source", names, **facts)
    assert result.alpha_mode == "PREMUL"
    shows = []
    for mute in (True, False):
        source.mute, result.mute = not mute, mute
        shows.append(shown(scene, 5, tmp_path))
    assert np.array_equal(*shows)
