"""The manifest is valid; the zip builds, installs, and is enabled in a fresh Blender."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import bpy
import pytest
from barcodes import EXTENSION

ROOT = Path(__file__).parents[2]


def blender_tool(*arguments):
    """Run Blender's own packaging tool on plain Python."""
    scripts = Path(bpy.utils.system_resource("SCRIPTS"))
    tool = scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    done = subprocess.run(
        [sys.executable, str(tool), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tags():
    """Return the option that lets the tool check tags against Blender's list."""
    found = list(Path(bpy.utils.system_resource("SCRIPTS")).rglob("extensions/tags.py"))
    return ["--valid-tags", str(found[0])] if found else []


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The zip that users install."""
    folder = tmp_path_factory.mktemp("zip")
    blender_tool("build", "--source-dir", str(ROOT), "--output-dir", str(folder))
    return next(folder.glob("*.zip"))


def test_the_manifest_is_valid():
    assert "Success" in blender_tool("validate", *tags(), str(ROOT))


def test_the_zip_holds_the_extension_and_nothing_else(package):
    blender_tool("validate", str(package))
    names = [name for name in zipfile.ZipFile(package).namelist() if not name.endswith("/")]
    tops = {name.split("/")[0] for name in names}
    needed = {"blender_manifest.toml", "__init__.py", "operators", "panels", "engine", "languages"}
    allowed = needed | {"LICENSE", "CHANGELOG.md", "README.md"}
    assert needed <= tops <= allowed
    assert "engine/contract/settings/whole.py" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".part")]


INSTALL = """
import os, sys
import bpy
repo = "user_default"
bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo=repo, enable_on_install=True)
assert sys.argv[2] in bpy.context.preferences.addons
print("poll", bpy.ops.strip_stylizer.stylize.poll())
sys.stdout.flush()
os._exit(0)
"""


def test_the_zip_installs_and_is_enabled(package, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", INSTALL, str(package), EXTENSION],
        env={**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "poll False" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
