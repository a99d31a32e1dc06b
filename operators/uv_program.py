"""The uv program that the extension carries as a wheel: found where Blender unpacked it."""

import re
import shutil
import sys
from pathlib import Path

PROGRAM = "uv.exe" if sys.platform == "win32" else "uv"


def find() -> tuple[Path, str] | None:
    """Return Blender's copy of the program and its version, None where this zip carries none."""
    for folder in sys.path:
        for scripts in sorted(Path(folder).glob("uv-*.data/scripts"), reverse=True):
            version = re.match(r"uv-(.+)\.data", scripts.parent.name)
            if version and (scripts / PROGRAM).is_file():
                return scripts / PROGRAM, version[1]
    return None


def program(workspace: Path) -> Path | None:
    """Return a uv that can be run, None where this zip carries none.

    Blender unpacks wheels without the right to be executed, and nothing is to be written into its
    folders, so the program is copied into the workspace. Raises OSError where that fails.
    """
    found = find()
    if found is None:
        return None
    source, version = found
    target = workspace / f"uv-{version}" / PROGRAM
    if not target.is_file() or target.stat().st_size != source.stat().st_size:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        shutil.copyfile(source, part)
        part.chmod(0o755)
        part.replace(target)
    return target
