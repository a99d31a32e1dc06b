"""Driving Blender's window from a script inside it: playing a scenario, waiting, mouse and keys.

A scenario is a generator that yields seconds; Blender's own event loop runs in between. Whatever
goes wrong ends Blender with exit code 1, and so does a time limit. Runs inside Blender only.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Generator
from typing import Any

import bpy

from . import screen

Scenario = Generator[float, None, None]
PAUSE = 0.06
SETTLE = 0.4
REST = 0.005  # seconds that Blender sleeps when no event has come


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
            screen.shot("failed")
            leave(1)
        return 0.0

    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)
    bpy.app.timers.register(rest, persistent=True)


def rest() -> float:
    """Sleep once in each turn of Blender's main loop, as a user's Blender does.

    With simulated events it never sleeps: idle, it takes a core from the engine beside it.
    """
    time.sleep(REST)
    return 0.0


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
    part = screen.region(area, "UI")
    part.active_panel_category = tab
    yield from redraw()
    assert part.active_panel_category == tab, part.active_panel_category


def redraw() -> Scenario:
    """Let the window draw itself."""
    for area in screen.window().screen.areas:
        area.tag_redraw()
    yield SETTLE


def send(
    kind: str, value: str = "PRESS", *, at: tuple[int, int], to: Any = None, **held: bool
) -> None:
    """Send one event to a window, without ``to`` the first one.

    ``at`` is in pixels from the window's lower left corner.
    """
    (to or screen.window()).event_simulate(
        type=kind, value=value, x=int(at[0]), y=int(at[1]), **held
    )


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
        screen.window().event_simulate(
            type=kind, value="PRESS", unicode=letter, x=place[0], y=place[1]
        )
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
