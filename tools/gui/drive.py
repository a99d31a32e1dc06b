"""Driving Blender's window from a script inside it: mouse, keys, waiting, screenshots.

A scenario is a generator that yields seconds; Blender's own event loop runs in between. Whatever
goes wrong ends Blender with exit code 1, and so does a time limit. Runs inside Blender only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import bpy

Scenario = Generator[float, None, None]
PAUSE = 0.06
SETTLE = 0.4


def play(scenario: Callable[[], Scenario], *, seconds: float = 240) -> None:
    """Run a scenario in the window that opens, then end Blender: 0 done, 1 failed."""
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.view.show_developer_ui = True
    steps, end = scenario(), time.monotonic() + seconds

    def tick() -> float:
        try:
            if time.monotonic() > end:
                raise TimeoutError(f"the scenario has not ended within {seconds:.0f} s")
            return next(steps)
        except StopIteration:
            leave(0)
        except BaseException:
            traceback.print_exc()
            shot("failed")
            leave(1)
        return 0.0

    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)


def leave(code: int) -> None:
    """End Blender at once with an exit code; a script's error alone would not."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def wait_for(condition: Callable[[], Any], what: str, *, seconds: float = 60) -> Scenario:
    """Yield until ``condition`` holds; raises TimeoutError with ``what`` was waited for."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        yield 0.1


# --- places --------------------------------------------------------------------------------------


def window() -> Any:
    """Return the first window."""
    return bpy.context.window_manager.windows[0]


def sequencer(view: str = "SEQUENCER") -> Any:
    """Return the sequencer's area: SEQUENCER is the timeline, PREVIEW the picture."""
    areas = [area for area in window().screen.areas if area.type == "SEQUENCE_EDITOR"]
    return next(area for area in areas if area.spaces.active.view_type == view)


def region(area: Any, kind: str = "WINDOW") -> Any:
    """Return a region of an area."""
    return next(part for part in area.regions if part.type == kind)


def inside(area: Any, kind: str = "WINDOW") -> Any:
    """Return a context for operators that act in this area."""
    here = window()
    part = region(area, kind)
    return bpy.context.temp_override(window=here, screen=here.screen, area=area, region=part)


def unit() -> float:
    """Return the height of one button in pixels."""
    return 20 * bpy.context.preferences.system.ui_scale


def grow(area: Any, height: float) -> Scenario:
    """Give an area more room, ``height`` pixels, so that its sidebar shows all its panels."""
    edge = area.y + area.height
    x = area.x + area.width // 2
    yield from drag((x, edge), (x, area.y + int(height)))
    yield SETTLE


def open_sidebar(area: Any, tab: str = "Stylize") -> Scenario:
    """Show a tab of the sidebar."""
    area.spaces.active.show_region_ui = True
    yield from redraw()
    part = region(area, "UI")
    part.active_panel_category = tab
    yield from redraw()
    assert part.active_panel_category == tab, part.active_panel_category


def redraw() -> Scenario:
    """Let the window draw itself."""
    for area in window().screen.areas:
        area.tag_redraw()
    yield SETTLE


# --- mouse and keys ------------------------------------------------------------------------------


def send(
    kind: str, value: str = "PRESS", *, at: tuple[int, int], to: Any = None, **held: bool
) -> None:
    """Send one event to a window, without ``to`` the first one.

    ``at`` is in pixels from the window's lower left corner.
    """
    (to or window()).event_simulate(type=kind, value=value, x=int(at[0]), y=int(at[1]), **held)


def move(place: tuple[int, int], window: Any = None) -> Scenario:
    """Move the mouse."""
    for near in ((place[0] - 2, place[1]), place):
        send("MOUSEMOVE", "NOTHING", at=near, to=window)
        yield PAUSE


def click(at: tuple[int, int], button: str = "LEFTMOUSE", window: Any = None) -> Scenario:
    """Press and release a mouse button."""
    yield from move(at, window)
    for value in ("PRESS", "RELEASE"):
        send(button, value, at=at, to=window)
        yield PAUSE
    yield SETTLE


def drag(start: tuple[int, int], end: tuple[int, int], steps: int = 8) -> Scenario:
    """Press at ``start``, move to ``end``, release."""
    yield from move(start)
    send("LEFTMOUSE", "PRESS", at=start)
    yield PAUSE
    for step in range(1, steps + 1):
        part = step / steps
        at = tuple(int(a + (b - a) * part) for a, b in zip(start, end, strict=True))
        send("MOUSEMOVE", "NOTHING", at=at)
        yield PAUSE
    send("LEFTMOUSE", "RELEASE", at=end)
    yield SETTLE


def key(kind: str, at: tuple[int, int], **held: bool) -> Scenario:
    """Press and release a key over a place; ``held``: ctrl, shift, alt, oskey."""
    yield from move(at)
    for value in ("PRESS", "RELEASE"):
        send(kind, value, at=at, **held)
        yield PAUSE


NAMED_KEYS = {" ": "SPACE", ",": "COMMA", ".": "PERIOD", "-": "MINUS", "/": "SLASH"}
DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")


def type_text(text: str, at: tuple[int, int]) -> Scenario:
    """Type letters into the field that is being edited."""
    for letter in text:
        kind = NAMED_KEYS.get(letter) or (
            DIGITS[int(letter)] if letter.isdigit() else letter.upper()
        )
        place = (int(at[0]), int(at[1]))
        window().event_simulate(type=kind, value="PRESS", unicode=letter, x=place[0], y=place[1])
        yield 0.01
        send(kind, "RELEASE", at=place)
        yield 0.01


def fill(at: tuple[int, int], text: str) -> Scenario:
    """Click into a text field, replace what it holds, and confirm."""
    yield from click(at)
    yield from key("A", at, ctrl=True)
    yield from type_text(text, at)
    yield from key("RET", at)
    yield SETTLE


# --- finding buttons -----------------------------------------------------------------------------


def operator_under_mouse(area: Any) -> str:
    """Return the call of the operator whose button is under the mouse, empty where none is."""
    bpy.context.window_manager.clipboard = ""
    with inside(area, "UI"):
        if bpy.ops.ui.copy_python_command_button.poll():
            bpy.ops.ui.copy_python_command_button()
    return bpy.context.window_manager.clipboard


def down(area: Any, across: float) -> list[tuple[int, int]]:
    """Return the places of a sidebar from top to bottom, less than a button apart."""
    part = region(area, "UI")
    x = part.x + int(part.width * across)
    first, step = part.y + part.height - int(unit() / 2), int(unit() * 0.7)
    return [(x, y) for y in range(first, part.y, -step)]


Place = Generator[float, None, tuple[int, int]]
Look = Callable[[], Generator[float, None, tuple[int, int] | None]]


def scrolled(area: Any) -> float:
    """Return how far the sidebar is scrolled: less than before means further down."""
    return region(area, "UI").view2d.region_to_view(0, 0)[1]


def scroll(area: Any, kind: str) -> Generator[float, None, bool]:
    """Press a key that scrolls the sidebar; returns whether anything moved."""
    part, before = region(area, "UI"), scrolled(area)
    yield from key(kind, (part.x + part.width // 2, part.y + part.height // 2))
    yield SETTLE
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
            send("MOUSEMOVE", "NOTHING", at=place)
            yield PAUSE
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
            yield from key("C", place, ctrl=True)
            if bpy.context.window_manager.clipboard == marker:
                return place
        return None

    setattr(group, name, marker)
    yield from redraw()
    try:
        place = yield from look_everywhere(area, look)
    finally:
        setattr(group, name, before)
    if place is None:
        raise LookupError(f"no field for {name}")
    return place


def press(area: Any, wanted: str, *, across: float = 0.5) -> Scenario:
    """Find a button and click it."""
    place = yield from find(area, wanted, across=across)
    yield from click(place)


# --- pictures ------------------------------------------------------------------------------------


def pictures() -> Path:
    """Return the folder for screenshots."""
    return Path(os.environ["GUI_PICTURES"])


def shot(name: str, *, area: Any = None, kind: str | None = None, scale: int = 100) -> Path:
    """Write a screenshot of the window, of an area, or of one of its regions; returns its path.

    The picture is taken by X: Blender's own operator sees black here.
    """
    bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=2)
    path = pictures() / f"{name}.png"
    crop = []
    if area is not None:
        part = region(area, kind) if kind else area
        left, top = window_corner()
        y = top + window().height - part.y - part.height
        crop = ["-crop", f"{part.width}x{part.height}+{left + part.x}+{y}", "+repage"]
    resize = ["-resize", f"{scale}%"] if scale != 100 else []
    line = ["import", "-silent", "-window", "root", *crop, *resize, str(path)]
    subprocess.run(line, check=False, timeout=30)
    return path


def window_corner() -> tuple[int, int]:
    """Return where the window's content begins on the screen, from its upper left corner."""
    found = subprocess.run(
        ["xwininfo", "-name", window_title()], capture_output=True, text=True, check=False
    ).stdout
    numbers = {}
    for line in found.splitlines():
        name, _, value = line.strip().partition(":")
        numbers[name] = value.strip()
    corner = (numbers.get(f"Absolute upper-left {axis}", "0") for axis in "XY")
    return tuple(int(value) for value in corner)  # type: ignore[return-value]


def window_title() -> str:
    """Return the title of Blender's window, as X knows it."""
    tree = subprocess.run(
        ["xwininfo", "-root", "-tree"], capture_output=True, text=True, check=False
    ).stdout
    for line in tree.splitlines():
        if '"' in line and "Blender" in line:
            return line.split('"')[1]
    return "Blender"
