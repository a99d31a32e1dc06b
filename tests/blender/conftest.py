"""Tests inside Blender's Python module: run with the Python of an environment that has `bpy`.

The extension is linked into a fresh user folder and enabled there, as Blender would do it.
"""

import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))

from barcodes import EXTENSION  # noqa: E402  the folder of the tests is importable only now

if importlib.util.find_spec("bpy") is None:
    collect_ignore_glob = ["*.py"]
else:
    USER_FOLDER = Path(tempfile.mkdtemp(prefix="strip-stylizer-"))
    os.environ["BLENDER_USER_RESOURCES"] = str(USER_FOLDER / "blender")
    os.environ["STRIP_STYLIZER_WORKSPACE"] = str(USER_FOLDER / "workspace")
    ENGINE_PYTHON = os.environ.get("STRIP_STYLIZER_PYTHON", "")
    os.environ["STRIP_STYLIZER_PYTHON"] = sys.executable
    os.environ["STRIP_STYLIZER_REHEARSE"] = "1"
    import bpy  # reads the variables, and makes Blender's own modules importable

EXIT_STATUS = 0


def link_extension() -> None:
    """Put the extension where Blender looks for installed ones."""
    repos = bpy.context.preferences.extensions.repos
    folder = Path(next(repo.directory for repo in repos if repo.module == "user_default"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "strip_stylizer").symlink_to(ROOT)
    importlib.invalidate_caches()


@pytest.fixture
def engine_python():
    """The Python with the engine's packages that the caller of pytest named."""
    if not ENGINE_PYTHON:
        pytest.skip("STRIP_STYLIZER_PYTHON names no environment with the engine's packages")
    return ENGINE_PYTHON


@pytest.fixture
def real_engine(monkeypatch, scene, engine_python):
    """Let jobs run the engine itself."""
    monkeypatch.setenv("STRIP_STYLIZER_PYTHON", ENGINE_PYTHON)
    monkeypatch.delenv("STRIP_STYLIZER_REHEARSE")


@pytest.fixture(scope="session")
def linked():
    """The extension is where Blender finds it."""
    link_extension()


@pytest.fixture
def part(linked):
    """Return a function that gives a module of the enabled extension by its dotted name."""
    import addon_utils

    if EXTENSION not in bpy.context.preferences.addons:
        assert addon_utils.enable(EXTENSION, default_set=True) is not None
    return lambda name: importlib.import_module(f"{EXTENSION}.{name}")


@pytest.fixture
def scene(part):
    """An empty file with a sequencer at 24 frames per second; the session knows no job."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.sequence_editor_create()
    session = part("operators.session")
    session.close()
    yield scene
    session.close()


@pytest.fixture(scope="session")
def media(linked):
    """A folder with barcode frames, and movies of them at 24 and 30 frames per second."""
    from barcodes import write_frames, write_movie

    folder = USER_FOLDER / "media"
    write_frames(folder / "frames", 40)
    for rate in (24, 30):
        write_movie(folder / f"bars{rate}.mp4", folder / "frames", rate)
    return folder


@pytest.fixture
def clip(scene, media):
    """The barcode frames as the active strip, ten frames long, on channel 2 from frame 5."""
    from barcodes import image_strip

    strip = image_strip(scene, media / "frames", count=10, channel=2, start=5)
    scene.sequence_editor.active_strip = strip
    return strip


@pytest.fixture
def in_sequencer():
    """Return a context in which operators find a sequencer."""

    def enter(scene):
        window = bpy.context.window_manager.windows[0]
        area = window.screen.areas[0]
        area.type = "SEQUENCE_EDITOR"
        if hasattr(window.workspace, "sequencer_scene"):
            window.workspace.sequencer_scene = scene
        region = next(region for region in area.regions if region.type == "WINDOW")
        return bpy.context.temp_override(window=window, area=area, region=region)

    return enter


def pytest_sessionfinish(session, exitstatus):
    """Keep the status for the hook below."""
    global EXIT_STATUS
    EXIT_STATUS = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """End the process at once: some versions of the module hang when the interpreter ends."""
    if "bpy" not in sys.modules:
        return
    shutil.rmtree(USER_FOLDER, ignore_errors=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_STATUS)
