"""What is on Blender's screen: its window, areas and regions, and pictures of them.

Runs inside Blender only.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import bpy


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
