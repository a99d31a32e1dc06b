"""Tests in a real window: run by `make test-gui`, which sets up Blender in a chroot first.

Each test plays one scenario of `scenarios/` in a fresh home with the built zip installed. What a
scenario asserts is in the scenario; its screenshots lie in build/gui/VERSION/, to be looked at.
"""

import os
import shutil

import pytest

from tools.gui import run

VERSIONS = [version for version in run.SUITES if (run.chroot_of(version) / "ready").exists()]

if not os.environ.get("STRIP_STYLIZER_GUI"):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in run.SUITES],
)
def installed(request):
    """A home for each version of Blender in which the zip has been installed.

    Side by side, the tests of one version stay one after the other, in one process.
    """
    version = request.param
    if version not in VERSIONS:
        pytest.skip(f"Blender {version} is not set up: make gui-setup says why")
    process = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    home = run.ROOT / "build" / "gui" / f"home-{version}-{process}"
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
