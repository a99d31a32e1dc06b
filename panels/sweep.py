"""The panel of a strip's last sweep: its cells, the best first, each with a button for a take."""

from typing import Any

import bpy

from ..operators import strips, sweeping
from .sidebar import SidebarPanel
from .words import action

CELLS_SHOWN = 12
CAPTION_PART = 0.72  # of a line; the rest is its button


class STRIPSTYLIZER_PT_sweep(SidebarPanel, bpy.types.Panel):
    """What the last sweep of this strip found"""

    bl_idname = "STRIPSTYLIZER_PT_sweep"
    bl_label = "Sweep"
    bl_order = 1

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Has the active strip, or the source of the active take, been swept?"""
        strip = strips.active_strip(context)
        return strip is not None and sweeping.sweep_of(strip) is not None

    def draw(self, context: Any) -> None:
        """List the best cells."""
        job = sweeping.sweep_of(strips.active_strip(context))
        if job is None:
            return
        action(self.layout, "sweep_show", job, icon="IMAGE_DATA")
        column = self.layout.column(align=True)
        for number, cell in enumerate(sweeping.cells_of(job)[:CELLS_SHOWN], start=1):
            row = column.split(factor=CAPTION_PART, align=True)
            row.label(text=cell.caption, translate=False)
            action(row, "sweep_take", job, text="Make Take", icon="NONE").cell = number


CLASSES = (STRIPSTYLIZER_PT_sweep,)
