"""Runs inside one Blender: shows each medium as a strip, and says how the extension reads it.

    PYTHON_OF_BPY benchmarks/media/in_blender.py ORDERS FOLDER [everything]

``ORDERS`` has the path of one medium in each line. For each, one line of JSON comes back in
``FOLDER``/said.jsonl: ``rendered`` by the second Blender, or the ``footage`` that the engine gets,
and the frames that Blender itself renders, in ``FOLDER``. A line with ``begun`` comes first: where
Blender crashes on a medium, nothing else does.
"""

import importlib
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXTENSION = "bl_ext.user_default.strip_stylizer"
MOST_SIDE = 1200
IMAGE_FRAMES, MOVIE_FRAMES = 2, 4

USER = Path(tempfile.mkdtemp(prefix="strip-stylizer-"))
os.environ["BLENDER_USER_RESOURCES"] = str(USER / "blender")
os.environ["STRIP_STYLIZER_WORKSPACE"] = str(USER / "workspace")
import bpy  # noqa: E402  reads the variables


def part(name: str):
    """Return a module of the enabled extension."""
    import addon_utils

    if EXTENSION not in bpy.context.preferences.addons:
        repos = bpy.context.preferences.extensions.repos
        place = Path(next(repo.directory for repo in repos if repo.module == "user_default"))
        place.mkdir(parents=True, exist_ok=True)
        (place / "strip_stylizer").symlink_to(ROOT)
        importlib.invalidate_caches()
        addon_utils.enable(EXTENSION, default_set=True)
    return importlib.import_module(f"{EXTENSION}.{name}")


def strip_of(path: Path):
    """Return the scene and the strip of ``path``, as Blender makes them of a dropped file."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    kind = kind_of(path)
    if kind == "movie":
        strip = strips.new_movie("medium", str(path), 1, 1, fit_method="ORIGINAL")
        if strip.fps > 0:
            scene.render.fps = max(1, round(strip.fps))
            scene.render.fps_base = scene.render.fps / strip.fps
        return scene, strip, MOVIE_FRAMES
    strip = strips.new_image("medium", str(path), 1, 1, fit_method="ORIGINAL")
    strip.elements.append(path.name)
    return scene, strip, IMAGE_FRAMES


def kind_of(path: Path) -> str:
    """Is it a movie or an image for Blender's file browser?"""
    suffix = path.suffix.lower()
    return "movie" if suffix in bpy.path.extensions_movie else "image"


def shown(scene, strip, folder: Path, count: int) -> tuple[list[int], list[str]]:
    """Render the first frames of the bare strip, 8 bits; return their places and files."""
    child, strips = part("operators.baking_child"), part("operators.strips")
    size = strips.picture_size(strip)
    child.isolate(scene, strip.name, displayed=False)
    child.prepare(scene, *size, "8")
    first, length = strips.start(strip), strips.length(strip)
    places = sorted({min(place, length - 1) for place in (0, 1, length // 2, length - 1)})[:count]
    names = [str(folder / f"{place}.png") for place in places]
    for place, name in zip(places, names, strict=True):
        if not Path(name).exists():  # a run before this one has it
            scene.frame_set(first + place)
            scene.render.filepath = name
            bpy.ops.render.render(write_still=True, scene=scene.name)
    return places, names


def facts(path: Path, folder: Path, *, everything: bool) -> dict:
    """Say what becomes of a medium as a strip."""
    codec, strips = part("engine.contract.codec"), part("operators.strips")
    scene, strip, count = strip_of(path)
    width, height = strips.picture_size(strip)
    if not width or not height:
        return {"unusable": "Blender shows no picture"}
    if max(width, height) > MOST_SIDE:
        return {"unusable": "left out: too large for this benchmark"}
    reason = strips.why_unusable(strip)
    if reason:
        return {"unusable": reason}
    rendered = strips.needs_baking(scene, strip)
    found = {"size": [width, height], "rendered": rendered, "alpha": strip.alpha_mode}
    if not rendered:
        found["footage"] = codec.to_json(strips.footage(scene, strip))
    if rendered and not everything:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    found["places"], found["frames"] = shown(scene, strip, folder, count)
    return found


def main(orders: Path, folder: Path, *, everything: bool) -> None:
    """Work through the list."""
    with (folder / "said.jsonl").open("a", encoding="utf-8") as file:
        for line in orders.read_text(encoding="utf-8").splitlines():
            number, name = line.split(" ", 1)
            said = {"path": name, "begun": True}
            print(json.dumps(said), file=file, flush=True)
            said = {"path": name, **facts(Path(name), folder / number, everything=everything)}
            print(json.dumps(said), file=file, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), everything="everything" in sys.argv[3:])
    sys.stdout.flush()
    os._exit(0)  # some versions of the bpy module hang when the interpreter ends
