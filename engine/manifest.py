"""Versions: of this engine, from the extension's manifest, and of the packages below it."""

from __future__ import annotations

import functools
import importlib.metadata
import tomllib
from pathlib import Path

MANIFEST = Path(__file__).parent.parent / "blender_manifest.toml"
PACKAGES = (
    "torch", "open_clip_torch", "numpy", "opencv-python-headless", "imageio", "imageio-ffmpeg",
    "safetensors",
)  # fmt: skip


@functools.cache
def version() -> str:
    """Return the version of this engine."""
    try:
        return tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["version"]
    except (OSError, KeyError):
        return "0.0.0"


def versions() -> dict[str, str]:
    """Return the versions of the packages that a result depends on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return found
