"""The sub-panel with all settings, laid out from their declarations."""

import dataclasses
from typing import Any

import bpy

from ..engine.contract.settings import Settings
from ..operators import properties, strips
from .sidebar import SidebarPanel

LABELS = {"mlp": "MLP Engine", "grid": "Grid Engine"}


class STRIPSTYLIZER_PT_settings(SidebarPanel, bpy.types.Panel):
    """All settings of the engine"""

    bl_idname = "STRIPSTYLIZER_PT_settings"
    bl_parent_id = "STRIPSTYLIZER_PT_main"
    bl_label = "Settings"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is there a strip that can be stylized?"""
        strip = strips.active_strip(context)
        is_source = strip is not None and not properties.of(strip).result_of
        return is_source and not strips.why_unusable(strip)

    def draw(self, context: Any) -> None:
        """Show the groups; the seed has its place above."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        facts = properties.of(strips.active_strip(context))
        draw_group(self.layout, facts.settings, Settings(), "settings", hidden=("seed",))


def draw_group(
    layout: Any, group: Any, values: Any, path: str, *, hidden: tuple[str, ...] = ()
) -> None:
    """Show a group of settings: first its own, then the groups in it, closed.

    ``values`` is a dataclass of the same form; it tells labels and order.
    """
    inner = []
    for item in dataclasses.fields(values):
        if dataclasses.is_dataclass(getattr(values, item.name)):
            inner.append(item.name)
        elif item.name not in hidden:
            layout.prop(group, item.name)
    for name in inner:
        header, body = layout.panel(f"strip_stylizer_{path}_{name}", default_closed=True)
        header.label(text=LABELS.get(name, name.replace("_", " ").title()))
        if body is not None:
            draw_group(body, getattr(group, name), getattr(values, name), f"{path}_{name}")


CLASSES = (STRIPSTYLIZER_PT_settings,)
