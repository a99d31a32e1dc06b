"""Strips that only Blender can read are rendered by a second, windowless Blender.

The frames land in a folder named after their content, so that the same frames are the same
footage for the engine, however often they are rendered.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..engine.contract import files
from ..engine.contract.job import Footage, FootageKind
from ..engine.contract.settings import DEEP_FORMATS
from . import baking_child, properties, strips

LOG = "blender.log"


@dataclass
class Baking:
    """One rendering of a strip by a second Blender."""

    process: subprocess.Popen
    folder: Path
    total: int
    frames_per_second: float

    @property
    def done(self) -> int:
        """How many frames have been rendered."""
        return len(strips.result_files(self.folder))


def start(scene: Any, strip: Any, job_folder: Path) -> Baking:
    """Start to render all visible frames of ``strip`` below ``job_folder``.

    They are the strip as displayed where it is read so, else its bare media, always with alpha.
    """
    order = {
        "scene": scene.name,
        "strip": strip.name,
        "start": strips.start(strip),
        "length": strips.length(strip),
        "size": strips.picture_size(strip),
        "displayed": strips.is_displayed(strip),
        "depth": "16" if properties.of(strip).settings.render.format in DEEP_FORMATS else "8",
    }
    return launch(order, scene, job_folder)


def start_live(scene: Any, source: Any, name: str, length: int, job_folder: Path) -> Baking:
    """Start to render the live take ``name`` over its ``source``, at the source's own size.

    Raises Unusable where it is gone or has another length by now.
    """
    live = next((each for each in strips.all_strips(scene) if each.name == name), None)
    if live is None or strips.length(live) != length:
        raise strips.Unusable(f"The live take {name} is gone or was trimmed: bake it again")
    order = {
        "scene": scene.name,
        "strip": live.name,
        "below": source.name,
        "start": strips.start(live),
        "length": length,
        "size": strips.picture_size(source),
        "displayed": strips.is_displayed(source),
        "depth": "16" if properties.of(source).settings.render.format in DEEP_FORMATS else "8",
    }
    return launch(order, scene, job_folder)


def launch(order: dict, scene: Any, job_folder: Path) -> Baking:
    """Let a second Blender render a strip of ``scene`` as ``order`` says."""
    work = job_folder / "baking"
    files.check_plain(work)
    shutil.rmtree(work, ignore_errors=True)
    frames = work / "frames"
    frames.mkdir(parents=True)
    blend = work / "strip.blend"
    bpy.context.view_layer.update()  # Blender 5.2 crashes where a scene has only just been made
    bpy.data.libraries.write(str(blend), {scene}, path_remap="ABSOLUTE", fake_user=True)
    order = {**order, "blend": str(blend), "folder": str(frames)}
    files.write_text(work / "order.json", json.dumps(order))
    files.write_bytes(job_folder / LOG, b"")
    with os.fdopen(files.open_plain(job_folder / LOG, os.O_WRONLY), "wb") as log:
        process = subprocess.Popen(
            command(work / "order.json"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return Baking(process, frames, order["length"], strips.frame_rate(scene))


def command(order: Path) -> list[str]:
    """Return the command line of the second Blender; the module bpy is one without a binary."""
    child = os.fspath(baking_child.__file__)
    if not bpy.app.binary_path:
        return [sys.executable, child, "--", str(order)]
    flags = ["-b", "--factory-startup", "--offline-mode", "--python-exit-code", "7"]
    return [bpy.app.binary_path, *flags, "--python", child, "--", str(order)]


def finish(baking: Baking, workspace: Path) -> Footage:
    """Return the rendered frames as footage, kept in ``workspace``.

    Raises Unusable where frames are missing.
    """
    _check_whole(baking)
    kept = workspace / "baked" / digest(baking.folder)
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        baking.folder.replace(kept)
    discard(baking)
    names = tuple(strips.result_files(kept))
    indices = tuple(range(len(names)))
    return Footage(FootageKind.IMAGES, str(kept), names, indices, baking.frames_per_second)


def hand_over(baking: Baking, folder: Path) -> None:
    """Let ``folder`` be what was rendered; raises Unusable where frames are missing."""
    _check_whole(baking)
    files.replace_folder(baking.folder, folder)
    discard(baking)


def _check_whole(baking: Baking) -> None:
    if baking.process.returncode != 0 or baking.done != baking.total:
        raise strips.Unusable(
            f"Blender rendered {baking.done} of the strip's {baking.total} frames; "
            f"{baking.folder.parent.with_name(LOG)} tells why"
        )


def discard(baking: Baking) -> None:
    """End the rendering if it runs and delete its files; the log stays."""
    if baking.process.poll() is None:
        baking.process.kill()
        baking.process.wait()
    shutil.rmtree(baking.folder.parent, ignore_errors=True)


def digest(folder: Path) -> str:
    """Return a name for the names and contents of a folder's frames."""
    whole = hashlib.sha256()
    for name in strips.result_files(folder):
        whole.update(name.encode())
        whole.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return whole.hexdigest()[:20]
