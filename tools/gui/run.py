"""Start a Blender with a window in a chroot, with the built extension installed, and run a script.

``python -m tools.gui.run 5.2 SCRIPT`` sets nothing up; ``tools/gui/chroot.sh`` does. The script
drives the window through `drive`, `buttons` and `screen`; its screenshots go to
``build/gui/VERSION/``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SUITES = {"5.2": "sid", "4.3": "trixie"}
SIZE = "1600x900"
CANNOT_BE_SET_UP = 3
TIMED_OUT = 124


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it printed."""

    code: int
    output: str


@dataclass(frozen=True)
class Window:
    """A Blender that can be started with a window, and where its files are."""

    version: str
    home: Path
    pictures: Path

    @property
    def chroot(self) -> Path:
        """The folder with the small system that has this Blender."""
        return chroot_of(self.version)

    def run(
        self,
        command: list[str],
        *,
        seconds: float,
        size: str = SIZE,
        variables: dict[str, str] | None = None,
        bound: tuple[Path, ...] = (),
        network: bool = True,
    ) -> Ended:
        """Run a command inside; ``size`` is that of the screen, or none for no screen.

        After ``seconds`` everything inside is ended, and the code is `TIMED_OUT`. Without
        ``network`` nothing outside can be reached.
        """
        for folder in (self.home, self.pictures):
            folder.mkdir(parents=True, exist_ok=True)
        folders = [str(path) for path in dict.fromkeys((ROOT, self.home, self.pictures, *bound))]
        inside = [str(Path(__file__).with_name("inside.sh")), str(self.chroot), size, *folders]
        own_namespace = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        own_namespace += ["--propagation", "private", *([] if network else ["--net"])]
        with (self.home / "output.log").open("w+", encoding="utf-8", errors="replace") as log:
            code = TIMED_OUT
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = subprocess.run(
                    [*own_namespace, *inside, "--", *command],
                    env=self.environment() | (variables or {}),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=seconds,
                    check=False,
                ).returncode
            log.seek(0)
            return Ended(code, log.read())

    def environment(self) -> dict[str, str]:
        """Return the variables of a fresh user whose jobs only rehearse."""
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "GALLIUM_DRIVER": "llvmpipe",
            "PYTHONPYCACHEPREFIX": str(ROOT / "build" / "bytecode"),
            "PYTHONPATH": str(ROOT),
            "GUI_PICTURES": str(self.pictures),
            "STRIP_STYLIZER_WORKSPACE": str(self.home / "workspace"),
            "STRIP_STYLIZER_PYTHON": "/usr/bin/python3",
            "STRIP_STYLIZER_REHEARSE": "1",
            **{name: os.environ[name] for name in ("OMP_NUM_THREADS",) if name in os.environ},
        }

    def install(self, package: Path) -> None:
        """Install and enable the built extension; raises RuntimeError with Blender's words."""
        line = ["blender", "--command", "extension", "install-file", "-r", "user_default"]
        done = self.run([*line, "--enable", str(package)], seconds=180, size="none")
        if done.code != 0 or "Error" in done.output:
            raise RuntimeError(f"{package} cannot be installed: {done.output}")

    def link(self) -> None:
        """Let Blender find the working tree itself, without a zip."""
        place = self.home / ".config" / "blender" / self.version / "extensions" / "user_default"
        place.mkdir(parents=True, exist_ok=True)
        (place / "strip_stylizer").unlink(missing_ok=True)
        (place / "strip_stylizer").symlink_to(ROOT)

    def play(
        self,
        script: Path,
        *arguments: str,
        seconds: float,
        size: str = SIZE,
        options: tuple[str, ...] = (),
        variables: dict[str, str] | None = None,
        bound: tuple[Path, ...] = (),
    ) -> Ended:
        """Open the video editing workspace in a window of ``size`` and let ``script`` drive it."""
        start = ["blender", "--app-template", "Video_Editing", "--gpu-backend", "opengl"]
        window = ["--window-geometry", "0", "0", *size.split("x"), "--enable-event-simulate"]
        first = Path(__file__).with_name("start.py")
        line = [*start, *window, *options, "--python", str(first), "--", str(script), *arguments]
        return self.run(line, seconds=seconds, size=size, variables=variables, bound=bound)


def chroot_of(version: str) -> Path:
    """Return the folder with the small system that has this Blender."""
    return ROOT / ".venvs" / "gui" / SUITES[version]


def real_engine() -> dict[str, Any]:
    """Return the arguments of `Window.play` for jobs that compute, with this Python's packages."""
    return {
        "variables": {"STRIP_STYLIZER_PYTHON": sys.executable, "STRIP_STYLIZER_REHEARSE": ""},
        "bound": (Path(sys.base_prefix), Path(sys.prefix).resolve()),
    }


def newest_zip() -> Path:
    """Return the extension as it was built last; exits where there is none for this system."""
    found = [*(ROOT / "build").glob("strip_stylizer-*.zip")]
    fitting = [path for path in found if "-" not in path.stem.partition("-")[2]]
    fitting += [path for path in found if path.stem.endswith("linux_x64")]
    if not fitting:
        sys.exit("build/ holds no zip of the extension: run make zip first.")
    return max(fitting, key=lambda path: path.stat().st_mtime)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", choices=SUITES)
    parser.add_argument("script", type=Path, help="a script that plays a generator")
    parser.add_argument("--seconds", type=float, default=300, help="hard limit")
    parser.add_argument("--size", default=SIZE, help="of the window, WIDTHxHEIGHT")
    parser.add_argument("--out", type=Path, help="folder for screenshots")
    parser.add_argument("--zip", type=Path, help="the extension; without it the newest in build/")
    parser.add_argument("--tree", action="store_true", help="the working tree, without a zip")
    parser.add_argument("--home", type=Path, help="folder of the user; without it a fresh one")
    parser.add_argument("--engine", action="store_true", help="jobs compute, they do not rehearse")
    parser.add_argument("--rest", nargs="*", default=[], help="arguments for the script")
    return parser.parse_args()


def main() -> int:
    """Play one script; returns its exit code."""
    options = arguments()
    if not (chroot_of(options.version) / "ready").exists():
        print("There is no Blender with a window yet: run make gui-setup.", file=sys.stderr)
        return CANNOT_BE_SET_UP
    (ROOT / "build" / "gui").mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="home-", dir=ROOT / "build" / "gui"))
    pictures = (options.out or ROOT / "build" / "gui" / options.version).absolute()
    window = Window(options.version, (options.home or fresh).absolute(), pictures)
    try:
        if options.tree:
            window.link()
        else:
            window.install((options.zip or newest_zip()).absolute())
        script = options.script.absolute()
        more: dict[str, Any] = real_engine() if options.engine else {"bound": ()}
        if not script.is_relative_to(ROOT):
            more["bound"] += (script.parent,)
        done = window.play(
            script, *options.rest, seconds=options.seconds, size=options.size, **more
        )
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    print(done.output)
    return done.code


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
