"""Installing the engine: a row of commands that a host runs one after the other, never waiting.

resolve (uv says which files), fetch (we download them, resuming and counting), install (uv, from
the disk, by hash), check (something is computed), finish (the folder gets its name). The commands
that are ours are in `verbs`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..contract import variables
from . import builds, process
from .environment import LOCK, Environment, python_of

PYLOCK = "pylock.toml"
INSTALL_LIST = "install.txt"
CONSTRAINTS = "constraints.txt"
WANTED = LOCK.with_name("requirements.in")
PROGRESS = "progress.json"
OLDEST, NEWEST = (3, 11), (3, 14)  # the Pythons that all locked packages have files for
MANAGED = "3.12"
VERBS = "engine.client.verbs"


@dataclass(frozen=True)
class Step:
    """One command of an installation; ``otherwise`` is tried where it fails."""

    label: str
    command: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    progress: Path | None = None
    otherwise: Step | None = None
    note: str = ""


@dataclass(frozen=True)
class Network:
    """How packages are reached: empty for what the system says."""

    index_url: str = ""
    extra_index: str = ""
    ca_bundle: str = ""

    @property
    def options(self) -> list[str]:
        """The options for uv."""
        line = ["--default-index", self.index_url] if self.index_url else []
        if Path(self.extra_index).is_dir() and self.extra_index:
            return [*line, "--find-links", self.extra_index]
        if self.extra_index:
            line += ["--index", self.extra_index]
        return line

    @property
    def variables(self) -> dict[str, str]:
        """The variables for whatever goes online."""
        return {"SSL_CERT_FILE": self.ca_bundle} if self.ca_bundle else {}


@dataclass(frozen=True)
class Plan:
    """All that the commands of an installation depend on.

    ``uv`` is None where the extension carries none for this system; ``base_python`` is the host's
    interpreter, which runs our own verbs too.
    """

    environment: Environment
    engine_root: Path
    base_python: Path
    version: str
    uv: Path | None = None
    base_version: tuple[int, int] = sys.version_info[:2]
    build: str = "automatic"
    network: Network = Network()

    def online(self) -> list[Step]:
        """Return the commands that install from the network; raises ValueError with a sentence."""
        if self.uv is None:
            return [*self._with_pip(), *self._end("locked")]
        backend = builds.backend(self.build, builds.this_computer())
        partial = self.environment.partial
        return [
            self._venv(),
            *self._resolve(backend, partial, python_of(partial)),
            self._fetch(self.environment.packages, backend, pylock=partial / PYLOCK),
            self._install(),
            *self._end(backend or "locked"),
        ]

    def offline(self, folder: Path) -> list[Step]:
        """Return the commands that install from a folder of `collect`, without any network."""
        self._demand_uv("install from a folder")
        chosen = {"folder": folder, "install_list": self._list, "build": self.build}
        return [
            self._venv(offline=True),
            self._verb("Checking the folder", "accept", **chosen),
            self._install(),
            *self._end("offline folder"),
        ]

    def collect(self, folder: Path) -> list[Step]:
        """Return the commands that fill an offline folder for computers like this one."""
        self._demand_uv("make an offline folder")
        backend = builds.backend(self.build, builds.this_computer())
        return [
            *self._resolve(backend, folder, self.base_python),
            self._fetch(folder, backend, pylock=folder / PYLOCK),
        ]

    def _demand_uv(self, purpose: str) -> None:
        if self.uv is None:
            raise ValueError(
                f"This zip of the extension carries no uv and cannot {purpose}: take the zip for "
                "your system"
            )

    @property
    def _list(self) -> Path:
        return self.environment.partial / INSTALL_LIST

    def _venv(self, *, offline: bool = False) -> Step:
        label, variables = "Creating the environment", self._variables()
        line = [str(self.uv), "venv", "--quiet", "--clear", "--no-project"]
        line += [str(self.environment.partial), "--python"]
        own = [*line, str(self.base_python), "--no-python-downloads", "--offline"]
        managed = Step("Downloading Python", [*line, MANAGED, "--managed-python"], variables)
        if offline:
            return Step(label, own, variables)
        if not OLDEST <= self.base_version <= NEWEST:
            return managed
        return Step(label, own, variables, otherwise=managed)

    def _resolve(self, backend: str, folder: Path, python: Path) -> list[Step]:
        label, variables = "Looking up the packages", self._variables()
        line = [str(self.uv), "pip", "compile", "--quiet", "--no-header", "--python", str(python)]
        line += ["--only-binary", ":all:", "--format", PYLOCK, *self.network.options]
        line += ["--output-file", str(folder / PYLOCK)]
        # Every hash is ours, so it does not matter which index a locked file comes from.
        locked = Step(label, [*line, "--index-strategy", "unsafe-best-match", str(LOCK)], variables)
        if not backend:
            return [locked]
        pins = folder / CONSTRAINTS
        line += ["--torch-backend", backend, "--constraints", str(pins), str(WANTED)]
        note = "PyTorch's own index cannot be reached, so the package index's build is taken"
        otherwise = locked if self.build == "automatic" else None
        return [
            self._verb("Preparing", "constrain", out=pins),
            Step(label, line, variables, otherwise=otherwise, note=note),
        ]

    def _fetch(self, folder: Path, backend: str, *, pylock: Path) -> Step:
        options: dict[str, Any] = {"pylock": pylock, "folder": folder, "build": backend or "locked"}
        if pylock.parent == self.environment.partial:
            options["install_list"] = self._list
        progress = self.environment.folder.with_name(PROGRESS)
        return self._verb("Downloading", "fetch", shown=progress, progress=progress, **options)

    def _install(self) -> Step:
        python = python_of(self.environment.partial)
        line = [str(self.uv), "pip", "install", "--quiet", "--offline", "--no-index", "--no-deps"]
        line += ["--require-hashes", "--python", str(python), "--requirements", str(self._list)]
        return Step("Installing packages", line, self._variables())

    def _with_pip(self) -> list[Step]:
        """Without uv: the locked build, by the pip that Blender's Python brings."""
        partial, network = self.environment.partial, self.network
        line = [str(python_of(partial)), "-m", "pip", "install", "--disable-pip-version-check"]
        line += ["--no-input", "--index-url", network.index_url] if network.index_url else []
        if network.extra_index:
            folder = Path(network.extra_index).is_dir()
            line += ["--find-links" if folder else "--extra-index-url", network.extra_index]
        line += ["--only-binary", ":all:", "--require-hashes", "--requirement", str(LOCK)]
        venv = [str(self.base_python), "-m", "venv", "--clear", str(partial)]
        return [
            Step("Creating the environment", venv),
            Step("Downloading and installing packages", line, network.variables),
        ]

    def _end(self, build: str) -> list[Step]:
        place = {"folder": self.environment.folder, "version": self.version, "build": build}
        return [
            check_step(python_of(self.environment.partial)),
            self._verb("Putting the engine in its place", "finish", **place),
        ]

    def _verb(self, label: str, verb: str, *, shown: Path | None = None, **options: Any) -> Step:
        line = [str(self.base_python), "-P", "-m", VERBS, verb]
        for name, value in options.items():
            line += [f"--{name.replace('_', '-')}", str(value)]
        return Step(label, line, self.network.variables, progress=shown)

    def _variables(self) -> dict[str, str]:
        home = self.environment.folder.parent
        return {
            "UV_CACHE_DIR": str(self.environment.packages / "unpacked"),
            "UV_PYTHON_INSTALL_DIR": str(home / "python"),
            "UV_SYSTEM_CERTS": "1",
            **self.network.variables,
        }


def removal_step(base_python: Path, chosen: list[Path]) -> Step:
    """Return the command that deletes folders."""
    return Step("Deleting", [str(base_python), "-P", "-m", VERBS, "remove", *map(str, chosen)])


def check_step(python: Path, weights: Path | None = None) -> Step:
    """Return the command that proves that an environment can run the engine.

    It examines the CLIP weights in the folder ``weights``, too.
    """
    line = [str(python), "-P", "-m", "engine", "check", "--json"]
    there = {variables.WEIGHTS: str(weights)} if weights else {}
    return Step("Letting the engine compute something", line, there)


def start(step: Step, engine_root: Path, log: Path) -> subprocess.Popen:
    """Start one command; its output is added to ``log``. Raises OSError where that fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    flags: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        group = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        flags = {"creationflags": group}
    with log.open("ab") as output:
        return subprocess.Popen(
            step.command,
            env=process.environment(engine_root) | _of_package_tools() | step.variables,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **flags,
        )


def _of_package_tools() -> dict[str, str]:
    """Return what the user told pip and uv, such as an index with a password: no job needs it."""
    return {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))}


def stop(running: subprocess.Popen) -> None:
    """End a command with all that it started."""
    if running.poll() is not None:
        return
    if sys.platform == "win32":
        running.kill()
    else:
        os.killpg(running.pid, signal.SIGKILL)
    running.wait(timeout=10)
