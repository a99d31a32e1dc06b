"""Prints where Blender put the uv of the zip, and what the copy that is run says. Inside Blender.

``blender -b --python-exit-code 1 --python carried.py -- WORKSPACE``
"""

import json
import subprocess
import sys
from pathlib import Path

EXTENSION = "bl_ext.user_default.strip_stylizer"

uv_program = sys.modules[f"{EXTENSION}.operators.uv_program"]
found, version = uv_program.find()
program = uv_program.program(Path(sys.argv[-1]))
said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
facts = {"found": str(found), "version": version, "program": str(program), "said": said}
print("carried", json.dumps(facts))
