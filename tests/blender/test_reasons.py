"""Every operator says what it does, is found by the search, and says why it cannot be pressed."""

import importlib

import bpy
import pytest
from barcodes import image_strip, top

ONE_JOB = {"job_move", "job_remove"}  # mean one line of a list: nothing to search for


def names():
    return dir(bpy.ops.strip_stylizer)


def operator(name):
    return getattr(bpy.ops.strip_stylizer, name)


def reason(name):
    """Return why an operator cannot be called now; None where it can."""
    if operator(name).poll():
        return None
    with pytest.raises(RuntimeError) as caught:
        operator(name)()
    return str(caught.value).partition("poll() ")[2].strip()


def nothing(scene, media, part):
    """An empty edit."""


def source(scene, media, part):
    """A strip that can be stylized."""
    strip = image_strip(scene, media / "frames", count=6)
    scene.sequence_editor.active_strip = strip


def still(scene, media, part):
    """A strip that shows one image."""
    strip = image_strip(scene, media / "frames", count=1)
    strip.frame_final_duration = 9
    scene.sequence_editor.active_strip = strip


def result(scene, media, part):
    """A take whose source is gone."""
    source(scene, media, part)
    bpy.ops.strip_stylizer.stylize(global_text="a gold swan")
    part("operators.strips").remove(top(scene)[0])
    scene.sequence_editor.active_strip = top(scene)[0]
    part("operators.session").state.jobs.clear()


@pytest.mark.parametrize("state", [nothing, source, still, result], ids=lambda f: f.__name__)
def test_what_cannot_be_pressed_says_why_and_what_to_do(state, scene, media, part):
    state(scene, media, part)
    told = {name: reason(name) for name in names()}
    for name, words in told.items():
        if words is not None:
            assert " " in words and "context is incorrect" not in words, (name, words)
            assert words[0].isupper() and not words.endswith("."), (name, words)
    refused = {name for name, words in told.items() if words is not None}
    if state is not source:
        assert {"stylize", "preview", "show_mask", "box_draw", "object_add"} <= refused
    else:
        assert not {"stylize", "preview", "show_mask", "object_add", "seed_roll"} & refused
    assert "snapshot_render" in refused


def test_without_an_engine_every_start_says_so(clip, part, monkeypatch):
    monkeypatch.setenv("STRIP_STYLIZER_PYTHON", "/nowhere/python")
    part("operators.session").refresh_engine()
    for name in ("stylize", "stylize_selected", "preview", "show_mask", "new_take"):
        assert "Install the engine" in reason(name), name


def test_every_operator_has_a_tooltip_of_its_own(part):
    part("operators")
    tooltips = [operator(name).get_rna_type().description for name in names()]
    assert all(" " in tooltip and tooltip[0].isupper() for tooltip in tooltips)
    assert len(set(tooltips)) == len(tooltips)


def test_the_search_finds_every_operator_that_means_something_by_itself(part):
    classes = importlib.import_module(part("operators").__name__).CLASSES
    hidden = {
        kind.bl_idname.partition(".")[2]
        for kind in classes
        if "INTERNAL" in getattr(kind, "bl_options", ())
    }
    assert hidden == ONE_JOB


def test_the_menu_of_the_strip_offers_what_can_be_done_with_it(part):
    menus = part("panels.menus")
    listed = [name for group in menus.GROUPS for name in group]
    assert set(listed) <= set(names()) and len(set(listed)) == len(listed)
    assert {"stylize", "preview", "show_mask", "compare", "new_take", "snapshot_render"} <= {
        *listed
    }
    for place in ("SEQUENCER_MT_strip", "SEQUENCER_MT_context_menu"):
        drawn = getattr(bpy.types, place)._dyn_ui_initialize()
        assert menus.draw_entry in drawn, place
