"""The declared settings as text: for the command line and for ``docs/settings.md``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from .settings import PRESET_HELP, PRESET_NAMES, PRESETS, Settings


def walk(settings: Any, path: str = "") -> Iterator[tuple[str, dataclasses.Field, Any]]:
    """Yield (dotted path, field, value) for every setting, in the order of declaration."""
    for item in dataclasses.fields(settings):
        value = getattr(settings, item.name)
        here = f"{path}{item.name}"
        if dataclasses.is_dataclass(value):
            yield from walk(value, here + ".")
        else:
            yield here, item, value


def describe_values(item: dataclasses.Field) -> str:
    """Say which values a setting takes."""
    meta = item.metadata
    if meta["choices"]:
        return " | ".join(meta["choices"])
    if meta["low"] is not None:
        return f"{meta['low']:g} .. {meta['high']:g}"
    return "true | false" if item.type == "bool" else "text"


def plain(settings: Settings) -> str:
    """Return the settings as lines for a terminal."""
    lines = []
    for path, item, value in walk(settings):
        unit = f" {item.metadata['unit']}" if item.metadata["unit"] else ""
        lines.append(
            f"{path}={value}{unit}  ({describe_values(item)})\n    {item.metadata['help']}"
        )
    return "\n".join(lines)


def describe_presets(path: str) -> str:
    """Say which presets set the setting ``path`` to what, those with one value together."""
    names: dict[Any, list[str]] = {}
    for name in PRESET_NAMES:
        if path in PRESETS[name]:
            names.setdefault(PRESETS[name][path], []).append(name.capitalize())
    return "; ".join(f"{', '.join(those)}: {value}" for value, those in names.items())


def markdown() -> str:
    """Return the whole of ``docs/settings.md``."""
    lines = [
        "# Settings",
        "",
        "Made by `python -m engine settings --markdown` from `engine/contract/settings/`.",
        "",
        *(f"* **{name.capitalize()}**: {text}" for name, text in PRESET_HELP.items()),
        "",
        "| Setting | Default | Allowed | In presets | What it does | Source |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for path, item, value in walk(Settings()):
        presets = describe_presets(path)
        meta = item.metadata
        cells = [f"`{path}`", value, describe_values(item).replace(" | ", ", "), presets]
        lines.append("| " + " | ".join(map(str, [*cells, meta["help"], meta["paper"]])) + " |")
    return "\n".join(lines) + "\n"
