"""Other languages: files ``languages/<locale>.json`` in this extension, English to that language.

A file is one object: each English label, tooltip or message, and what it is called there. What
stands in braces is filled in later and stays as it is. ``python -m tools.texts`` lists what a
file should hold.
"""

import json
from typing import Any

import bpy

from .folders import PACKAGE, ROOT

FOLDER = ROOT / "languages"
CONTEXTS = ("*", "Operator")


def read() -> dict[str, dict[tuple[str, str], str]]:
    """Return what Blender wants to know: for each locale the words in each context."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for path in sorted(FOLDER.glob("*.json")):
        words = json.loads(path.read_text(encoding="utf-8"))
        known = {text: other for text, other in words.items() if other}
        found[path.stem] = {(c, text): other for text, other in known.items() for c in CONTEXTS}
    return found


def say(text: str, **values: Any) -> str:
    """Return ``text`` in the language of the interface, its places in braces filled in.

    Words among the values are translated too.
    """
    translate = bpy.app.translations.pgettext_iface
    translated = {name: translate(v) if isinstance(v, str) else v for name, v in values.items()}
    text = translate(text)
    return text.format(**translated) if values else text


def attach() -> None:
    """Let Blender know the words."""
    bpy.app.translations.register(PACKAGE, read())


def detach() -> None:
    """Let Blender forget them."""
    bpy.app.translations.unregister(PACKAGE)
