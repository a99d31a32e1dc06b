"""The entries in the strip menu and in the context menu of the sequencer."""

from typing import Any

import bpy

PLACES = ("SEQUENCER_MT_strip", "SEQUENCER_MT_context_menu", "SEQUENCER_MT_preview_context_menu")
GROUPS = (
    ("stylize", "stylize_selected", "preview", "show_mask"),
    ("box_draw", "strokes_paint", "pins_set", "checks_show"),
    ("import_result", "compare", "new_take", "pins_follow", "snapshot_render"),
    ("sweep", "sweep_show", "sweep_take"),
    ("layers_prepare", "atlas_edit", "frame_paint", "edits_apply"),
    ("picture_place", "atlas_import", "layers_export"),
    ("reuse_settings", "copy_recipe", "paste_recipe", "reveal"),
    ("job_export", "job_import", "farm_send"),
)


class STRIPSTYLIZER_MT_stylize(bpy.types.Menu):
    """All that can be done with the active strip"""

    bl_idname = "STRIPSTYLIZER_MT_stylize"
    bl_label = "Stylize"

    def draw(self, context: Any) -> None:
        """List the operators in groups."""
        self.layout.operator_context = "INVOKE_DEFAULT"
        for number, group in enumerate(GROUPS):
            if number:
                self.layout.separator()
            for name in group:
                self.layout.operator(f"strip_stylizer.{name}")


def draw_entry(self: Any, context: Any) -> None:
    """Add the menu at the end of another."""
    self.layout.separator()
    self.layout.menu(STRIPSTYLIZER_MT_stylize.bl_idname)


def attach() -> None:
    """Add the entry to Blender's menus."""
    for name in PLACES:
        if hasattr(bpy.types, name):
            getattr(bpy.types, name).append(draw_entry)


def detach() -> None:
    """Remove it from the same menus."""
    for name in PLACES:
        if hasattr(bpy.types, name):
            getattr(bpy.types, name).remove(draw_entry)


CLASSES = (STRIPSTYLIZER_MT_stylize,)
