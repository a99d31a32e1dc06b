"""The preferences open in a window of their own and draw every section."""

import bpy

from tests.gui import scenes
from tools.gui import drive, screen

# Where the sections' headings are, in button heights from the window's top; for pictures only.
HEADINGS = {"storage": 21.8, "output": 20.8, "behaviour": 19.75, "network": 18.75, "engine": 17.75}
LEFT = 10


def scenario():
    """Play it."""
    yield from drive.redraw()
    before = len(bpy.context.window_manager.windows)
    with screen.inside(screen.sequencer()):
        bpy.ops.screen.userpref_show("INVOKE_DEFAULT")
    yield 1.0
    windows = bpy.context.window_manager.windows
    assert len(windows) == before + 1
    with bpy.context.temp_override(window=windows[-1]):
        bpy.ops.preferences.addon_show(module=scenes.EXTENSION)
    bpy.ops.strip_stylizer.storage_measure()
    yield 2.0
    screen.shot("preferences")
    for name, down in HEADINGS.items():
        place = (int(LEFT * screen.unit()), int(windows[-1].height - down * screen.unit()))
        yield from drive.click(place, window=windows[-1])
        screen.shot(f"preferences-{name}")
        yield from drive.click(place, window=windows[-1])


drive.play(scenario, seconds=120)
