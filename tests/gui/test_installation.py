"""The engine is installed, used and removed for real, in a Blender that has nothing but the zip.

Downloads about 3 GB twice and takes many minutes: run by `make test-install`. Times and sizes go to
build/gui/installation.json.
"""

import json
import os
import resource
import shutil
import time
from pathlib import Path

import pytest

from tools.gui import run

pytestmark = pytest.mark.skipif(
    not os.environ.get("STRIP_STYLIZER_INSTALL"), reason="make test-install runs this"
)
EDIT = Path(__file__).with_name("edit.py")
WINDOW = Path(__file__).with_name("scenarios") / "_install.py"
NO_ENGINE = {
    "STRIP_STYLIZER_PYTHON": "",
    "STRIP_STYLIZER_REHEARSE": "",
    "PYTHONPYCACHEPREFIX": "",  # as a user has it
}


def processor_seconds():
    """Return what ended child processes and their children have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class CommandLine:
    """``blender --command strip_stylizer``, with a note of how long each verb took.

    Without ``online`` nothing outside can be reached, whatever Blender allows.
    """

    def __init__(self, window):
        self.window, self.seconds = window, {}

    def __call__(self, *words, online=False, seconds=1800):
        began, used = time.monotonic(), processor_seconds()
        mode = "--online-mode" if online else "--offline-mode"
        line = ["blender", mode, "--command", "strip_stylizer", *map(str, words)]
        ended = self.window.run(
            line, seconds=seconds, size="none", variables=NO_ENGINE, network=online
        )
        name = " ".join(word for word in map(str, words) if not word.startswith("/"))
        self.seconds[name] = {
            "wall": round(time.monotonic() - began, 1),
            "processor": round(processor_seconds() - used, 1),
        }
        return ended

    def info(self):
        said = self("info", "--json").output
        return json.loads(next(line for line in said.splitlines() if line.startswith("{")))

    def python(self, script, *arguments):
        """Run a script in the background."""
        line = ["blender", "-b", "--python-exit-code", "1", "--python", str(script), "--"]
        ended = self.window.run([*line, *map(str, arguments)], seconds=300, size="none")
        assert ended.code == 0, ended.output
        return ended.output


@pytest.fixture
def command():
    """A clean Blender 5.2 in which only the zip is installed."""
    if not (run.chroot_of("5.2") / "ready").exists():
        pytest.skip("Blender 5.2 is not set up: make gui-setup says why")
    home = run.ROOT / "build" / "gui" / "home-install"
    shutil.rmtree(home, ignore_errors=True)
    window = run.Window("5.2", home, run.ROOT / "build" / "gui" / "5.2")
    window.install(run.newest_zip())
    yield CommandLine(window)
    shutil.rmtree(home, ignore_errors=True)


def test_the_engine_is_installed_used_and_removed(command):
    home = command.window.home
    refused = command("install")
    assert refused.code == 1 and "offline mode" in refused.output
    assert command.info()["engine"] == "not installed"

    installed = command("install", online=True)
    assert installed.code == 0, installed.output
    assert "MB" in installed.output
    facts = command.info()
    assert facts["engine"] == "ready" and "packages" not in facts["sizes"]
    verified = command("verify")
    assert verified.code == 0 and '"computation": "right"' in verified.output

    blend = home / "edit.blend"
    command.python(EDIT, "make", blend)
    box = ["--box", "0,10,12,42,42"]
    done = command("stylize", blend, "--strip", "disc", "--global-text", "a golden disc", *box)
    assert done.code == 0, done.output
    assert "result 5 frames of 96 x 64" in command.python(EDIT, "look", blend)
    wrong = command("stylize", blend, "--strip", "nothing", "--global-text", "a golden disc")
    assert wrong.code == 1 and "There is no strip nothing; there are: disc" in wrong.output

    folder = home / "offline"
    assert command("offline-folder", folder, online=True).code == 0
    sizes = facts["sizes"] | {"offline-folder": sum(p.stat().st_size for p in folder.iterdir())}
    removed = command("uninstall")
    assert removed.code == 0 and "GB" in removed.output, removed.output
    assert command.info()["engine"] == "not installed"
    assert not (home / "workspace" / "environment").exists()

    again = command("install", "--from", folder)
    assert again.code == 0, again.output
    assert command.info()["engine"] == "ready"
    report = {"seconds": command.seconds, "bytes": sizes, "environment": facts["environment"]}
    (run.ROOT / "build" / "gui" / "installation.json").write_text(json.dumps(report, indent=1))


def test_the_engine_is_installed_and_removed_by_buttons(command):
    window = command.window
    online = {"options": ("--online-mode",), "variables": NO_ENGINE}
    ended = window.play(WINDOW, seconds=2400, **online)
    assert ended.code == 0, ended.output[-4000:]
    assert not (window.home / "workspace" / "environment").exists()
