"""Another Blender, for `quitting`: starts a job, saves the file, and is quit as people quit it.

Arguments: the file to save; "on" or "off", whether jobs go on without Blender.
"""

import os
import sys
from pathlib import Path

import bpy

from tests.blender import barcodes
from tests.gui import scenes
from tools.gui import drive, screen

PATH, KEEP_RUNNING = sys.argv[sys.argv.index("--") + 2 :]


def scenario():
    """Play it."""
    frames, here = Path(os.environ["HOME"]) / "footage", scenes.scene()
    barcodes.write_frames(frames, scenes.FRAMES)
    here.sequence_editor_create()
    strip = barcodes.image_strip(here, frames, count=scenes.FRAMES)
    here.sequence_editor.active_strip = strip
    scenes.part("operators.folders").preferences().keep_running = KEEP_RUNNING == "on"
    strip.strip_stylizer.global_text = "slow slow swan of bronze"
    bpy.ops.wm.save_as_mainfile(filepath=PATH)
    with screen.inside(screen.sequencer()):
        bpy.ops.strip_stylizer.stylize()
    yield from drive.wait_for(lambda: scenes.jobs()[0].fraction > 0.05, "progress", seconds=60)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.quit_blender()
    while True:
        yield 0.1


drive.play(scenario, seconds=120)
