"""Several objects on one strip: the list, what is asked of the engine, masks from Blender."""

import json
from types import SimpleNamespace

import bpy
import pytest
from barcodes import image_strip, top


@pytest.fixture
def facts(clip, part):
    """What the clip remembers, with its first object and its background."""
    found = part("operators.properties").of(clip)
    part("operators.targets").ensure(found)
    return found


def names(facts):
    return [target.name for target in facts.targets]


def only_job(part):
    (job,) = part("operators.session").state.jobs.values()
    return job


def test_the_background_is_always_last(facts):
    assert names(facts) == ["Object", "Background"]
    bpy.ops.strip_stylizer.object_add()
    assert names(facts) == ["Object", "Object 2", "Background"] and facts.active_target == 1
    bpy.ops.strip_stylizer.object_move(step=-1)
    assert names(facts) == ["Object 2", "Object", "Background"] and facts.active_target == 0
    facts.active_target = 1
    assert bpy.ops.strip_stylizer.object_move(step=1) == {"CANCELLED"}
    bpy.ops.strip_stylizer.object_remove()
    assert names(facts) == ["Object 2", "Background"] and facts.active_target == 0
    facts.active_target = 1
    assert not bpy.ops.strip_stylizer.object_remove.poll()


def test_adding_an_object_can_be_undone(facts):
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.strip_stylizer.object_add()
    bpy.ops.ed.undo_push(message="Added")
    bpy.ops.ed.undo()
    assert names(top(bpy.context.scene)[0].strip_stylizer) == ["Object", "Background"]


def test_old_scripts_write_the_first_object(clip, part):
    facts = part("operators.properties").of(clip)
    assert facts.global_text == "" and not len(facts.targets)
    facts.global_text, facts.object_source, facts.box_width = "a gold swan", "box", 40
    assert facts.targets[0].global_text == "a gold swan" and facts.targets[0].box_width == 40
    assert (facts.object_source, facts.targets[0].object_source) == ("box", "box")


def two_objects(facts, part):
    """A swan in a box in front of a painted duck, both before an oil painting."""
    targets, job = part("operators.targets"), part("engine.contract.job")
    swan = facts.targets[0]
    swan.global_text, swan.local_text, swan.avoid = "a bronze swan", "bronze", "a toy"
    swan.object_source, swan.box_width, swan.box_height = "box", 60, 50
    duck = targets.add_object(facts)
    duck.name, duck.global_text, duck.object_source = "Duck", "a glass duck", "strokes"
    targets.add_stroke(duck, job.Stroke(2, (80.0, 20.0, 100.0, 40.0), 8.0))
    targets.add_stroke(duck, job.Stroke(2, (5.0, 60.0), 4.0, False))
    targets.background_of(facts).global_text = "an oil painting"


def test_a_job_asks_for_all_objects_and_the_background(facts, clip, part):
    two_objects(facts, part)
    assert bpy.ops.strip_stylizer.stylize() == {"FINISHED"}
    spec = only_job(part).folder.read_spec()
    assert [item.name for item in spec.objects] == ["Object", "Duck"]
    assert spec.objects[0].texts.avoid == "a toy" and spec.objects[0].mask.box.width == 60
    strokes = spec.objects[1].mask.strokes
    assert strokes[0].points == (80.0, 20.0, 100.0, 40.0) and not strokes[1].is_object
    assert spec.background.global_text == "an oil painting"
    assert top(bpy.context.scene)[1].name.startswith("bars \N{EN DASH} a bronze swan, a glass duck")


def test_an_object_without_a_text_stays_as_it_is(facts, part):
    two_objects(facts, part)
    facts.targets[0].global_text = facts.targets[0].local_text = ""
    bpy.ops.strip_stylizer.stylize()
    spec = only_job(part).spec
    assert len(spec.objects) == 2 and len(spec.targets) == 2


def test_the_recipe_brings_all_objects_back(facts, clip, scene, part):
    two_objects(facts, part)
    bpy.ops.strip_stylizer.stylize()
    clip.strip_stylizer.targets.clear()
    scene.sequence_editor.active_strip = top(scene)[1]
    assert bpy.ops.strip_stylizer.reuse_settings() == {"FINISHED"}
    facts = top(scene)[0].strip_stylizer
    assert names(facts) == ["Object", "Duck", "Background"]
    assert len(facts.targets[1].strokes) == 2 and not facts.targets[1].strokes[1].is_object
    assert facts.targets[2].global_text == "an oil painting"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("strokes", "Paint at least one stroke"),
        ("detector", "Write what the detector should look for"),
        ("mask", "Choose a mask for Object"),
        ("strip", "Choose a strip as mask for Object"),
    ],
)
def test_an_object_that_cannot_be_found_is_refused(source, words, facts, part):
    facts.global_text, facts.object_source = "a gold swan", source
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.strip_stylizer.stylize()
    assert not part("operators.session").state.jobs


def test_an_object_is_called_as_its_text_calls_it_or_as_the_user_does(facts, part):
    facts.global_text, facts.object_source = "a swan with zebra fur", "name"
    bpy.ops.strip_stylizer.stylize()
    mask = only_job(part).spec.objects[0].mask
    assert (mask.kind.value, mask.class_name) == ("name", "swan")


def test_a_name_that_the_encoder_cannot_point_at_is_refused(facts, part):
    facts.global_text, facts.object_source = "a man with zebra fur", "name"
    with pytest.raises(RuntimeError, match="No text names a thing"):
        bpy.ops.strip_stylizer.stylize()
    facts.targets[0].object_name = "person"
    with pytest.raises(RuntimeError, match='no picture of "person"'):
        bpy.ops.strip_stylizer.stylize()
    assert not part("operators.session").state.jobs


def test_a_picture_that_is_gone_is_refused(facts):
    facts.targets[0].picture = "/nowhere/style.png"
    with pytest.raises(RuntimeError, match=r"style\.png is not there"):
        bpy.ops.strip_stylizer.stylize()


def brightness(path):
    """The picture's brightness in the middle of its left and of its right half."""
    image = bpy.data.images.load(str(path))
    width, height = image.size
    row = height // 2 * width
    left, right = ((row + width * part // 4) * 4 for part in (1, 3))
    found = image.pixels[left], image.pixels[right]
    bpy.data.images.remove(image)
    return found


def left_half():
    """A mask over the left half of the picture."""
    mask = bpy.data.masks.new("Left")
    spline = mask.layers.new().splines.new()
    spline.points.add(3)
    corners = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    for point, corner in zip(spline.points, corners, strict=True):
        point.handle_type = "VECTOR"
        point.co = point.handle_left = point.handle_right = corner
    spline.use_cyclic = True
    return mask


def test_a_mask_of_blenders_is_rendered_for_the_engine(facts, scene, part, clip):
    facts.global_text, facts.object_source = "a gold swan", "mask"
    facts.targets[0].mask = left_half()
    assert bpy.ops.strip_stylizer.stylize() == {"FINISHED"}
    mask = only_job(part).spec.objects[0].mask
    files = sorted(part("operators.strips").image_names(part("operators.folders").Path(mask.path)))
    assert mask.kind.value == "files" and len(files) == 10
    left, right = brightness(f"{mask.path}/{files[4]}")
    assert left > 0.9 and right < 0.1
    assert len(bpy.data.scenes) == 1


def test_another_strip_can_be_the_mask(facts, scene, part, clip, media):
    matte = image_strip(scene, media / "frames", count=10, channel=5, start=5)
    matte.name = "matte"
    facts.global_text, facts.object_source = "a gold swan", "strip"
    facts.targets[0].matte = "matte"
    assert bpy.ops.strip_stylizer.stylize() == {"FINISHED"}
    job = only_job(part)
    from barcodes import decode

    folder = part("operators.folders").Path(job.spec.objects[0].mask.path)
    shown = [decode(folder / name) for name in part("operators.strips").image_names(folder)]
    assert shown == list(range(10)) and not clip.mute


def test_masks_in_files_say_which_object_and_which_way_round(facts, part, tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    for number in range(10):
        (folder / f"{number}.png").write_bytes(b"never decoded here")
    facts.global_text = "a gold swan"
    asked = {"mask_source": "files", "mask_path": str(folder / "3.png")}
    asked |= {"mask_label": 2, "mask_inverted": True}
    assert bpy.ops.strip_stylizer.stylize(**asked) == {"FINISHED"}
    mask = only_job(part).spec.objects[0].mask
    assert (mask.path, mask.label, mask.inverted) == (str(folder), 2, True)
    movie = tmp_path / "masks.mp4"
    movie.write_bytes(b"never decoded here")
    facts.targets[0].mask_folder = str(movie)
    assert part("operators.requests").request(top(bpy.context.scene)[0]).objects[
        0
    ].mask.path == str(movie)


def test_masks_that_are_not_there_are_refused(facts):
    facts.global_text, facts.object_source, facts.mask_folder = "a gold swan", "files", "/gone"
    with pytest.raises(RuntimeError, match="Choose a folder or movie with masks"):
        bpy.ops.strip_stylizer.stylize()


def test_a_mask_strip_must_cover_its_source(facts, scene, media):
    matte = image_strip(scene, media / "frames", count=5, channel=5, start=5)
    matte.name = "matte"
    facts.global_text, facts.object_source = "a gold swan", "strip"
    facts.targets[0].matte = "matte"
    with pytest.raises(RuntimeError, match="must cover frames 5 to 14"):
        bpy.ops.strip_stylizer.stylize()


def test_looking_for_the_mask_needs_no_text_and_adds_no_strip(facts, scene, part):
    assert bpy.ops.strip_stylizer.show_mask() == {"FINISHED"}
    job = only_job(part)
    assert job.kind.value == "masks" and job.is_complete and len(top(scene)) == 1
    picture = part("operators.overlay").picture_over(job, 3)
    assert picture.shape == (36, 64, 4)
    assert picture[18, 32, 3] > 0 and picture[0, 0, 3] == 0


def test_a_preview_looks_at_few_frames_and_adds_no_strip(facts, scene, part):
    facts.global_text, facts.object_source = "a gold swan", "box"
    facts.box_frame, facts.box_width, facts.box_height = 9, 50, 50
    assert bpy.ops.strip_stylizer.preview() == {"FINISHED"}
    job = only_job(part)
    assert job.spec.footage.indices == tuple(range(2, 10))
    assert job.spec.objects[0].mask.box.frame == 7
    assert job.spec.settings.frames.longest_side < 256
    assert len(top(scene)) == 1 and "frame" in job.status.previews


def test_a_copied_recipe_can_be_pasted_on_another_strip(facts, clip, scene, part, media):
    two_objects(facts, part)
    bpy.ops.strip_stylizer.stylize()
    take = top(scene)[1]
    assert json.loads(take["stylized_from"])["objects"][1]["name"] == "Duck"
    other = image_strip(scene, media / "frames", count=6, channel=9, start=40)
    part("operators.takes").write_recipe(
        part("operators.properties").of(other), part("operators.strips").recipe_of(take)
    )
    assert names(other.strip_stylizer) == ["Object", "Duck", "Background"]


def test_a_new_take_has_the_next_seed(facts, scene, part):
    facts.global_text = "a gold swan"
    bpy.ops.strip_stylizer.stylize(seed=4)
    scene.sequence_editor.active_strip = top(scene)[1]
    assert bpy.ops.strip_stylizer.new_take() == {"FINISHED"}
    assert len(top(scene)) == 3
    strips = part("operators.strips")
    takes = strips.results_of(top(scene)[0])
    assert [strips.recipe_of(take)["settings"]["seed"] for take in takes] == [4, 5]
    first, second = (part("operators.session").job_of(take).spec for take in takes)
    assert (first.settings.layers_seed, second.settings.layers_seed) == (4, 4)
    assert part("operators.outlook").same_layers(first, second)
    scene.sequence_editor.active_strip = takes[1]
    bpy.ops.strip_stylizer.take_step(step=-1)
    assert [take.mute for take in takes] == [False, True]
    assert scene.sequence_editor.active_strip == takes[0]


def test_all_selected_strips_with_a_text_get_a_job(facts, clip, scene, part, media):
    other = image_strip(scene, media / "frames", count=6, channel=9, start=40)
    silent = image_strip(scene, media / "frames", count=6, channel=12, start=40)
    for strip, text in ((clip, "a gold swan"), (other, "a gold duck"), (silent, "")):
        part("operators.properties").of(strip).global_text = text
        strip.select = True
    assert bpy.ops.strip_stylizer.stylize_selected() == {"FINISHED"}
    jobs = part("operators.session").state.jobs.values()
    assert [job.text for job in jobs] == ["a gold swan", "a gold duck"] and len(top(scene)) == 5


def test_lines_of_a_text_are_of_no_matter(facts, part, clip):
    facts.targets[0].global_text = " a swan\nmade of\n\nbronze "
    (target,) = part("operators.requests").draft_of(clip).targets
    assert target.global_text == "a swan made of bronze"


def test_the_dialog_takes_its_texts_from_the_text_editor(facts, part):
    text = bpy.data.texts.new("Swan")
    text.write("a swan made\nof bronze\n\nhammered bronze\n\na toy\n\nnotes")
    dialog = SimpleNamespace(text="Swan")
    part("operators.objects")._take_from_text(dialog, bpy.context)
    told = (dialog.global_text, dialog.local_text, dialog.avoid)
    assert told == ("a swan made of bronze", "hammered bronze", "a toy")
    bpy.data.texts.remove(text)


def test_the_dialog_writes_the_chosen_object(facts, part):
    bpy.ops.strip_stylizer.object_texts(global_text="a gold swan", local_text="down", avoid="a toy")
    assert facts.targets[0].global_text == "a gold swan" and facts.targets[0].avoid == "a toy"
