"""The file is saved and loaded again while a job runs; its result comes all the same."""

import os
from pathlib import Path

import bpy

from tests.gui import scenes
from tools.gui import buttons, drive, screen


def scenario():
    """Play it."""
    yield from scenes.edit()
    yield from scenes.write_texts("slow swan of bronze")
    path = str(Path(os.environ["HOME"]) / "edit.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    yield from buttons.press(screen.sequencer(), "strip_stylizer.stylize()")
    yield from drive.wait_for(scenes.jobs, "the job", seconds=20)
    yield 3.0
    bpy.ops.wm.save_mainfile()
    name = scenes.jobs()[0].id
    bpy.ops.wm.open_mainfile(filepath=path)
    yield 1.0
    assert not scenes.results(), "the result came before the file was loaded"
    yield from drive.wait_for(scenes.jobs, "the job after loading", seconds=20)
    assert scenes.jobs()[0].id == name
    screen.shot("reload-running")
    yield from drive.wait_for(scenes.results, "the result", seconds=60)
    screen.shot("reload-result")


drive.play(scenario, seconds=240)
