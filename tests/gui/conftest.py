"""Tests in a real window: run by `make test-gui`, which sets up Blender in a chroot first.

Each test plays one scenario of `scenarios/` in a fresh home with the built zip installed. What a
scenario asserts is in the scenario; its screenshots lie in build/gui/VERSION/, to be looked at.
"""

import os
import shutil

import pytest

from tools.gui import run

VERSIONS = [version for version in run.SUITES if (run.chroot_of(version) / "ready").exists()]

# Names a version of Blender, or anything else for all of them.
WANTED = os.environ.get("STRIP_STYLIZER_GUI", "")

if not WANTED:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session", params=[WANTED] if WANTED in run.SUITES else run.SUITES)
def installed(request):
    """A home for each version of Blender in which the zip has been installed."""
    version = request.param
    if version not in VERSIONS:
        pytest.skip(f"Blender {version} is not set up: make gui-setup says why")
    home = run.ROOT / "build" / "gui" / f"home-{version}"
    shutil.rmtree(home, ignore_errors=True)
    window = run.Window(version, home, run.ROOT / "build" / "gui" / version)
    window.install(run.newest_zip())
    yield window
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def window(installed, request):
    """The same, with a home that only this test uses."""
    home = installed.home.with_name(f"{installed.home.name}-{request.function.__name__[:40]}")
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(installed.home, home, symlinks=True)
    yield run.Window(installed.version, home, installed.pictures)
    shutil.rmtree(home, ignore_errors=True)
