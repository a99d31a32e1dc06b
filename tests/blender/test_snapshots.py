"""Another saved state or candidate of a take becomes a take of its own."""

import json
from types import SimpleNamespace

import bpy
import pytest
from barcodes import top
from layouts import Recorder


@pytest.fixture
def take(clip, scene, part):
    """A take with two candidates, active, and its job."""
    facts = part("operators.properties").of(clip)
    facts.settings.stylization.candidates = 2
    facts.settings.stylization.steps, facts.settings.stylization.snapshot_every = 100, 25
    bpy.ops.strip_stylizer.stylize(global_text="a bronze swan")
    strip = top(scene)[1]
    scene.sequence_editor.active_strip = strip
    return strip, part("operators.session").job_of(strip)


def newest(part):
    return part("operators.session").newest_first()[0]


def shown(part):
    layout = Recorder()
    kind = part("panels.take").STRIPSTYLIZER_PT_take
    kind.draw(SimpleNamespace(layout=layout), bpy.context)
    return layout


def test_a_take_lists_its_candidates_and_snapshots(take, part):
    found = part("operators.snapshots").candidates_of(take[1])
    assert [each.number for each in found] == [1, 2]
    assert found[0].snapshots == (25, 50, 75, 100) and found[0].steps == 100
    lines = shown(part).lines
    assert "Candidates and Snapshots" in lines and {"25", "50", "75", "100"} <= set(lines)
    assert "1: 0.290" in lines and "2: 0.280" in lines


def test_another_snapshot_is_the_same_job_but_for_the_choice(take, part, scene):
    _, before = take
    assert bpy.ops.strip_stylizer.snapshot_render(candidate=2, snapshot=50) == {"FINISHED"}
    job = newest(part)
    one, other = (json.loads(each.folder.spec.read_text()) for each in (before, job))
    render = other["settings"]["render"]
    assert (render.pop("candidate"), render.pop("snapshot")) == (2, 50)
    render = one["settings"]["render"]
    assert (render.pop("candidate"), render.pop("snapshot")) == (0, 0)
    assert one == other
    assert [strip.name.split(", ")[-1] for strip in top(scene)[1:]] == ["take 1", "take 2"]
    recipe = part("operators.strips").recipe_of(top(scene)[2])
    assert recipe["job"] == job.id and recipe["take"] == 2
    assert scene.sequence_editor.active_strip == top(scene)[2]  # it came in its place
    assert "Draft, seed 0, candidate 2, step 50" in shown(part).lines


def test_what_there_is_a_take_of_is_shown_and_not_made_again(take, part, scene):
    first = take[0].name
    bpy.ops.strip_stylizer.snapshot_render(snapshot=50)
    bpy.ops.strip_stylizer.snapshot_render(candidate=1, snapshot=0)
    assert len(part("operators.session").state.jobs) == 2
    assert scene.sequence_editor.active_strip.name == first
    assert [strip.mute for strip in top(scene)] == [False, False, True]


def test_the_take_goes_where_the_first_one_lies_though_the_source_was_trimmed(take, scene):
    source = top(scene)[0]
    source.frame_offset_end, source.frame_start = 4, source.frame_start + 20
    bpy.ops.strip_stylizer.snapshot_render(snapshot=25)
    result = top(scene)[2]
    assert (result.frame_final_start, result.frame_final_duration) == (25, 10)


def test_a_candidate_that_was_not_made_is_refused(take):
    with pytest.raises(RuntimeError, match="no candidate 3: choose one of 1, 2"):
        bpy.ops.strip_stylizer.snapshot_render(candidate=3)


def test_a_take_without_its_job_says_what_to_do(take, part):
    part("operators.session").forget(take[1])
    with pytest.raises(RuntimeError, match="New Take makes another one"):
        bpy.ops.strip_stylizer.snapshot_render(snapshot=25)
    assert "Snapshots" not in shown(part).lines


def test_many_snapshots_are_thinned_out_and_the_last_ones_stay(part):
    some_of = part("panels.take").some_of
    steps = tuple(range(10, 1010, 10))
    found = some_of(steps, last=1000)
    assert len(found) <= 20 and found[-1] == 990 and found == sorted(found)
    assert some_of((50, 100), last=100) == [50] and some_of((), last=7) == []
