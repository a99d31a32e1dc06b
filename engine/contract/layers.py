"""The layer package: atlases, and for each frame where it reads them, as files for any program.

``docs/layer-package.md`` is its description. Standard library only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from . import files
from .codec import from_json, to_json
from .files import Refusal
from .job import BACKGROUND

VERSION = 1
MANIFEST = "layers.json"
EQUATION = (
    "frame = sum over all layers of UV.A * (atlas(UV.U, UV.V) * Light + Rest), all of them display "
    "colours (sRGB) as they are in the files"
)
UV = (
    "U to the right, V up, 0 to 1 over the atlas picture; the centre of texel (column, row from "
    "the bottom) of an atlas of N texels is at ((column + 0.5) / N, (row + 0.5) / N); read "
    "bilinearly"
)

CHECKS = 12  # of a checkerboard, along the longer side of what is seen of an atlas
# The pictures NAME/uv/00000.exr and so on of a live layer: U, V, and what detail multiplies the
# light by where all of it is kept; Light; Rest times alpha, and alpha: that part of what no nearer
# live layer hides.
LIVE_PICTURES = ("uv", "light", "rest")


@dataclass(frozen=True)
class PackageLayer:
    """One object, or what is behind all of them.

    ``name`` begins the names of its planes: NAME.UV.U, .V and .A, NAME.Light.R, .G and .B,
    NAME.Rest.R, .G and .B. ``atlas`` is the picture that the equation reads, ``source`` the
    footage's own; where texts or edits changed nothing they are one. ``stylized`` tells that texts
    changed it: then Light is the footage's shading. ``layer`` is its number as edits name it.
    ``live`` tells that it is among the live pictures; ``keep_detail`` is the setting that they and
    Light were made with, None where no detail is in the light.
    """

    name: str
    layer: int
    atlas: str
    source: str
    side: int
    stylized: bool = False
    live: bool = False
    keep_detail: float | None = None

    @property
    def is_background(self) -> bool:
        """Is it what lies behind all objects?"""
        return self.layer == BACKGROUND


@dataclass(frozen=True)
class LayerPackage:
    """What ``layers.json`` says. Names of files are relative to its folder.

    ``frame_files`` has one OpenEXR file for each frame, ``plates`` one picture: what the equation
    gives. What is empty was not asked for: ``mattes/NAME/00000.png``, ``st_maps/NAME/00000.exr``
    (frame to atlas) and ``inverse_st_maps/NAME/00000.exr`` (atlas to frame). ``live`` has three
    pictures for each frame of each layer that is `PackageLayer.live`: `LIVE_PICTURES`.
    """

    engine: str
    width: int
    height: int
    frames_per_second: float
    layers: tuple[PackageLayer, ...]
    frame_files: tuple[str, ...]
    plates: tuple[str, ...] = ()
    mattes: str = ""
    st_maps: str = ""
    inverse_st_maps: str = ""
    live: str = ""
    equation: str = EQUATION
    uv: str = UV
    version: int = VERSION

    @property
    def objects(self) -> tuple[PackageLayer, ...]:
        """The layers in front of the background."""
        return tuple(each for each in self.layers if not each.is_background)


def write_manifest(package: LayerPackage, folder: Path) -> None:
    """Write ``layers.json``."""
    files.write_text(folder / MANIFEST, json.dumps(to_json(package), indent=1, ensure_ascii=False))


def read_manifest(folder: Path) -> LayerPackage:
    """Read ``layers.json``; raises OSError, and Refusal where it is not one of this version."""
    data = files.read_json(folder / MANIFEST)
    version = data.get("version") if isinstance(data, dict) else None
    if version != VERSION:
        raise Refusal(f"layers.version: {version} is not {VERSION}, this extension's")
    package = from_json(LayerPackage, data, "layers")
    for each in package.layers:
        for name in (each.atlas, each.source):
            files.inside(folder, name)
    for name in (*package.frame_files, *package.plates):
        files.inside(folder, name)
    return package
