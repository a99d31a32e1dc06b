"""Other languages: files ``languages/<locale>.json`` in this extension, English to that language.

A file is one object: each English label, tooltip or message, and what it is called there. There
is none yet; whoever writes one needs no code.
"""

import json

import bpy

from ..operators.folders import PACKAGE, ROOT

FOLDER = "languages"


def read() -> dict[str, dict[tuple[str, str], str]]:
    """Return what Blender wants to know: for each locale the words in each context."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for path in sorted((ROOT / FOLDER).glob("*.json")):
        words = json.loads(path.read_text(encoding="utf-8"))
        contexts = ("*", "Operator")
        found[path.stem] = {(c, text): other for text, other in words.items() for c in contexts}
    return found


def attach() -> None:
    """Let Blender know the words."""
    bpy.app.translations.register(PACKAGE, read())


def detach() -> None:
    """Let Blender forget them."""
    bpy.app.translations.unregister(PACKAGE)
