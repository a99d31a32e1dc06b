"""Where things are: the workspace, the jobs, the engine and its Python. Reads preferences only."""

import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import bpy

from ..engine.client.environment import Environment, State

PACKAGE = __package__.rpartition(".")[0]
ROOT = Path(__file__).parent.parent
PYTHON_VARIABLE = "STRIP_STYLIZER_PYTHON"
WORKSPACE_VARIABLE = "STRIP_STYLIZER_WORKSPACE"
REHEARSE_VARIABLE = "STRIP_STYLIZER_REHEARSE"
# Properties with paths that may begin with //, the folder of the .blend; before 4.5 all may.
RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()


def preferences() -> Any | None:
    """Return this extension's preferences, None where it is registered without being enabled."""
    addon = bpy.context.preferences.addons.get(PACKAGE)
    return addon.preferences if addon else None


def preference(name: str, default: Any) -> Any:
    """Return one preference, ``default`` where the extension is registered but not enabled."""
    return getattr(preferences(), name, default)


def version() -> str:
    """Return this extension's version."""
    return tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))["version"]


def default_workspace() -> Path:
    """Return a folder of the user's that outlives Blender's versions and this extension."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "StripStylizer"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "StripStylizer"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "strip-stylizer"


def workspace() -> Path:
    """Return the folder of jobs, cache and environment."""
    chosen = os.environ.get(WORKSPACE_VARIABLE) or getattr(preferences(), "workspace", "")
    return Path(bpy.path.abspath(chosen)).absolute() if chosen else default_workspace()


def weights() -> Path:
    """Return the folder of downloaded weights."""
    return workspace() / "weights"


def jobs() -> Path:
    """Return the folder with one folder for each job."""
    return workspace() / "jobs"


def cache() -> Path:
    """Return the folder of finished stages, which later jobs use again."""
    return workspace() / "cache"


def edits() -> Path:
    """Return the folder of pictures that were painted on, which takes are made from."""
    return workspace() / "edits"


def setup_log() -> Path:
    """Return the log of installations and checks."""
    return workspace() / "environment.log"


def environment() -> Environment:
    """Return the environment that Install Engine makes."""
    return Environment(workspace() / "environment")


def base_python() -> Path:
    """Return the Python that an environment is made from: Blender's own."""
    return Path(sys.executable)


def rehearses() -> bool:
    """Do jobs only rehearse? For tests and for work on the panels."""
    return bool(os.environ.get(REHEARSE_VARIABLE))


def engine_python() -> Path | None:
    """Return the Python that runs the engine, None where none is known. Looks at the disk."""
    chosen = os.environ.get(PYTHON_VARIABLE) or getattr(preferences(), "python_path", "")
    if chosen:
        path = Path(bpy.path.abspath(chosen))
        return path if path.is_file() else None
    ready = environment().state(version()) is State.READY
    return environment().python if ready else None


def engine_state() -> str:
    """Say what is to be said of the engine: ready, outdated, incomplete, not installed."""
    if engine_python() is not None:
        return State.READY.value
    if getattr(preferences(), "python_path", ""):
        return "no such Python"
    return environment().state(version()).value
