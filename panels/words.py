"""How sentences are broken and buttons of jobs are drawn. Knows layouts, changes nothing."""

from typing import Any

import blf
import bpy

from ..operators import session
from ..operators.languages import say

LINE_LENGTH = 46
LETTER, MARGIN = 6.7, 74.0  # pixels of the unscaled interface
FONT = 0  # that of the interface
AROUND_TEXT = 84.0  # the same, of a region: edges, tabs, and the icon before a text


def draw_text(layout: Any, text: str, *, icon: str = "NONE") -> None:
    """Show a sentence on as many lines as it needs, in the user's language where it is known."""
    text = say(text)
    column = layout.column(align=True)
    for number, line in enumerate(lines_of(text)):
        sign = icon if number == 0 else ("NONE" if icon == "NONE" else "BLANK1")
        column.label(text=line, icon=sign, translate=False)


def line_length() -> int:
    """Return how many letters fit into a line of the region that is drawn, wide ones too."""
    region = bpy.context.region
    if region is None or region.type != "UI":
        return LINE_LENGTH
    scale = bpy.context.preferences.system.ui_scale
    return max(20, int((region.width / scale - MARGIN) / LETTER))


def fits(text: str) -> bool:
    """Is a text no wider than a line of the sidebar that is drawn?"""
    region = bpy.context.region
    if region is None or region.type != "UI":
        return len(text) < LINE_LENGTH
    preferences = bpy.context.preferences
    scale = preferences.system.ui_scale
    blf.size(FONT, preferences.ui_styles[0].widget.points * scale)
    return blf.dimensions(FONT, text)[0] <= region.width - AROUND_TEXT * scale


def lines_of(text: str) -> list[str]:
    """Break a text into lines for the sidebar; a word that does not fit has one of its own."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and not fits(longer):
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def shorten(text: str, length: int) -> str:
    """Return a text that fits on a line."""
    return text if len(text) <= length else text[: max(1, length - 1)].rstrip() + "…"


def progress_text(job: session.Job) -> str:
    """Return how far a job is, in the user's language."""
    text, values = job.words
    return say(text, **values)


def action(layout: Any, name: str, job: session.Job, *, icon: str, text: str | None = None) -> Any:
    """Show the button of an operator on ``job``."""
    label = {} if text is None else {"text": text}
    button = layout.operator(f"strip_stylizer.{name}", icon=icon, **label)
    button.job = job.id
    return button
