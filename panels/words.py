"""How sentences are broken and buttons of jobs are drawn. Knows layouts, changes nothing."""

from typing import Any

import bpy

from ..operators import session
from ..operators.languages import say

LINE_LENGTH = 46
LETTER, MARGIN = 6.7, 74.0  # pixels of the unscaled interface


def draw_text(layout: Any, text: str, *, icon: str = "NONE") -> None:
    """Show a sentence on as many lines as it needs, in the user's language where it is known."""
    text = say(text)
    column = layout.column(align=True)
    for number, line in enumerate(lines_of(text, line_length())):
        sign = icon if number == 0 else ("NONE" if icon == "NONE" else "BLANK1")
        column.label(text=line, icon=sign, translate=False)


def line_length() -> int:
    """Return how many letters fit into a line of the region that is drawn."""
    region = bpy.context.region
    if region is None or region.type != "UI":
        return LINE_LENGTH
    scale = bpy.context.preferences.system.ui_scale
    return max(20, int((region.width / scale - MARGIN) / LETTER))


def lines_of(text: str, length: int = LINE_LENGTH) -> list[str]:
    """Break a text into lines for the sidebar."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= length:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def shortened(text: str, length: int) -> str:
    """Return a text that fits on a line."""
    return text if len(text) <= length else text[: max(1, length - 1)].rstrip() + "…"


def told(job: session.Job) -> str:
    """Return how far a job is, in the user's language."""
    text, values = job.words
    return say(text, **values)


def action(layout: Any, name: str, job: session.Job, *, icon: str, text: str | None = None) -> Any:
    """Show the button of an operator on ``job``."""
    label = {} if text is None else {"text": text}
    button = layout.operator(f"strip_stylizer.{name}", icon=icon, **label)
    button.job = job.id
    return button
