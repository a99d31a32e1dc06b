"""The dialog of Uninstall says how large everything is before anything is deleted; Esc keeps it."""

import bpy

from tests.gui import scenes
from tools.gui import drive, screen


def scenario():
    """Play it."""
    timeline = screen.sequencer()
    yield from scenes.edit()
    engine = scenes.part("operators.folders").environment().folder
    engine.mkdir(parents=True)
    (engine / "large").write_bytes(bytes(7_000_000))
    held = scenes.part("operators.session").state
    middle = timeline.x + timeline.width // 2, timeline.y + timeline.height // 2
    yield from drive.move(middle)
    with screen.inside(timeline):
        bpy.ops.strip_stylizer.engine_uninstall("INVOKE_DEFAULT")
    yield from drive.wait_for(lambda: held.storage.get("environment"), "the sizes", seconds=30)
    yield 1.0
    screen.shot("uninstalling-sizes")
    yield from drive.key("ESC", middle)
    yield 1.0
    assert engine.is_dir(), "Esc deleted the engine"
    with screen.inside(timeline):
        bpy.ops.strip_stylizer.engine_uninstall("INVOKE_DEFAULT")
    yield from drive.wait_for(lambda: held.storage.get("environment"), "the sizes", seconds=30)
    yield 1.0
    yield from drive.key("RET", middle)
    yield from drive.wait_for(lambda: not engine.exists(), "the end", seconds=30)


drive.play(scenario, seconds=150)
