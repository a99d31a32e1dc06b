"""Changes by hand: layers are prepared, painted on, placed and exported, and become takes."""

import json
import struct
import zlib
from pathlib import Path

import bpy
import pytest
from layouts import Recorder

OPERATORS = bpy.ops.strip_stylizer


@pytest.fixture
def prepared(part, clip):
    """The clip with its layers, from a rehearsal."""
    assert OPERATORS.layers_prepare() == {"FINISHED"}
    session = part("operators.session")
    (job,) = session.newest_first()
    assert job.kind is session.Kind.LAYERS and job.is_complete
    return clip


def jobs(part):
    return part("operators.session").newest_first()


def edits_of(strip):
    return json.loads(strip["stylized_from"])["edits"]


def takes(part, strip):
    return part("operators.strips").results_of(strip)


def white_spot(image):
    """Paint over the middle of an image, as a brush would."""
    width, height = image.size
    pixels = list(image.pixels)
    for row in range(height // 2 - 2, height // 2 + 2):
        for column in range(width // 2 - 2, width // 2 + 2):
            at = 4 * (row * width + column)
            pixels[at : at + 4] = (1.0, 1.0, 1.0, 1.0)
    image.pixels[:] = pixels
    image.update()


def drawn(part, name="layers"):
    layout = Recorder()
    part(f"panels.{name}").STRIPSTYLIZER_PT_layers.draw(
        type("P", (), {"layout": layout})(), bpy.context
    )
    return layout


def test_painting_waits_for_the_layers(part, clip):
    with pytest.raises(RuntimeError, match="Prepare Layers"):
        OPERATORS.atlas_edit()
    shown = drawn(part)
    assert "layers_prepare" in shown.operators and "atlas_edit" not in shown.operators


def test_a_painted_atlas_becomes_a_take_without_a_text(part, prepared):
    shown = drawn(part)
    assert {"atlas_edit", "frame_paint", "atlas_import", "layers_export"} <= set(shown.operators)
    assert OPERATORS.atlas_edit(layer=0) == {"FINISHED"}
    painting = part("operators.painting")
    (image,) = painting.painted_images(prepared)
    white_spot(image)
    assert OPERATORS.edits_apply() == {"FINISHED"}
    (take,) = takes(part, prepared)
    (edit,) = edits_of(take)
    assert edit["kind"] == "atlas" and edit["layer"] == 0 and not edit["stylized"]
    assert "edited atlas" in take.name
    spec = json.loads(jobs(part)[0].folder.spec.read_text())
    assert spec["layers"] is None and spec["edits"] == [edit]
    before, after = (bpy.data.images.load(edit[name]) for name in ("before", "path"))
    changed = [a != b for a, b in zip(before.pixels, after.pixels, strict=True)]
    assert 0 < sum(changed) <= 4 * 4 * 3
    width, height = after.size
    middle = 4 * (height // 2 * width + width // 2)
    assert tuple(after.pixels[middle : middle + 3]) == (1.0, 1.0, 1.0)


def test_painting_on_changes_no_take_that_was_made_before(part, prepared):
    OPERATORS.atlas_edit(layer=0)
    (image,) = part("operators.painting").painted_images(prepared)
    OPERATORS.edits_apply()
    first = edits_of(takes(part, prepared)[0])[0]["path"]
    content = Path(first).read_bytes()
    white_spot(image)
    OPERATORS.edits_apply()
    assert Path(first).read_bytes() == content
    second = edits_of(takes(part, prepared)[1])[0]["path"]
    assert second != first and Path(second).read_bytes() != content


def deep_picture(path):
    """Write a PNG of 16 bit with all kinds of alpha."""
    side, rows = 16, b""
    for row in range(side):
        values = [
            (row * 4001 + column * 257 * k) % 65536 for column in range(side) for k in (1, 7, 9, 16)
        ]
        rows += b"\0" + struct.pack(f">{4 * side}H", *values)
    header = struct.pack(">IIBBBBB", side, side, 16, 6, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    ))  # fmt: skip


def test_what_was_not_painted_is_saved_as_it_was_whatever_its_alpha(part, prepared, tmp_path):
    deep_picture(tmp_path / "atlas.png")
    painting = part("operators.painting")
    what = {"kind": "atlas", "layer": 0, "stylized": False}
    image = painting.open_copy(tmp_path / "atlas.png", prepared, what)
    white_spot(image)
    edit = painting.edit_of(image, prepared)
    before, after = (bpy.data.images.load(path) for path in (edit.before, edit.path))
    for each in (before, after):
        each.alpha_mode = "NONE"
    difference = [abs(a - b) for a, b in zip(before.pixels, after.pixels, strict=True)]
    assert 0 < sum(each > 1e-3 for each in difference) <= 4 * 4 * 3


def test_the_current_frame_is_painted_on_and_known_by_its_number(part, prepared, scene):
    scene.frame_set(part("operators.strips").start(prepared) + 3)
    assert OPERATORS.frame_paint() == {"FINISHED"}
    OPERATORS.edits_apply()
    (edit,) = edits_of(takes(part, prepared)[0])
    assert edit["kind"] == "frame" and edit["frame"] == 3 and edit["layer"] == -2
    scene.frame_set(1000)
    with pytest.raises(RuntimeError, match="Go to a frame"):
        OPERATORS.frame_paint()


def test_a_picture_is_placed_without_preparing_anything(part, clip, media):
    path = str(sorted((media / "frames").glob("*.png"))[0])
    place = {"filepath": path, "frame": 2, "corners": (1, 1, 9, 1, 9, 9, 1, 9)}
    assert OPERATORS.picture_place(**place, blend="multiply", opacity=0.5) == {"FINISHED"}
    (take,) = takes(part, clip)
    (edit,) = edits_of(take)
    assert edit["corners"] == [1, 1, 9, 1, 9, 9, 1, 9] and edit["blend"] == "multiply"
    with pytest.raises(RuntimeError, match="is not there"):
        OPERATORS.picture_place(**{**place, "filepath": "/nowhere.png"})


def test_edits_of_a_take_stack_and_are_switched_off(part, clip, media, scene):
    path = str(sorted((media / "frames").glob("*.png"))[0])
    place = {"filepath": path, "frame": 2, "corners": (1, 1, 9, 1, 9, 9, 1, 9)}
    OPERATORS.picture_place(**place)
    (first,) = takes(part, clip)
    scene.sequence_editor.active_strip = first
    OPERATORS.picture_place(**place, blend="screen")
    second = takes(part, clip)[1]
    assert [each["blend"] for each in edits_of(second)] == ["over", "screen"]
    assert scene.sequence_editor.active_strip == second
    shown = drawn(part)
    assert shown.operators.count("edit_switch") == 2
    OPERATORS.edit_switch(number=0)
    third = takes(part, clip)[2]
    assert [each["enabled"] for each in edits_of(third)] == [False, True]
    scene.sequence_editor.active_strip = first
    with pytest.raises(RuntimeError, match="there is only the source"):
        OPERATORS.edit_switch(number=0)


def test_a_stylized_take_keeps_its_text_below_the_edit(part, clip, media, scene):
    part("operators.properties").of(clip).global_text = "a gold swan"
    assert OPERATORS.stylize() == {"FINISHED"}
    (take,) = takes(part, clip)
    scene.sequence_editor.active_strip = take
    path = str(sorted((media / "frames").glob("*.png"))[0])
    OPERATORS.picture_place(filepath=path, frame=2, corners=(1, 1, 9, 1, 9, 9, 1, 9))
    edited = takes(part, clip)[1]
    spec = json.loads(jobs(part)[0].folder.spec.read_text())
    assert spec["objects"][0]["texts"]["global_text"] == "a gold swan" and len(spec["edits"]) == 1
    scene.sequence_editor.active_strip = edited
    assert OPERATORS.new_take() == {"FINISHED"}
    assert len(edits_of(takes(part, clip)[2])) == 1


def test_a_take_follows_the_pins_of_its_source(part, clip, scene):
    part("operators.properties").of(clip).global_text = "a gold swan"
    assert OPERATORS.stylize() == {"FINISHED"}
    (take,) = takes(part, clip)
    scene.sequence_editor.active_strip = take
    follow = part("operators.pins").STRIPSTYLIZER_OT_pins_follow
    assert follow.why_disabled(bpy.context).startswith("Set pins on the source strip first")
    targets = part("operators.targets")
    target = part("operators.properties").of(clip).targets[0]
    targets.write_pins(target, [{1: (20.0, 10.0), 4: (30.5, 12.0)}])
    assert follow.why_disabled(bpy.context) == ""
    assert OPERATORS.pins_follow() == {"FINISHED"}
    spec = json.loads(jobs(part)[0].folder.spec.read_text())
    assert spec["objects"][0]["pins"] == [{"frames": [1, 4], "points": [20, 10, 30.5, 12]}]
    assert spec["objects"][0]["texts"]["global_text"] == "a gold swan"
    scene.sequence_editor.active_strip = followed = takes(part, clip)[1]
    assert follow.why_disabled(bpy.context).startswith("Set pins on the source strip first")
    recipe = part("operators.strips").recipe_of(followed)
    assert recipe["objects"][0]["pins"] == ["1:20.0,10.0 4:30.5,12.0"]


def test_whole_layers_are_changed_without_a_text_or_a_picture(part, clip, scene):
    shown = drawn(part)
    assert shown.operators.count("layer_change") == 7  # no background is removed
    assert OPERATORS.layer_change(change="removal") == {"FINISHED"}
    (take,) = takes(part, clip)
    assert edits_of(take)[0]["kind"] == "removal" and "removed layer" in take.name
    scene.sequence_editor.active_strip = take
    grade = {"change": "grade", "layer": -1, "factor": (0.5, 1, 1), "saturation": 0.25}
    assert OPERATORS.layer_change(**grade) == {"FINISHED"}
    removal, graded = edits_of(takes(part, clip)[1])
    assert removal["kind"] == "removal" and graded["layer"] == -1
    assert graded["factor"] == [0.5, 1, 1] and graded["saturation"] == 0.25
    with pytest.raises(RuntimeError, match="is not between"):
        OPERATORS.layer_change(change="blur", layer=3)


def test_an_edited_take_is_the_source_of_a_stylization(part, clip, scene):
    OPERATORS.layer_change(change="removal")
    (take,) = takes(part, clip)
    scene.sequence_editor.active_strip = take
    assert OPERATORS.take_as_source() == {"FINISHED"}
    strips = part("operators.strips")
    copy = scene.sequence_editor.active_strip
    assert copy != take and (strips.start(copy), strips.length(copy)) == (5, 10)
    assert copy.directory == take.directory and copy.channel == take.channel + 1
    part("operators.properties").of(copy).global_text = "a gold swan"
    assert OPERATORS.stylize() == {"FINISHED"}
    assert len(takes(part, copy)) == 1 and len(takes(part, clip)) == 1
    spec = json.loads(jobs(part)[0].folder.spec.read_text())
    assert spec["footage"]["path"].endswith("result") and spec["edits"] == []


def test_an_imported_atlas_is_compared_with_the_packages(part, prepared, media):
    path = str(sorted((media / "frames").glob("*.png"))[0])
    assert OPERATORS.atlas_import(filepath=path, layer=-1) == {"FINISHED"}
    (edit,) = edits_of(takes(part, prepared)[0])
    assert edit["layer"] == -1 and edit["before"].endswith("before.png")


def test_layers_are_exported_into_a_folder(part, clip, tmp_path):
    assert OPERATORS.layers_export(directory=str(tmp_path)) == {"FINISHED"}
    (folder,) = tmp_path.iterdir()
    assert (folder / "layers.json").is_file() and (folder / "plates" / "00009.png").is_file()


def test_layers_of_a_strip_that_was_trimmed_since_are_not_its_own(part, prepared):
    layers = part("operators.layers")
    assert layers.layers_job(prepared, painting=True) is not None
    name = "duration" if hasattr(prepared, "duration") else "frame_final_duration"
    setattr(prepared, name, 8)
    assert layers.layers_job(prepared, painting=True) is None


def test_the_panel_is_there_for_sources_and_takes_alone(part, clip, scene):
    panel = part("panels.layers").STRIPSTYLIZER_PT_layers
    assert panel.poll(bpy.context)
    scene.sequence_editor.active_strip = None
    assert not panel.poll(bpy.context)
