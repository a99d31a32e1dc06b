"""A picture is dragged over the preview and becomes a take; a live take is turned and baked."""

import json

import bpy

from tests.gui import scenes
from tools.gui import buttons, drive, screen

FRAME = 4


def open_panel(timeline):
    """Open Edit by Hand, whose header is below the last button of the panel Take."""
    x, y = yield from buttons.find(timeline, "strip_stylizer.reveal")
    yield from drive.click((x, y - int(1.8 * screen.unit())))
    yield from drive.redraw()


def place_picture(timeline):
    """Drag a box, then one of its corners, and let it become a take."""
    picture = bpy.path.abspath(scenes.source().directory) + scenes.source().elements[9].filename
    with screen.inside(timeline):
        bpy.ops.strip_stylizer.picture_place("INVOKE_DEFAULT", filepath=picture)
    yield from drive.redraw()
    yield from drive.drag(scenes.placed((40, 16)), scenes.placed((88, 48)))
    yield from drive.drag(scenes.placed((88, 48)), scenes.placed((100, 56)))
    screen.shot("by-hand-1-picture")
    yield from drive.key("RET", scenes.placed((64, 32)))
    yield from drive.wait_for(scenes.results, "the take with the picture", seconds=90)
    (edit,) = json.loads(scenes.results()[0]["stylized_from"])["edits"]
    wanted = (40, 16, 88, 16, 100, 56, 40, 48)
    far = max(abs(a - b) for a, b in zip(edit["corners"], wanted, strict=True))
    assert far <= 2 and edit["frame"] == FRAME - 1, edit
    yield from drive.redraw()
    screen.shot("by-hand-2-take")


def turn_live_take(timeline):
    """Make a live take, see its panel, grade it, bake it."""
    with screen.inside(timeline):
        bpy.ops.strip_stylizer.live_take()
    yield from drive.wait_for(lambda: len(scenes.results()) == 2, "the live take", seconds=90)
    live = next(strip for strip in scenes.results() if strip.type == "META")
    name = live.name
    scenes.scene().sequence_editor.active_strip = live
    yield from drive.redraw()
    yield from open_panel(timeline)
    part = scenes.part("operators.live")
    groups = scenes.part("operators.strips").live_layers(live)[0][1]
    part.control(groups, "Grade").outputs[0].default_value = (1.0, 0.3, 0.1, 1.0)
    live.blend_alpha = 0.7
    bpy.ops.ed.undo_push(message="Turned")
    yield from drive.redraw()
    screen.shot("by-hand-3-live")
    yield from drive.key("Z", scenes.placed((64, 32)), ctrl=True)
    yield from drive.redraw()
    live = scenes.scene().sequence_editor.strips[name]
    assert live.blend_alpha == 1.0, live.blend_alpha
    yield from drive.key("Z", scenes.placed((64, 32)), ctrl=True, shift=True)
    yield from drive.redraw()
    assert abs(scenes.scene().sequence_editor.strips[name].blend_alpha - 0.7) < 1e-6
    yield from buttons.press(timeline, "strip_stylizer.live_bake")
    yield from drive.wait_for(lambda: len(scenes.results()) == 3, "the baked take", seconds=200)
    yield from drive.redraw()
    screen.shot("by-hand-4-baked")


def scenario():
    """Play it."""
    timeline = screen.sequencer()
    yield from scenes.edit()
    scenes.scene().frame_current = FRAME
    yield from place_picture(timeline)
    if bpy.app.version >= (5, 0):
        scenes.scene().sequence_editor.active_strip = scenes.source()
        yield from turn_live_take(timeline)


drive.play(scenario, seconds=400)
