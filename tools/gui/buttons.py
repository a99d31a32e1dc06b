"""Finding the sidebar's buttons and fields by what they do, wherever the layout has them.

Runs inside Blender only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import bpy

from . import drive, screen


def operator_under_mouse(area: Any) -> str:
    """Return the call of the operator whose button is under the mouse, empty where none is."""
    bpy.context.window_manager.clipboard = ""
    with screen.inside(area, "UI"):
        if bpy.ops.ui.copy_python_command_button.poll():
            bpy.ops.ui.copy_python_command_button()
    return bpy.context.window_manager.clipboard


def down(area: Any, across: float) -> list[tuple[int, int]]:
    """Return the places of a sidebar from top to bottom, less than a button apart."""
    part = screen.region(area, "UI")
    x = part.x + int(part.width * across)
    first, step = part.y + part.height - int(screen.unit() / 2), int(screen.unit() * 0.7)
    return [(x, y) for y in range(first, part.y, -step)]


Place = Generator[float, None, tuple[int, int]]
Look = Callable[[], Generator[float, None, tuple[int, int] | None]]


def scrolled(area: Any) -> float:
    """Return how far the sidebar is scrolled: less than before means further down."""
    return screen.region(area, "UI").view2d.region_to_view(0, 0)[1]


def scroll(area: Any, kind: str) -> Generator[float, None, bool]:
    """Press a key that scrolls the sidebar; returns whether anything moved."""
    part, before = screen.region(area, "UI"), scrolled(area)
    yield from drive.key(kind, (part.x + part.width // 2, part.y + part.height // 2))
    yield drive.SETTLE
    return abs(scrolled(area) - before) > 1


def look_everywhere(area: Any, look: Look) -> Generator[float, None, tuple[int, int] | None]:
    """Let ``look`` search what is seen of the sidebar, then from its top page by page."""
    place = yield from look()
    if place is not None:
        return place
    while (yield from scroll(area, "PAGE_UP")):
        pass
    moved = True
    while place is None and moved:
        place = yield from look()
        if place is None:
            moved = yield from scroll(area, "PAGE_DOWN")
    return place


def find(area: Any, operator: str, *, across: float = 0.5) -> Place:
    """Look down the sidebar for a button whose operator call contains ``operator``.

    ``across`` is where to look, 0 left to 1 right. What is out of sight is scrolled to. Returns
    its place; raises LookupError with what was seen instead. So the layout may change without a
    scenario noticing.
    """
    seen = []

    def look() -> Generator[float, None, tuple[int, int] | None]:
        for place in down(area, across):
            drive.send("MOUSEMOVE", "NOTHING", at=place)
            yield drive.PAUSE
            words = operator_under_mouse(area)
            if operator in words:
                return place
            if words and words not in seen:
                seen.append(words)
        return None

    place = yield from look_everywhere(area, look)
    if place is None:
        raise LookupError(f"no button for {operator}; there are: {'; '.join(seen) or 'none'}")
    return place


def find_field(area: Any, group: Any, name: str, *, across: float = 0.5) -> Place:
    """Look down the sidebar for the field of a text property and return its place.

    Blender has no path to properties of strips, so the field is known by what Ctrl C copies.
    """
    before, marker = getattr(group, name), "where is this field"

    def look() -> Generator[float, None, tuple[int, int] | None]:
        for place in down(area, across):
            bpy.context.window_manager.clipboard = ""
            yield from drive.key("C", place, ctrl=True)
            if bpy.context.window_manager.clipboard == marker:
                return place
        return None

    setattr(group, name, marker)
    yield from drive.redraw()
    try:
        place = yield from look_everywhere(area, look)
    finally:
        setattr(group, name, before)
    if place is None:
        raise LookupError(f"no field for {name}")
    return place


def press(area: Any, wanted: str, *, across: float = 0.5) -> drive.Scenario:
    """Find a button and click it."""
    place = yield from find(area, wanted, across=across)
    yield from drive.click(place)
