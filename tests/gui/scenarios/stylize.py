"""Panel visible, texts typed, Stylize pressed, progress moving, result in the timeline, undo."""

import bpy

from tests.gui import scenes
from tools.gui import buttons, drive, screen


def scenario():
    """Play it."""
    timeline = screen.sequencer()
    yield from scenes.edit()
    screen.shot("1-panel")
    screen.shot("1-panel-sidebar", area=timeline, kind="UI")
    yield from scenes.write_texts("slow swan of bronze", "hammered bronze")
    facts = scenes.source().strip_stylizer
    assert (facts.global_text, facts.local_text) == ("slow swan of bronze", "hammered bronze")
    screen.shot("2-texts", area=timeline, kind="UI")

    yield from buttons.press(timeline, "strip_stylizer.stylize()")
    yield from drive.wait_for(scenes.jobs, "the job", seconds=20)
    fractions = set()
    for _ in range(12):
        fractions.add(round(scenes.jobs()[0].fraction, 2))
        yield 0.5
    assert len(fractions) >= 4, f"progress stood at {fractions}"
    screen.shot("3-running")
    screen.shot("3-running-sidebar", area=timeline, kind="UI")

    yield from drive.wait_for(scenes.results, "the result", seconds=60)
    yield from drive.redraw()
    result = scenes.results()[0]
    assert result.frame_final_start == scenes.source().frame_final_start
    assert result.frame_final_duration == scenes.FRAMES
    assert result.channel > scenes.source().channel
    screen.shot("4-result")

    middle = (timeline.x + timeline.width // 3, timeline.y + timeline.height // 2)
    yield from drive.key("Z", middle, ctrl=True)
    yield from drive.wait_for(lambda: not scenes.results(), "undo to take the result back")
    assert scenes.source().strip_stylizer.global_text == "slow swan of bronze"
    yield from drive.key("Z", middle, ctrl=True, shift=True)
    yield from drive.wait_for(scenes.results, "redo to bring it again")
    screen.shot("5-redo")
    scenes.scene().sequence_editor.active_strip = scenes.results()[0]
    yield from drive.redraw()
    screen.shot("6-take", area=timeline, kind="UI")
    assert bpy.context.window_manager.operators is not None


drive.play(scenario, seconds=240)
