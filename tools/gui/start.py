"""The first script of a driven Blender: runs the scenario's script, and ends Blender if it fails.

Blender itself would go on with an empty window.
"""

import os
import runpy
import sys
import traceback
from pathlib import Path

import bpy

EXTENSION = "bl_ext.user_default.strip_stylizer"

sys.path.insert(0, str(Path(__file__).parents[2]))
try:
    # An application template has preferences of its own, where nothing is enabled yet.
    bpy.ops.preferences.addon_enable(module=EXTENSION)
    assert EXTENSION in bpy.context.preferences.addons, "the extension is not installed"
    runpy.run_path(sys.argv[sys.argv.index("--") + 1])
except BaseException:
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
