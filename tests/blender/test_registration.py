"""Registering leaves nothing behind, and the settings survive Blender's properties."""

import addon_utils
import bpy
import pytest
from barcodes import EXTENSION


def footprint():
    names = {name for name in dir(bpy.types) if name.startswith("STRIPSTYLIZER")}
    base = getattr(bpy.types, "Strip", None) or bpy.types.Sequence
    menus = [len(getattr(bpy.types, n)._dyn_ui_initialize()) for n in MENUS]
    return (
        names,
        dir(bpy.ops.strip_stylizer),
        hasattr(base, "strip_stylizer"),
        [len(handlers) for handlers in (bpy.app.handlers.load_post, bpy.app.handlers.save_post)],
        menus,
    )


MENUS = ("SEQUENCER_MT_strip", "SEQUENCER_MT_context_menu")


def test_registering_twice_leaves_nothing_behind(part):
    addon_utils.disable(EXTENSION, default_set=True)
    before = footprint()
    assert before[0] == set() and before[1] == []
    for _ in range(2):
        addon_utils.enable(EXTENSION, default_set=True)
        assert "STRIPSTYLIZER_PT_main" in footprint()[0]
        addon_utils.disable(EXTENSION, default_set=True)
        assert footprint() == before


class Nowhere(bpy.types.Panel):
    """A panel that Blender refuses, because it does not say where it is."""

    bl_idname = "STRIPSTYLIZER_PT_nowhere"
    bl_label = "Nowhere"


def test_a_failed_registration_leaves_nothing_behind(part):
    import sys

    panels = part("panels")
    addon_utils.disable(EXTENSION, default_set=True)
    before = footprint()
    extension = sys.modules[EXTENSION]
    whole = panels.CLASSES
    panels.CLASSES = (*whole, Nowhere)
    try:
        with pytest.raises((TypeError, RuntimeError, AttributeError)):
            extension.register()
    finally:
        panels.CLASSES = whole
    assert footprint() == before


def test_operators_are_labelled_as_blender_wants(part):
    part("operators")
    for name in dir(bpy.ops.strip_stylizer):
        kind = getattr(bpy.ops.strip_stylizer, name).get_rna_type()
        assert kind.name[0].isupper(), name
        for text in [kind.description, *(p.description for p in kind.properties)]:
            assert not text.endswith("."), (name, text)


@pytest.mark.parametrize("name", ["draft", "standard", "fine", "paper"])
def test_settings_survive_the_properties(name, part, clip):
    properties, settings = part("operators.properties"), part("engine.contract.settings")
    facts = properties.of(clip)
    facts.preset = name
    assert properties.read_settings(facts.settings) == settings.preset(name)
    assert not properties.differs_from_preset(facts)


def test_a_preset_keeps_seed_and_device(part, clip):
    facts = part("operators.properties").of(clip)
    facts.settings.seed, facts.settings.device = 7, "cpu"
    facts.preset = "paper"
    assert (facts.settings.seed, facts.settings.device) == (7, "cpu")
    assert facts.settings.decomposition.engine == "mlp"


def test_floats_come_back_with_six_digits(part, clip):
    properties = part("operators.properties")
    facts = properties.of(clip)
    facts.settings.stylization.learning_rate = 0.00123
    assert properties.read_settings(facts.settings).stylization.learning_rate == 0.00123
    assert properties.differs_from_preset(facts)


def test_ranges_and_labels_come_from_the_declarations(part, clip):
    facts = part("operators.properties").of(clip)
    steps = facts.settings.stylization.bl_rna.properties["steps"]
    assert (steps.name, steps.hard_min, steps.hard_max) == ("Steps", 1, 100_000)
    facts.settings.render.strength = 5.0
    assert facts.settings.render.strength == 1.0


def test_texts_survive_saving_and_loading(part, clip, tmp_path):
    properties = part("operators.properties")
    facts = properties.of(clip)
    facts.global_text, facts.local_text = "a bronze swan", "hammered bronze"
    facts.settings.stylization.steps = 123
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    strip = part("operators.strips").all_strips(bpy.context.scene)[0]
    facts = properties.of(strip)
    assert (facts.global_text, facts.local_text) == ("a bronze swan", "hammered bronze")
    assert facts.settings.stylization.steps == 123
