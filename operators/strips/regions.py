"""Which parts of the windows draw again. A region that need not be drawn costs no processor."""

from collections.abc import Iterator
from typing import Any

import bpy

TAB = "Stylize"


def redraw() -> None:
    """Let every sequencer and the preferences draw again."""
    for area in _areas("SEQUENCE_EDITOR", "PREFERENCES"):
        area.tag_redraw()


def redraw_panels() -> None:
    """Let the sidebars of the sequencers draw again that show the extension's tab."""
    for region in _regions("UI"):
        if getattr(region, "active_panel_category", TAB) == TAB:
            region.tag_redraw()


def redraw_timelines() -> None:
    """Let the strips draw again, with what lies over them."""
    for region in _regions("WINDOW"):
        region.tag_redraw()


def redraw_previews() -> None:
    """Let the pictures of the sequencers draw again, with what lies over them."""
    for region in _regions("PREVIEW"):
        region.tag_redraw()


def redraw_preferences() -> None:
    """Let the preferences draw again."""
    for area in _areas("PREFERENCES"):
        area.tag_redraw()


def _areas(*kinds: str) -> Iterator[Any]:
    for window in bpy.context.window_manager.windows:
        yield from (area for area in window.screen.areas if area.type in kinds)


def _regions(kind: str) -> Iterator[Any]:
    """Yield the regions of a kind in all sequencers; one that is hidden is a line at most."""
    for area in _areas("SEQUENCE_EDITOR"):
        for region in area.regions:
            if region.type == kind and min(region.width, region.height) > 1:
                yield region
