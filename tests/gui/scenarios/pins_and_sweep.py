"""Pins are dragged over the preview, a checkerboard is seen there; a sweep, and a take of it."""

import bpy

from tests.gui import scenes
from tools.gui import buttons, drive, screen

FIRST, SECOND = 4, 8
SPOT, THERE = (40, 20), (70, 40)


def set_pins(timeline):
    """Set a pin on a frame, drag it on another, keep it, take it back, bring it again."""
    x, y = yield from buttons.find(timeline, "strip_stylizer.show_mask", across=0.75)
    yield from drive.click((x, y - int(1.3 * screen.unit())))  # the header below it
    bpy.ops.ed.undo_push(message="Objects")
    yield from buttons.press(timeline, "strip_stylizer.pins_set")
    yield from drive.click(scenes.placed(SPOT))
    scenes.scene().frame_current = SECOND
    yield from drive.redraw()
    yield from drive.drag(scenes.placed(SPOT), scenes.placed(THERE))
    screen.shot("pins-1-dragged")
    yield from drive.key("RET", scenes.placed(SPOT))
    yield from drive.wait_for(lambda: scenes.target().pins, "the pin", seconds=10)
    spots = scenes.part("operators.targets").read_spots(scenes.target().pins[0])
    assert list(spots) == [FIRST - 1, SECOND - 1], spots
    pairs = zip(
        (*SPOT, *THERE), (number for spot in spots.values() for number in spot), strict=True
    )
    assert max(abs(wanted - set_at) for wanted, set_at in pairs) <= 2, spots
    yield from drive.key("Z", scenes.placed(SPOT), ctrl=True)
    yield from drive.wait_for(lambda: not scenes.target().pins, "undo to take the pin back")
    yield from drive.key("Z", scenes.placed(SPOT), ctrl=True, shift=True)
    yield from drive.wait_for(lambda: scenes.target().pins, "redo to bring it again")


def show_checks(timeline):
    """Let the engine take the strip apart, and see the checks over the preview."""
    yield from buttons.press(timeline, "strip_stylizer.checks_show")
    session = scenes.part("operators.session")
    yield from drive.wait_for(scenes.jobs, "the job", seconds=20)
    yield from drive.wait_for(lambda: scenes.jobs()[0].status.ended, "its end", seconds=60)
    held, wanted = session.state.pictures_over, (scenes.jobs()[0].id, SECOND - 1)
    yield from drive.wait_for(
        lambda: held.get(session.Kind.CHECKS, [()])[0] == wanted, "the checks", seconds=20
    )
    yield from drive.redraw()
    screen.shot("pins-2-checks")


def sweep(timeline):
    """Sweep texts, open the contact sheet, and make a take of a cell."""
    with screen.inside(timeline):
        bpy.ops.strip_stylizer.sweep(texts="a gold swan; a swan with zebra fur")
    yield from drive.wait_for(lambda: scenes.jobs()[0].status.ended, "the sweep", seconds=60)
    yield from drive.redraw()
    screen.shot("pins-3-sweep")
    yield from buttons.press(timeline, "strip_stylizer.sweep_take", across=0.9)
    yield from drive.wait_for(scenes.results, "the take of a cell", seconds=60)
    assert "swan" in scenes.results()[0].name
    yield from buttons.press(timeline, "strip_stylizer.sweep_show")
    shown = [
        area.spaces.active.image
        for window in bpy.context.window_manager.windows
        for area in window.screen.areas
        if area.type == "IMAGE_EDITOR"
    ]
    assert [image.name for image in shown] == ["sheet.png"], shown
    yield 1.0
    screen.shot("pins-4-sheet")


def scenario():
    """Play it."""
    timeline = screen.sequencer()
    yield from scenes.edit()
    scenes.scene().frame_current = FIRST
    yield from set_pins(timeline)
    yield from show_checks(timeline)
    yield from sweep(timeline)


drive.play(scenario, seconds=400)
