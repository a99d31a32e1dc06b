"""Other languages: what Blender is told, and that nothing that is drawn is forgotten."""

import sys
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest
from barcodes import top
from layouts import Recorder

sys.path.insert(0, str(Path(__file__).parents[2]))


@pytest.fixture(scope="module")
def found():
    """All texts that the sources hold."""
    texts = pytest.importorskip("tools.texts")
    return texts.found()


def ours():
    """Return Blender's description of each operator of the extension."""
    names = dir(bpy.ops.strip_stylizer)
    return [getattr(bpy.ops.strip_stylizer, name).get_rna_type() for name in names]


def test_labels_and_tooltips_of_all_operators_can_be_translated(part, found):
    part("operators")
    for kind in ours():
        assert kind.name in found.all, kind.identifier
        assert kind.description in found.all, kind.identifier
        for item in kind.properties:
            if item.identifier in ("rna_type", "directory", "filepath") or item.is_hidden:
                continue
            assert item.name in found.all, (kind.identifier, item.identifier)
            assert item.description in {*found.all, ""}, (kind.identifier, item.identifier)


def test_labels_of_all_properties_can_be_translated(part, found, clip):
    facts = part("operators.properties").of(clip)
    part("operators.targets").ensure(facts)
    groups = [facts, facts.targets[0], part("operators.folders").preferences()]
    groups += [facts.settings, facts.settings.render, facts.settings.stylization.views]
    for group in groups:
        for item in group.bl_rna.properties:
            if item.is_hidden or item.type in ("POINTER", "COLLECTION") or item.identifier in (
                "rna_type", "bl_idname", "is_background",
            ):  # fmt: skip
                continue
            assert item.name in {*found.all, "X", "Y"}, (group, item.identifier)
            for choice in getattr(item, "enum_items", ()):
                is_word = not choice.name.isupper()
                assert choice.name in found.all or not is_word, (item.identifier, choice.name)


def test_german_has_the_tooltip_of_every_setting(part):
    german = part("operators.languages").read()["de_DE"]
    pending, seen = [part("operators.properties").SettingsGroup.bl_rna], 0
    while pending:
        for item in pending.pop().properties:
            if item.identifier in ("rna_type", "name"):
                continue
            if item.type == "POINTER":
                pending.append(item.fixed_type)
                continue
            seen += 1
            assert german.get(("*", item.description)), (item.identifier, item.description)
    assert seen > 60, seen


def test_what_a_panel_writes_can_be_translated(part, found, clip, scene):
    targets, properties = part("operators.targets"), part("operators.properties")
    targets.ensure(properties.of(clip))
    layout = Recorder()
    part("panels.sidebar").STRIPSTYLIZER_PT_main.draw(SimpleNamespace(layout=layout), bpy.context)
    bpy.ops.strip_stylizer.stylize(global_text="a bronze swan")
    scene.sequence_editor.active_strip = top(scene)[1]
    part("panels.take").STRIPSTYLIZER_PT_take.draw(SimpleNamespace(layout=layout), bpy.context)
    part("panels.jobs").STRIPSTYLIZER_PT_jobs.draw(SimpleNamespace(layout=layout), bpy.context)
    assert layout.translated
    assert {text for text in layout.translated if text and not text.isdigit()} <= found.all


def test_blender_is_told_each_text_as_label_and_as_operator(part):
    german = part("operators.languages").read()["de_DE"]
    for context in ("*", "Operator"):
        assert german[context, "Stylize Strip"] == "Streifen stilisieren"
    assert all(german.values())


def test_values_are_filled_in(part):
    say = part("operators.languages").say
    assert say("{count} under way", count=3) == "3 under way"
    assert say("Stays as It Is") == "Stays as It Is"
    assert say("100 % {sure}") == "100 % {sure}"
