"""``blender --command strip_stylizer VERB``: the extension without a window.

Exit codes: 0 done, 1 failed, 2 bad usage, 130 stopped. Sentences go to stderr, results to stdout.
"""

import argparse
import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from ..engine.client import builds, process, verbs
from . import environment, folders, properties, session, strips

NAME = "strip_stylizer"
NARRATION_SECONDS = 2.0
FAILED, BAD_USAGE, STOPPED = 1, 2, 130


class Failure(Exception):
    """Something the user is told in a sentence."""


def run(arguments: list[str]) -> int:
    """Run one verb; Blender ends with what this returns."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    # Blender's own answer to the first Ctrl-C is heard by nobody without a window.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return options.run(options) or 0
    except Failure as error:
        print(f"error: {error}", file=sys.stderr)
    except RuntimeError as error:  # what an operator reports
        if KeyboardInterrupt.__name__ in str(error):
            return STOPPED
        print(f"error: {str(error).removeprefix('Error: ').strip()}", file=sys.stderr)
    except KeyboardInterrupt:
        return STOPPED
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
    return FAILED


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    top = argparse.ArgumentParser(
        prog=f"blender --command {NAME}",
        description="Restyle an object in a video from a text.",
        epilog="Exit codes: 0 done, 1 failed, 2 bad usage, 130 stopped.",
    )
    verbs = top.add_subparsers(required=True, metavar="VERB")
    add_stylize(verbs)
    install = verbs.add_parser("install", help="install the engine, or go on installing it")
    install.add_argument("--from", dest="folder", type=Path, help="an offline folder")
    install.add_argument("--build", choices=builds.BUILDS, help="the build of PyTorch")
    install.set_defaults(run=install_engine)
    offline = verbs.add_parser("offline-folder", help="download the packages into a folder")
    offline.add_argument("folder", type=Path)
    offline.set_defaults(run=make_folder)
    verify = verbs.add_parser("verify", help="let the engine compute something")
    verify.set_defaults(run=verify_engine)
    uninstall = verbs.add_parser("uninstall", help="delete the engine; jobs and results stay")
    uninstall.set_defaults(run=uninstall_engine)
    info = verbs.add_parser("info", help="versions, state of the engine, folders and their sizes")
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=show_info)
    return top


def add_stylize(verbs: Any) -> None:
    """Add the verb that stylizes."""
    verb = verbs.add_parser("stylize", help="restyle a strip of a .blend file, or a media file")
    verb.add_argument("source", type=Path, help="a .blend file, a movie, or a folder of images")
    verb.add_argument("--strip", help="name of the strip in the .blend; else its active strip")
    verb.add_argument("--scene", help="name of the scene in the .blend; else all are searched")
    verb.add_argument("--global-text", default="", help="what the object becomes")
    verb.add_argument("--local-text", default="", help="what it looks like from close by")
    verb.add_argument("--preset", choices=[item[0] for item in properties.PRESET_ITEMS])
    verb.add_argument("--masks", type=Path, help="folder with masks, white on black")
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
        wanted |= {"mask_source": "files", "mask_path": str(options.masks.absolute())}
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
    line += ["--masks", str(options.masks.absolute())] if options.masks else []
    line += ["--box", options.box] if options.box else []
    line += ["--set", f"seed={options.seed}"] if options.seed >= 0 else []
    clean = process.environment(folders.ROOT, online=bpy.app.online_access)
    return subprocess.run(line, env=clean, check=False).returncode


def numbers(text: str) -> list[int]:
    """Read FRAME,X,Y,WIDTH,HEIGHT."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != 5:
        raise Failure(f"--box {text}: expected FRAME,X,Y,WIDTH,HEIGHT, such as 0,40,30,120,90")
    return found


def install_engine(options: argparse.Namespace) -> int:
    """Install the engine and say how large it is."""
    preferences = folders.preferences()
    if options.build and preferences is not None:
        preferences.torch_build = options.build
    if options.folder:
        with narrated():
            bpy.ops.strip_stylizer.engine_install_folder(directory=str(options.folder.absolute()))
    else:
        demand_network()
        with narrated():
            bpy.ops.strip_stylizer.engine_install()
    print(f"installed in {folders.environment().folder}")
    return 0


def make_folder(options: argparse.Namespace) -> int:
    """Fill an offline folder."""
    demand_network()
    with narrated():
        bpy.ops.strip_stylizer.engine_folder(directory=str(options.folder.absolute()))
    print(options.folder.absolute())
    return 0


@contextlib.contextmanager
def narrated() -> Iterator[None]:
    """While an operator waits for an installation, print what goes on."""
    ended = threading.Event()

    def tell() -> None:
        said = ""
        while not ended.wait(NARRATION_SECONDS):
            setup = session.state.setup
            if setup is not None and not setup.ended and setup.label != said:
                said = setup.label
                print(said, file=sys.stderr, flush=True)

    narrator = threading.Thread(target=tell, daemon=True)
    narrator.start()
    try:
        yield
    finally:
        ended.set()
        narrator.join()
        for note in session.state.setup.notes if session.state.setup else []:
            print(note, file=sys.stderr)


def demand_network() -> None:
    """Raise Failure where Blender may not go online."""
    if not bpy.app.online_access:
        raise Failure(f"{environment.offline_reason()}, or start Blender with --online-mode")


def verify_engine(options: argparse.Namespace) -> int:
    """Let the engine compute something, and print what it is."""
    bpy.ops.strip_stylizer.engine_verify()
    facts = session.state.setup.facts if session.state.setup else {}
    print(json.dumps(facts, indent=1))
    return 0


def uninstall_engine(options: argparse.Namespace) -> int:
    """Delete the engine."""
    before = sum(verbs.sizes(folders.workspace()).values())
    bpy.ops.strip_stylizer.engine_uninstall()
    session.refresh_engine()
    freed = before - sum(verbs.sizes(folders.workspace()).values())
    print(f"the engine is {session.engine()}; {environment.in_words(freed)} were deleted")
    return 0


def show_info(options: argparse.Namespace) -> int:
    """Print what is to be known for a report."""
    session.refresh_engine()
    bpy.ops.strip_stylizer.storage_measure()
    facts = {
        "extension": folders.version(),
        "blender": bpy.app.version_string,
        "engine": session.engine(),
        "python": str(folders.engine_python() or ""),
        "environment": folders.environment().marker(),
        "workspace": str(folders.workspace()),
        "sizes": session.state.storage,
        "online": bpy.app.online_access,
    }
    if options.json:
        print(json.dumps(facts))
        return 0
    for name, value in facts.items():
        print(f"{name}: {value}")
    return 0


class Command:
    """Blender's handle of the command, while the extension is enabled."""

    handle: Any = None


def attach() -> None:
    """Let Blender know the command."""
    Command.handle = bpy.utils.register_cli_command(NAME, run)


def detach() -> None:
    """Let Blender forget the command."""
    if Command.handle is not None:
        bpy.utils.unregister_cli_command(Command.handle)
    Command.handle = None
