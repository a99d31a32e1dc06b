"""Build the extension's zips with Blender's own packaging tool, which needs no Blender to run.

One zip for each platform: each carries the wheel of uv for that platform, unmodified from the
package index and checked against ``tools/uv.txt``. The repository itself holds no binary.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV_LOCK = Path(__file__).with_name("uv.txt")
# Blender's name of a platform, and what the package index calls it.
PLATFORMS = {
    "linux-x64": "manylinux_2_17_x86_64",
    "linux-arm64": "manylinux_2_17_aarch64",
    "windows-x64": "win_amd64",
    "windows-arm64": "win_arm64",
    "macos-arm64": "macosx_11_0_arm64",
    "macos-x64": "macosx_10_12_x86_64",
}


def the_one(folder: Path, pattern: str) -> Path:
    """Return the file below ``folder`` that fits; exits with a sentence where there is none."""
    found = sorted(folder.glob(pattern))
    if not found:
        sys.exit(f"{folder} holds no {pattern}: it is not an environment with Blender's module.")
    return found[0]


def this_platform() -> str:
    """Return Blender's name of the platform that this runs on."""
    systems = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}
    name = platform.machine().lower()
    return f"{systems[platform.system()]}-{machine.get(name, name)}"


def fetch_uv(chosen: str, folder: Path) -> Path:
    """Return the wheel of uv for a platform, downloaded into ``folder`` where it is not there."""
    place = folder / chosen
    if not list(place.glob("uv-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
        command += [str(place), "--disable-pip-version-check", "--only-binary", ":all:"]
        command += ["--platform", PLATFORMS[chosen], "--require-hashes", "-r", str(UV_LOCK)]
        subprocess.run(command, check=True)
    return the_one(place, "uv-*.whl")


def with_wheels(manifest: str, wheels: list[Path], platforms: list[str]) -> str:
    """Return the manifest with the wheels and the platforms that they are for."""
    names = ", ".join(f'"./wheels/{wheel.name}"' for wheel in wheels)
    kinds = ", ".join(f'"{name}"' for name in platforms)
    before, table, after = manifest.partition("[permissions]")
    return f"{before}wheels = [{names}]\nplatforms = [{kinds}]\n\n{table}{after}"


def stage(plain: Path, folder: Path, wheels: list[Path], platforms: list[str]) -> None:
    """Unpack the zip without wheels into ``folder`` and add them."""
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(plain) as package:
        package.extractall(folder)
    (folder / "wheels").mkdir()
    for wheel in wheels:
        shutil.copyfile(wheel, folder / "wheels" / wheel.name)
    manifest = folder / "blender_manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(with_wheels(text, wheels, platforms), encoding="utf-8")


def main() -> None:
    """Validate the manifest, build the zips, validate them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bpy", type=Path, required=True, help="environment that has bpy")
    parser.add_argument("--out", type=Path, required=True, help="folder for the zips")
    parser.add_argument("--all", action="store_true", help="for all platforms, not only this one")
    options = parser.parse_args()
    scripts = the_one(options.bpy, "**/site-packages/bpy/*/scripts")
    tool = [sys.executable, str(the_one(scripts, "**/bl_pkg/cli/blender_ext.py"))]
    tags = ["--valid-tags", str(the_one(scripts, "**/extensions/tags.py"))]
    platforms = list(PLATFORMS) if options.all else [this_platform()]
    options.out.mkdir(parents=True, exist_ok=True)
    for old in options.out.glob("strip_stylizer-*.zip"):
        old.unlink()
    subprocess.run([*tool, "validate", *tags, str(ROOT)], check=True)
    wheels = [fetch_uv(name, options.out / "uv") for name in platforms]
    package = options.out / "package"
    package.mkdir(exist_ok=True)
    plain = package / "plain.zip"
    build = [*tool, "build", "--source-dir"]
    subprocess.run([*build, str(ROOT), "--output-filepath", str(plain)], check=True)
    stage(plain, package / "strip_stylizer", wheels, platforms)
    split = ["--split-platforms", "--output-dir", str(options.out)]
    subprocess.run([*build, str(package / "strip_stylizer"), *split], check=True)
    for zipped in sorted(options.out.glob("strip_stylizer-*.zip")):
        subprocess.run([*tool, "validate", *tags, str(zipped)], check=True)


if __name__ == "__main__":
    main()
