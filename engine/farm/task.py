"""Runs one task where nothing but Python is set up: ``python task.py VERB JOB ...``.

A farm's worker starts a program without a working folder or an environment of its own: so this
file finds the engine from where it lies itself.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # in place of this folder, whose modules are no top-level ones
    from engine.__main__ import main

    sys.exit(main(["stage", *sys.argv[1:]]))
