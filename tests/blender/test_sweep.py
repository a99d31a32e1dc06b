"""Sweeps through the operators, with the rehearsal as engine: cells, sheet, and takes of them."""

import json
from types import SimpleNamespace

import bpy
import pytest
from barcodes import top
from layouts import Recorder
from test_real_engine import strip  # noqa: F401  a fixture
from test_reasons import reason

TEXTS = "a bronze swan; a swan with zebra fur\na bronze swan"


@pytest.fixture
def swept(clip, part):
    """The job of a sweep with two texts, two seeds and two strengths, over the active strip."""
    part("operators.properties").of(clip).settings.seed = 5
    assert bpy.ops.strip_stylizer.sweep(texts=TEXTS, strengths="1; 0.5") == {"FINISHED"}
    (job,) = part("operators.session").state.jobs.values()
    return job


def shown(part):
    layout = Recorder()
    part("panels.sweep").STRIPSTYLIZER_PT_sweep.draw(SimpleNamespace(layout=layout), bpy.context)
    return layout


def test_a_sweep_is_one_job_that_lists_its_cells_and_adds_no_strip(swept, scene, part):
    spec = json.loads(swept.folder.spec.read_text())
    assert spec["sweep"] == {
        "texts": ["a bronze swan", "a swan with zebra fur"], "strengths": [1.0, 0.5]
    }  # fmt: skip
    assert spec["settings"]["stylization"]["candidates"] == 2
    assert len(top(scene)) == 1 and swept.is_complete
    cells = part("operators.sweeping").cells_of(swept)
    assert len(cells) == 8 and {each.seed for each in cells} == {5, 6}
    assert part("panels.sweep").STRIPSTYLIZER_PT_sweep.poll(bpy.context)
    drawn = shown(part)
    assert drawn.lines.count("Make Take") == 8 and "sweep_show" in drawn.operators
    first = next(line for line in drawn.lines if line != "Make Take")
    assert first.startswith("0.290  a bronze swan")
    assert bpy.ops.strip_stylizer.sweep_show() == {"FINISHED"}
    assert [image.filepath for image in bpy.data.images if "sheet" in image.name]


def test_a_cell_becomes_a_take_that_remembers_what_it_is(swept, scene, part):
    cells = part("operators.sweeping").cells_of(swept)
    number = next(n for n, c in enumerate(cells, 1) if (c.seed, c.strength) == (6, 0.5))
    assert bpy.ops.strip_stylizer.sweep_take(cell=number) == {"FINISHED"}
    take = top(scene)[1]
    recipe = part("operators.strips").recipe_of(take)
    job = part("operators.session").job_of(take)
    spec = json.loads(job.folder.spec.read_text())
    assert spec["sweep"] is None and job.kind is part("operators.session").Kind.STYLIZE
    assert spec["objects"][0]["texts"]["global_text"] == cells[number - 1].text
    assert recipe["settings"]["seed"] == 5  # the second seed is that of the second candidate
    assert recipe["settings"]["render"]["candidate"] == 2
    assert recipe["settings"]["render"]["strength"] == 0.5
    assert recipe["global_text"] == recipe["title"] == cells[number - 1].text
    scene.sequence_editor.active_strip = take
    assert part("panels.sweep").STRIPSTYLIZER_PT_sweep.poll(bpy.context)
    assert bpy.ops.strip_stylizer.sweep_show() == {"FINISHED"}  # as the menu calls it
    bpy.ops.strip_stylizer.reuse_settings()
    source = part("operators.properties").of(top(scene)[0])
    assert source.global_text == cells[number - 1].text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"texts": " ; "}, "Write at least one text"),
        ({"texts": "a bronze swan", "strengths": "much"}, "Write the strengths as numbers"),
        ({"texts": "a bronze swan", "strengths": "2"}, "2.0 is not between 0 and 1"),
    ],
)
def test_what_cannot_be_swept_is_refused_in_a_sentence(clip, part, given, words):
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.strip_stylizer.sweep(**given)
    assert not part("operators.session").state.jobs


def test_without_a_sweep_its_buttons_are_grey_and_say_why(clip, part):
    for name in ("sweep_show", "sweep_take"):
        assert reason(name) == "There is no finished sweep: sweep texts first"
    assert not part("panels.sweep").STRIPSTYLIZER_PT_sweep.poll(bpy.context)


def test_a_cell_that_is_not_there_is_refused(swept):
    with pytest.raises(RuntimeError, match="no cell 9: the sweep has 8"):
        bpy.ops.strip_stylizer.sweep_take(cell=9)


@pytest.mark.slow
def test_the_take_of_a_real_sweep_only_has_to_be_rendered(strip, scene, part):  # noqa: F811
    facts = part("operators.properties").of(strip)
    facts.object_source = "box"
    facts.box_x, facts.box_y, facts.box_width, facts.box_height = 10, 12, 42, 42
    bpy.ops.strip_stylizer.sweep(texts="a golden disc; a wooden disc", seeds=2)
    (job,) = part("operators.session").state.jobs.values()
    assert len(part("operators.sweeping").cells_of(job)) == 4
    bpy.ops.strip_stylizer.sweep_take(cell=4)
    made = part("operators.session").newest_first()[0]
    assert {stage.value for stage in made.status.reused} == {
        "frames", "flow", "masks", "decomposition", "stylization"
    }  # fmt: skip
    assert len(top(scene)) == 2
