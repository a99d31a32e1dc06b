"""The engine is installed from the sidebar: megabytes, cancel, go on, in its place; uninstalled.

Downloads about 3 GB, so only `test_installation` plays it, in a Blender that may go online.
"""

import bpy

from tests.gui import scenes
from tools.gui import buttons, drive, screen

ENOUGH = 200e6  # bytes after which the download is interrupted


def setup():
    """Return what is being installed."""
    return scenes.part("operators.session").state.setup


def state():
    """Return the state of the engine."""
    return scenes.part("operators.session").engine()


def downloaded():
    """Return how many bytes of packages are on the disk."""
    folder = scenes.part("operators.folders").environment().packages
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def install(timeline):
    """Press the button, interrupt the download, press it again, wait for the end."""
    assert state() == "not installed"
    screen.shot("install-1-missing", area=timeline, kind="UI", scale=150)
    yield from buttons.press(timeline, "strip_stylizer.engine_install")
    yield from drive.wait_for(
        lambda: setup().progress.get("done", 0) > ENOUGH, "megabytes", seconds=300
    )
    assert " MB" in setup().label, setup().label
    yield from drive.redraw()
    screen.shot("install-2-download", area=timeline, kind="UI", scale=150)
    yield from buttons.press(timeline, "strip_stylizer.engine_cancel", across=0.87)
    assert setup().ended and state() == "incomplete"
    yield from drive.redraw()
    screen.shot("install-3-cancelled", area=timeline, kind="UI", scale=150)
    before = downloaded()
    yield from buttons.press(timeline, "strip_stylizer.engine_install")
    yield from drive.wait_for(lambda: setup().progress.get("total"), "the list", seconds=300)
    assert downloaded() >= before > ENOUGH, "the download began anew"
    yield from drive.wait_for(lambda: setup().ended, "the end", seconds=1500)
    assert not setup().error and state() == "ready", setup().error


def uninstall(timeline):
    """Let the dialog say how large everything is, and confirm it."""
    with screen.inside(timeline):
        bpy.ops.strip_stylizer.engine_uninstall("INVOKE_DEFAULT")
    held = scenes.part("operators.session").state
    yield from drive.wait_for(lambda: held.storage.get("environment"), "sizes", seconds=60)
    assert held.storage["environment"] > 1e9, held.storage
    middle = timeline.x + timeline.width // 2, timeline.y + timeline.height // 2
    yield from drive.move(middle)
    yield 1.0
    screen.shot("install-5-uninstall")
    yield from drive.key("RET", middle)
    yield from drive.wait_for(lambda: state() == "not installed", "its end", seconds=300)


def scenario():
    """Play it."""
    timeline = screen.sequencer()
    yield from scenes.edit()
    yield from install(timeline)
    yield from drive.redraw()
    screen.shot("install-4-ready", area=timeline, kind="UI", scale=150)
    yield from uninstall(timeline)
    yield from drive.redraw()
    screen.shot("install-6-removed", area=timeline, kind="UI", scale=150)


drive.play(scenario, seconds=2400)
