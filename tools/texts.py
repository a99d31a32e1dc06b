"""List what a language file of the extension should hold, and what one lacks.

    python -m tools.texts             all labels, tooltips and helps, as JSON
    python -m tools.texts de_DE       what languages/de_DE.json lacks, and what it has in excess
    python -m tools.texts de_DE --fill  add what is missing to the file, with empty translations

Reads the sources, imports nothing of Blender's.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import functools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.client.environment import State
from engine.client.status import LOADING, STAGE_LABELS
from engine.contract.job import EDIT_NAMES
from engine.contract.settings import PRESET_HELP, Settings
from engine.contract.words import advice, choice

ROOT = Path(__file__).parents[1]
ROOMS = ("operators", "panels")
NOT_SHOWN = ("command_line", "baking_child")  # have no interface to translate
LABEL_KEYWORDS = {"text", "name", "title", "placeholder", "confirm_text"}
SPEAKERS = {"say", "draw_text", "draw_field", "_first"}  # functions that translate what they get
ANSWERS = ("why_", "without_", "offline_", "words")  # functions that return a reason


@dataclass
class Found:
    """What the sources say.

    ``labels`` are seen all the time; ``hints`` are tooltips and reasons; ``helps`` are the tooltips
    of the engine's settings.
    """

    labels: set[str] = field(default_factory=set)
    hints: set[str] = field(default_factory=set)
    helps: set[str] = field(default_factory=set)

    @property
    def all(self) -> set[str]:
        """All of them."""
        return self.labels | self.hints | self.helps


def found() -> Found:
    """Return all texts of the extension."""
    texts = Found()
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if not {path.stem, path.parent.name} & set(NOT_SHOWN):
                _read(ast.parse(path.read_text(encoding="utf-8")), texts)
    texts.labels |= {*STAGE_LABELS.values(), LOADING}
    texts.labels |= {name.capitalize() for name in (*PRESET_HELP, *EDIT_NAMES.values())}
    texts.hints |= {*PRESET_HELP.values(), *advice.SENTENCES, *choice.SENTENCES}
    _read_settings(Settings(), texts)
    for words in (texts.labels, texts.hints):
        words -= {text for text in words if not _is_told(text)}
    texts.labels |= {state.value for state in State}
    texts.hints -= texts.labels
    return texts


def _is_told(text: str) -> bool:
    """Is it for people: neither a name in the program nor an abbreviation?"""
    is_name = text[:1].islower() and "{" not in text
    return not (is_name or text.upper() == text or "_MT_" in text or "/" in text)


def _constant(node: Any) -> str:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return str(node.value) if is_text else ""


def _texts_in(node: Any) -> list[str]:
    """Return the texts that an expression can be: itself, or any side of a condition."""
    if isinstance(node, ast.IfExp):
        return _texts_in(node.body) + _texts_in(node.orelse)
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in _texts_in(value)]
    return [_constant(node)]


def _read(tree: ast.Module, texts: Found) -> None:
    for node in ast.walk(tree):
        match node:
            case ast.Call():
                _read_call(node, texts)
            case ast.ClassDef():
                _read_class(node, texts)
            case ast.FunctionDef():
                _read_function(node, texts)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(values=values)):
                if name.endswith("LABELS"):
                    texts.labels |= {_constant(value) for value in values}
            case ast.Tuple(elts=[first, second, third]):
                _read_three(first, second, third, texts)


def _read_call(node: ast.Call, texts: Found) -> None:
    for word in node.keywords:
        if word.arg in LABEL_KEYWORDS:
            texts.labels |= set(_texts_in(word.value))
        elif word.arg == "description":
            texts.hints.add(_constant(word.value))
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    words = {text for argument in node.args for text in _texts_in(argument)}
    if name in SPEAKERS:
        texts.labels |= words
    elif name == "poll_message_set":
        texts.hints |= words


def _read_class(node: ast.ClassDef, texts: Found) -> None:
    bases = {getattr(base, "attr", getattr(base, "id", "")) for base in node.bases}
    if "Operator" in bases:
        texts.hints.add((ast.get_docstring(node) or "").replace("\n", " "))
    for item in node.body:
        match item:
            case ast.Assign(targets=[ast.Name(id="bl_label")], value=value):
                texts.labels.add(_constant(value))
            case ast.Assign(targets=[ast.Name(id="reason")], value=value):
                texts.hints.add(_constant(value))


def _read_function(node: ast.FunctionDef, texts: Found) -> None:
    """Read variables that are spoken later, and the reasons that a function returns."""
    spoken = {
        argument.id
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        for argument in _spoken_by(call)
        if isinstance(argument, ast.Name)
    }
    for item in ast.walk(node):
        match item:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in spoken:
                texts.labels |= set(_texts_in(value))
            case ast.Return(value=ast.Tuple(elts=[text, ast.Dict() | ast.Name()])):
                texts.labels.add(_constant(text))
            case ast.Return(value=value) if node.name.startswith(ANSWERS):
                texts.hints |= set(_texts_in(value))


def _spoken_by(call: ast.Call) -> list[Any]:
    """Return what a call shows or translates."""
    shown = [word.value for word in call.keywords if word.arg == "text"]
    return shown + (call.args if getattr(call.func, "id", "") in SPEAKERS else [])


def _read_three(first: Any, second: Any, third: Any, texts: Found) -> None:
    """Read the items of a menu, and titles of sections."""
    if isinstance(third, ast.Tuple):
        texts.labels.add(_constant(first))
    elif _constant(first) and _constant(second):
        texts.labels.add(_constant(second))
        texts.hints.add(_constant(third))


def _read_settings(values: Any, texts: Found) -> None:
    for item in dataclasses.fields(values):
        value = getattr(values, item.name)
        if dataclasses.is_dataclass(value):
            if item.name not in _named_choices():
                texts.labels.add(item.name.replace("_", " ").title())
            _read_settings(value, texts)
        else:
            texts.labels |= {item.metadata["label"]}
            choices = set(item.metadata["choices"]) - _named_choices()
            texts.labels |= {choice.capitalize() for choice in choices}
            texts.helps.add(item.metadata["help"])


@functools.cache
def _named_choices() -> set[str]:
    """Return the choices of settings whose labels are written out, which are then no words."""
    tree = ast.parse((ROOT / "operators" / "setting_groups.py").read_text(encoding="utf-8"))
    tables = [item.value for item in tree.body if isinstance(item, ast.Assign)]
    return {_constant(key) for table in tables if isinstance(table, ast.Dict) for key in table.keys}


def language(locale: str) -> dict[str, str]:
    """Return what a language file holds."""
    path = ROOT / "languages" / f"{locale}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def missing(locale: str) -> Iterator[str]:
    """Yield what a language file lacks, labels first."""
    texts, held = found(), language(locale)
    for words in (texts.labels, texts.hints, texts.helps):
        yield from sorted(text for text in words if not held.get(text))


def fill(locale: str) -> None:
    """Write what is missing into a language file."""
    held = language(locale)
    whole = {text: held.get(text, "") for text in sorted(found().all)}
    path = ROOT / "languages" / f"{locale}.json"
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(whole, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("locale", nargs="?", help="such as de_DE")
    parser.add_argument("--fill", action="store_true", help="add what is missing to the file")
    options = parser.parse_args()
    if not options.locale:
        texts = found()
        told = {name: sorted(words) for name, words in vars(texts).items()}
        print(json.dumps(told, indent=1, ensure_ascii=False))
        return 0
    if options.fill:
        fill(options.locale)
    lacking = list(missing(options.locale))
    excess = sorted(set(language(options.locale)) - found().all)
    print(f"{len(lacking)} missing, {len(excess)} in excess", *lacking, "--", *excess, sep="\n")
    return bool(lacking or excess)


if __name__ == "__main__":
    sys.exit(main())
