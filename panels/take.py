"""The panel of a stylized strip: what it was made from, and the other takes of its source."""

from typing import Any

import bpy

from ..operators import properties, session, strips
from .sidebar import SidebarPanel
from .words import action, draw_text


class STRIPSTYLIZER_PT_take(SidebarPanel, bpy.types.Panel):
    """Recipe and takes of a stylized strip"""

    bl_idname = "STRIPSTYLIZER_PT_take"
    bl_label = "Take"
    bl_order = 1

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is a stylized strip active?"""
        strip = strips.active_strip(context)
        return strip is not None and bool(properties.of(strip).result_of)

    def draw(self, context: Any) -> None:
        """Show takes, recipe, and what can be done with them."""
        strip = strips.active_strip(context)
        draw_takes(self.layout, strip)
        draw_recipe(self.layout, strips.recipe_of(strip))
        column = self.layout.column(align=True)
        column.operator("strip_stylizer.new_take", icon="DUPLICATE")
        column.operator("strip_stylizer.reuse_settings", icon="COPYDOWN")
        column.operator("strip_stylizer.copy_recipe", icon="COPY_ID")
        job = session.job_of(strip)
        if job is not None:
            action(column, "reveal", job, icon="FILE_FOLDER")


def draw_takes(layout: Any, strip: Any) -> None:
    """Show which take this is, with the buttons to the others and to the source."""
    takes, shown = strips.results_of(strip), strips.shown_take(strip)
    seen = f"Take {strips.number_of(shown)} of {len(takes)}" if shown else "Source is shown"
    row = layout.row(align=True)
    row.operator("strip_stylizer.take_step", text="", icon="TRIA_LEFT").step = -1
    icon = "HIDE_OFF" if shown else "HIDE_ON"
    row.operator("strip_stylizer.compare", text=seen, icon=icon, depress=bool(shown))
    row.operator("strip_stylizer.take_step", text="", icon="TRIA_RIGHT").step = 1


def draw_recipe(layout: Any, recipe: dict) -> None:
    """Show texts, seed, preset and source."""
    box = layout.box().column(align=True)
    for text in texts_of(recipe):
        draw_text(box, text)
    settings = recipe.get("settings", {})
    words = [str(recipe.get("preset", "")).capitalize(), f"seed {settings.get('seed', 0)}"]
    box.label(text=", ".join(filter(None, words)), translate=False)
    box.label(text=f"Source: {recipe.get('strip', 'unknown')}", translate=False)


def texts_of(recipe: dict) -> list[str]:
    """Return a line for each text of a recipe; where there are several objects with their names."""
    objects = [item for item in (*recipe.get("objects", ()), recipe.get("background", {})) if item]
    told = [item for item in objects if item.get("global_text") or item.get("local_text")]
    if len(told) > 1:
        return [f"{item['name']}: {item['global_text'] or item['local_text']}" for item in told]
    texts = recipe.get("global_text", ""), recipe.get("local_text", "")
    return [text for text in texts if text]


CLASSES = (STRIPSTYLIZER_PT_take,)
