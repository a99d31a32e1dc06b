"""The verbs that install, check and remove the engine, and say what is here."""

import argparse
import contextlib
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from ...engine.client import builds, verbs
from .. import folders, session, setting_up, sizes
from .failure import Failure

NARRATION_SECONDS = 2.0


def add_verbs(verbs: Any) -> None:
    """Add the verbs about the engine."""
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


def install_engine(options: argparse.Namespace) -> int:
    """Install the engine and say how large it is."""
    preferences = folders.preferences()
    if options.build and preferences is not None:
        preferences.torch_build = options.build
    if options.folder:
        with narrate():
            bpy.ops.strip_stylizer.engine_install_folder(directory=str(options.folder.absolute()))
    else:
        demand_network()
        with narrate():
            bpy.ops.strip_stylizer.engine_install()
    print(f"installed in {folders.environment().folder}")
    return 0


def make_folder(options: argparse.Namespace) -> int:
    """Fill an offline folder."""
    demand_network()
    with narrate():
        bpy.ops.strip_stylizer.engine_folder(directory=str(options.folder.absolute()))
    print(options.folder.absolute())
    return 0


@contextlib.contextmanager
def narrate() -> Iterator[None]:
    """While an operator waits for an installation, print what goes on."""
    ended = threading.Event()

    def print_changes() -> None:
        said = ""
        while not ended.wait(NARRATION_SECONDS):
            setup = session.state.setup
            if setup is not None and not setup.ended and setup.label != said:
                said = setup.label
                print(said, file=sys.stderr, flush=True)

    narrator = threading.Thread(target=print_changes, daemon=True)
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
        raise Failure(f"{setting_up.offline_reason()}, or start Blender with --online-mode")


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
    print(f"the engine is {session.engine()}; {sizes.in_words(freed)} were deleted")
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
