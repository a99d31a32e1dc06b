"""The entries in the strip menu and in the context menu of the sequencer."""

from typing import Any

import bpy

PLACES = ("SEQUENCER_MT_strip", "SEQUENCER_MT_context_menu")


class STRIPSTYLIZER_MT_stylize(bpy.types.Menu):
    """All that can be done with the active strip"""

    bl_idname = "STRIPSTYLIZER_MT_stylize"
    bl_label = "Stylize"

    def draw(self, context: Any) -> None:
        """List the operators."""
        for name in ("stylize", "import_result", "compare", "reuse_settings", "reveal"):
            self.layout.operator(f"strip_stylizer.{name}")


def draw_entry(self: Any, context: Any) -> None:
    """Add the menu at the end of another."""
    self.layout.separator()
    self.layout.menu(STRIPSTYLIZER_MT_stylize.bl_idname)


def attach() -> None:
    """Add the entry to Blender's menus."""
    for name in PLACES:
        getattr(bpy.types, name).append(draw_entry)


def detach() -> None:
    """Remove it from the same menus."""
    for name in PLACES:
        getattr(bpy.types, name).remove(draw_entry)


CLASSES = (STRIPSTYLIZER_MT_stylize,)
