"""``blender --command strip_stylizer VERB``: the extension without a window.

Exit codes: 0 done, 1 failed, 2 bad usage, 130 stopped. Sentences go to stderr, results to stdout.
"""

import argparse
import signal
import sys
from typing import Any

import bpy

from .engine_verbs import add_verbs
from .failure import Failure
from .stylizing import add_stylize

NAME = "strip_stylizer"
FAILED, STOPPED = 1, 130


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
    add_verbs(verbs)
    return top


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
