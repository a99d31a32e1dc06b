"""A box is dragged and strokes are painted over the preview; the mask that is found is shown."""

import bpy

from tests.gui import scenes
from tools.gui import buttons, drive, screen

FRAME = 4


def corners():
    """Return where two pixels of the picture are seen in the preview."""
    return [scenes.placed(pixel) for pixel in ((40, 16), (88, 48))]


def drag_box(timeline):
    """Drag a box, take it back, bring it again."""
    scenes.source().strip_stylizer.targets[0].object_source = "box"
    bpy.ops.ed.undo_push(message="Found by a box")
    yield from drive.redraw()
    first, last = corners()
    yield from buttons.press(timeline, "strip_stylizer.box_draw")
    yield from drive.drag(first, last)
    yield from drive.wait_for(lambda: scenes.target().box_width, "the box", seconds=10)
    found = scenes.target()
    box = found.box_x, found.box_y, found.box_width, found.box_height
    far = max(abs(a - b) for a, b in zip(box, (40, 16, 48, 32), strict=True))
    assert far <= 2, box
    assert scenes.target().box_frame == FRAME - 1
    screen.shot("drawing-1-box")
    yield from drive.key("Z", first, ctrl=True)
    yield from drive.wait_for(lambda: not scenes.target().box_width, "undo to take the box back")
    yield from drive.key("Z", first, ctrl=True, shift=True)
    yield from drive.wait_for(lambda: scenes.target().box_width, "redo to bring it again")


def show_mask(timeline, name):
    """Let the engine look for the object, and see its colour over the preview."""
    before = len(scenes.jobs())
    yield from buttons.press(timeline, "strip_stylizer.show_mask", across=0.75)
    yield from drive.wait_for(lambda: len(scenes.jobs()) > before, "the search", seconds=20)
    yield from drive.wait_for(
        lambda: scenes.jobs()[0].status.phase.value == "finished", "the mask", seconds=30
    )
    assert bpy.context.window_manager.strip_stylizer_show_mask
    session, wanted = scenes.part("operators.session"), (scenes.jobs()[0].id, FRAME - 1)
    held = session.state.pictures_over
    yield from drive.wait_for(
        lambda: held.get(session.Kind.MASKS, [()])[0] == wanted, "its picture", seconds=20
    )
    yield from drive.redraw()
    screen.shot(name)


def paint_strokes(timeline):
    """Paint the object, take a stroke back, paint what is not the object, keep."""
    scenes.target().object_source = "strokes"
    bpy.ops.ed.undo_push(message="Found by strokes")
    yield from drive.redraw()
    (left, top), (right, bottom) = corners()
    middle = (left + right) // 2, (top + bottom) // 2
    yield from buttons.press(timeline, "strip_stylizer.strokes_paint")
    yield from drive.drag((left, top), (right, top))
    yield from drive.drag(middle, (right, bottom))
    yield from drive.key("Z", middle, ctrl=True)
    yield from drive.drag((left, middle[1]), (right, middle[1]))
    yield from drive.key("X", middle)
    yield from drive.drag((left, bottom - 20), (right, bottom - 20))
    screen.shot("drawing-2-painting")
    yield from drive.key("RET", middle)
    yield from drive.wait_for(lambda: scenes.target().strokes, "the strokes", seconds=10)
    assert [stroke.is_object for stroke in scenes.target().strokes] == [True, True, False]
    assert {stroke.frame for stroke in scenes.target().strokes} == {FRAME - 1}


def scenario():
    """Play it."""
    timeline = screen.sequencer()
    yield from scenes.edit()
    scenes.scene().frame_current = FRAME
    yield from scenes.write_texts("swan of bronze")
    yield from drag_box(timeline)
    yield from show_mask(timeline, "drawing-3-mask-of-box")
    yield from paint_strokes(timeline)
    yield from show_mask(timeline, "drawing-4-mask-of-strokes")


drive.play(scenario, seconds=200)
