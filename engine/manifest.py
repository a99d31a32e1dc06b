"""The version, read from the one place that states it: the extension's manifest."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path

MANIFEST = Path(__file__).parent.parent / "blender_manifest.toml"


@functools.cache
def version() -> str:
    """Return the version of this engine."""
    try:
        return tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["version"]
    except (OSError, KeyError):
        return "0.0.0"
