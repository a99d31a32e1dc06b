"""Build the extension's zip with Blender's own packaging tool, which needs no Blender to run."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def the_one(folder: Path, pattern: str) -> Path:
    """Return the file below ``folder`` that fits; exits with a sentence where there is none."""
    found = sorted(folder.glob(pattern))
    if not found:
        sys.exit(f"{folder} holds no {pattern}: it is not an environment with Blender's module.")
    return found[0]


def main() -> None:
    """Validate the manifest, build the zip, validate the zip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bpy", type=Path, required=True, help="environment that has bpy")
    parser.add_argument("--out", type=Path, required=True, help="folder for the zip")
    options = parser.parse_args()
    scripts = the_one(options.bpy, "**/site-packages/bpy/*/scripts")
    tool = [sys.executable, str(the_one(scripts, "**/bl_pkg/cli/blender_ext.py"))]
    tags = ["--valid-tags", str(the_one(scripts, "**/extensions/tags.py"))]
    options.out.mkdir(parents=True, exist_ok=True)
    subprocess.run([*tool, "validate", *tags, str(ROOT)], check=True)
    folders = ["--source-dir", str(ROOT), "--output-dir", str(options.out)]
    subprocess.run([*tool, "build", *folders], check=True)
    for package in options.out.glob("strip_stylizer-*.zip"):
        subprocess.run([*tool, "validate", *tags, str(package)], check=True)


if __name__ == "__main__":
    main()
