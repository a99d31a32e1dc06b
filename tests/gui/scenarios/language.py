"""The interface turns German with Blender's language, and English again."""

import bpy

from tests.gui import scenes
from tools.gui import drive, screen

WORDS = {"Stylize Strip": "Streifen stilisieren", "Stays as It Is": "Bleibt, wie es ist"}


def scenario():
    """Play it."""
    timeline, view = screen.sequencer(), bpy.context.preferences.view
    yield from scenes.edit()
    say = scenes.part("operators.languages").say
    operator = bpy.app.translations.pgettext_iface
    known = bpy.app.translations.locales  # the property's own list leaves German out in 4.3
    assert "de_DE" in known, "set the chroot up anew: it has no German"
    view.language = "de_DE"
    view.use_translate_interface = view.use_translate_tooltips = True
    yield from drive.redraw()
    for text, german in WORDS.items():
        assert say(text) == german, (text, say(text))
        assert operator(text, "Operator") == german
    tab = screen.region(timeline, "UI").active_panel_category
    assert tab == scenes.part("operators.strips.regions").TAB, f"progress would not be seen: {tab}"
    assert say("{count} frames finished", count=3) == "3 Bilder fertig"
    screen.shot("german", area=timeline, kind="UI")
    screen.shot("german-window")
    with screen.inside(timeline):
        bpy.ops.strip_stylizer.stylize(global_text="slow swan of bronze")
    yield 4.0
    screen.shot("german-running", area=timeline, kind="UI")
    yield from drive.wait_for(scenes.results, "the result", seconds=60)
    scenes.scene().sequence_editor.active_strip = scenes.results()[0]
    yield from drive.redraw()
    screen.shot("german-take", area=timeline, kind="UI")
    view.language = "en_US"
    yield from drive.redraw()
    assert all(say(text) == text for text in WORDS)


drive.play(scenario, seconds=240)
