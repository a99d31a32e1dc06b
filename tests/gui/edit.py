"""Makes a .blend with a small clip in its edit, and tells what lies in one. Runs inside Blender.

``blender -b --python edit.py -- make|look FILE``
"""

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.blender.barcodes import top
from tests.gui import disc

EXTENSION = "bl_ext.user_default.strip_stylizer"


def make(blend: Path) -> None:
    """Save an edit with the clip, set up for the shortest job that there is."""
    scene = bpy.context.scene
    scene.sequence_editor_create()
    paths = disc.write_clip(blend.with_name("disc"))
    strip = top(scene).new_image("disc", str(paths[0]), 1, 11)
    for path in paths[1:]:
        strip.elements.append(path.name)
    scene.sequence_editor.active_strip = strip
    disc.set_up(strip.strip_stylizer)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))


def look(blend: Path) -> None:
    """Print what the extension has put into the edit."""
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    for strip in top(bpy.context.scene):
        if strip.strip_stylizer.result_of:
            element = strip.elements[0]
            size = f"{element.orig_width} x {element.orig_height}"
            print(f"result {strip.frame_final_duration} frames of {size}")


verb, path = sys.argv[sys.argv.index("--") + 1 :]
assert EXTENSION in bpy.context.preferences.addons
{"make": make, "look": look}[verb](Path(path))
