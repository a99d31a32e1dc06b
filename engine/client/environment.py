"""The engine's own Python environment: create it, install into it, prove that it works.

An installation is a list of commands that the host runs one after the other, so that its window
never waits. It builds beside the final folder and is renamed when the last command has succeeded.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from . import process

MARKER = "strip-stylizer.json"
REQUIREMENTS = "requirements.txt"
NEEDED_BYTES = 8 * 2**30


class State(Enum):
    """What is to be said of an environment."""

    NOT_INSTALLED = "not installed"
    INCOMPLETE = "incomplete"
    READY = "ready"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class Step:
    """One command of an installation."""

    label: str
    command: list[str]


@dataclass(frozen=True)
class Environment:
    """A folder with a Python environment that can run the engine."""

    folder: Path

    @property
    def partial(self) -> Path:
        """Where the environment is built before it gets its name."""
        return self.folder.with_name(self.folder.name + ".partial")

    @property
    def python(self) -> Path:
        """The interpreter."""
        return python_of(self.folder)

    def state(self, version: str) -> State:
        """Describe the environment; ``version`` is that of the engine that wants to use it."""
        try:
            marker = json.loads((self.folder / MARKER).read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError):
            there = self.partial.exists() or self.folder.exists()
            return State.INCOMPLETE if there else State.NOT_INSTALLED
        if not self.python.is_file():  # also where it links to a Python that was removed
            return State.INCOMPLETE
        return State.READY if marker.get("version") == version else State.OUTDATED

    def missing_space(self) -> int:
        """Return how many bytes the disk lacks for an installation, 0 where there is room."""
        parent = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        return max(0, NEEDED_BYTES - shutil.disk_usage(parent).free)

    def steps(self, base_python: Path, engine_root: Path) -> list[Step]:
        """Return the commands that install the engine; run them in order, then call `finish`.

        ``base_python`` is an interpreter of at least 3.11 that has the module venv.
        """
        python = str(python_of(self.partial))
        requirements = str(engine_root / "engine" / REQUIREMENTS)
        pip = [python, "-m", "pip"]
        quiet = ["--disable-pip-version-check", "--no-input"]
        return [
            Step("Creating the environment", [str(base_python), "-m", "venv", str(self.partial)]),
            Step(
                "Downloading and installing packages",
                [*pip, "install", *quiet, "--require-hashes", "-r", requirements],
            ),
            Step("Checking the installation", [python, "-P", "-m", "engine", "check"]),
        ]

    def finish(self, version: str) -> None:
        """Give the built environment its name."""
        marker = json.dumps({"version": version})
        (self.partial / MARKER).write_text(marker, encoding="utf-8")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.partial.replace(self.folder)

    def remove(self) -> None:
        """Delete the environment and what is left of unfinished ones."""
        for folder in (self.folder, self.partial):
            shutil.rmtree(folder, ignore_errors=True)


def python_of(folder: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    if sys.platform == "win32":
        return folder / "Scripts" / "python.exe"
    return folder / "bin" / "python"


def start_step(step: Step, engine_root: Path, log: Path) -> subprocess.Popen:
    """Start one command of an installation; its output is added to ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            step.command,
            env=process.environment(engine_root),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def check(python: Path, engine_root: Path, *, seconds: float = 120) -> dict:
    """Ask an environment what it can do: device, versions, weights.

    Raises OSError where ``python`` cannot be started, ValueError with the reason where it cannot
    run the engine.
    """
    try:
        done = subprocess.run(
            [str(python), "-P", "-m", "engine", "check", "--json"],
            env=process.environment(engine_root),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"{python} did not answer within {seconds:.0f} s") from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise ValueError(lines[-1])
    return json.loads(done.stdout)
