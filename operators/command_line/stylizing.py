"""The verb that stylizes: a strip of a .blend file here, a media file by the engine alone."""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy

from ...engine.client import process
from ...engine.contract.codec import mask_source
from .. import folders, properties, strips
from .failure import Failure

BAD_USAGE = 2


def add_stylize(verbs: Any) -> None:
    """Add the verb that stylizes."""
    verb = verbs.add_parser("stylize", help="restyle a strip of a .blend file, or a media file")
    verb.add_argument("source", type=Path, help="a .blend file, a movie, or a folder of images")
    verb.add_argument("--strip", help="name of the strip in the .blend; else its active strip")
    verb.add_argument("--scene", help="name of the scene in the .blend; else all are searched")
    verb.add_argument("--global-text", default="", help="what the object becomes")
    verb.add_argument("--local-text", default="", help="what it looks like from close by")
    verb.add_argument("--preset", choices=[item[0] for item in properties.PRESET_ITEMS])
    verb.add_argument("--masks", help="DIR or DIR:NUMBER: masks, white on black or labelled")
    verb.add_argument("--invert-masks", action="store_true", help="the object is black in them")
    verb.add_argument("--box", help="FRAME,X,Y,WIDTH,HEIGHT in pixels")
    verb.add_argument("--seed", type=int, default=-1)
    verb.add_argument("--out", type=Path, help="folder for the frames; needed for a media file")
    verb.add_argument("--save", type=Path, help="where to save the .blend; else over itself")
    verb.set_defaults(run=stylize)


def stylize(options: argparse.Namespace) -> int:
    """Restyle a strip, or a media file."""
    if not options.source.exists():
        raise Failure(f"{options.source} is not there")
    if options.source.suffix.lower() == ".blend":
        return stylize_strip(options)
    return stylize_media(options)


def stylize_strip(options: argparse.Namespace) -> int:
    """Open the file, restyle the strip, save the file with the result in it."""
    bpy.ops.wm.open_mainfile(filepath=str(options.source.absolute()))
    strip = the_strip(options)
    if hasattr(bpy.context, "sequencer_scene") and bpy.context.workspace:
        bpy.context.workspace.sequencer_scene = strip.id_data
    elif bpy.context.window:
        bpy.context.window.scene = strip.id_data
    strips.make_active(strip)
    wanted: dict[str, Any] = {"seed": options.seed, "wait": True}
    for name in ("global_text", "local_text", "preset"):
        if getattr(options, name):
            wanted[name] = getattr(options, name)
    if options.masks:
        path, label = mask_source(options.masks)
        wanted |= {"mask_source": "files", "mask_path": path, "mask_label": label}
        wanted["mask_inverted"] = options.invert_masks
    if options.box:
        wanted |= {"mask_source": "box", "box": numbers(options.box)}
    if options.out:
        wanted["output_folder"] = str(options.out.absolute())
    if bpy.ops.strip_stylizer.stylize(**wanted) != {"FINISHED"}:
        raise Failure("The job was not finished; its log is in the workspace")
    target = (options.save or options.source).absolute()
    bpy.ops.wm.save_as_mainfile(filepath=str(target), check_existing=False)
    print(target)
    return 0


def the_strip(options: argparse.Namespace) -> Any:
    """Return the strip that is meant."""
    scenes = [s for s in bpy.data.scenes if options.scene in (None, s.name)]
    if not scenes:
        raise Failure(f"There is no scene {options.scene} in {options.source}")
    if options.strip is None:
        strip = strips.active_strip(bpy.context)
        if strip is None or strip.id_data not in scenes:
            raise Failure("The file has no active strip: name one with --strip")
        return strip
    for scene in scenes:
        for strip in strips.all_strips(scene):
            if strip.name == options.strip:
                return strip
    names = ", ".join(strip.name for scene in scenes for strip in strips.all_strips(scene))
    raise Failure(f"There is no strip {options.strip}; there are: {names or 'none'}")


def stylize_media(options: argparse.Namespace) -> int:
    """Let the engine's own command line do it: a media file needs no edit."""
    python = folders.engine_python()
    if python is None:
        raise Failure("The engine is not installed: run the verb install first")
    if options.out is None or not options.global_text:
        print("error: a media file needs --global-text and --out", file=sys.stderr)
        return BAD_USAGE
    line = [str(python), "-P", "-m", "engine", "stylize", str(options.source.absolute())]
    line += ["--global-text", options.global_text, "--local-text", options.local_text]
    line += ["--preset", options.preset or properties.DEFAULT_PRESET]
    line += ["--out", str(options.out.absolute()), "--cache", str(folders.cache())]
    line += ["--masks", options.masks] if options.masks else []
    line += ["--invert-masks"] if options.invert_masks else []
    line += ["--box", options.box] if options.box else []
    line += ["--set", f"seed={options.seed}"] if options.seed >= 0 else []
    return run_engine(line, options.out.absolute())


def run_engine(line: list[str], job: Path) -> int:
    """Run the engine's command for the folder ``job``; Ctrl-C lets it stop by itself.

    Returns its exit code. A second Ctrl-C waits no longer.
    """
    clean = process.environment(folders.ROOT, online=bpy.app.online_access)
    with subprocess.Popen(line, env=clean) as engine:
        try:
            return engine.wait()
        except KeyboardInterrupt:
            if job.is_dir():
                process.request_stop(job)
            else:
                engine.terminate()
            return engine.wait()


def numbers(text: str) -> list[int]:
    """Read FRAME,X,Y,WIDTH,HEIGHT."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != 5:
        raise Failure(f"--box {text}: expected FRAME,X,Y,WIDTH,HEIGHT, such as 0,40,30,120,90")
    return found
