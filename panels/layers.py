"""The panel of what is changed by hand: the layers of a source strip or a take, and its edits."""

from typing import Any

import bpy

from ..engine.contract.job import BACKGROUND, EDIT_NAMES
from ..operators import edits, layers, live, painting, properties, session, strips, targets
from ..operators.languages import say
from .sidebar import SidebarPanel
from .words import draw_text

CONTROLS = ("Keep Detail", "Grade", "Saturation", "Blur")  # numbers and colours of live layers


class STRIPSTYLIZER_PT_layers(SidebarPanel, bpy.types.Panel):
    """Atlases and frames to paint on, pictures to place, and the layers as files"""

    bl_idname = "STRIPSTYLIZER_PT_layers"
    bl_label = "Edit by Hand"
    bl_order = 2
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is there a strip that has layers?"""
        strip = strips.active_strip(context)
        return strip is not None and not layers.why_no_layers(strip)

    def draw(self, context: Any) -> None:
        """Show the edits that there are, and what can be changed."""
        layout, strip = self.layout, strips.active_strip(context)
        if live.is_live(strip):
            draw_live(layout, strip)
            return
        draw_edits(layout, strips.recipe_of(strip))
        layout.operator("strip_stylizer.picture_place", icon="IMAGE_DATA")
        draw_changes(layout, layers.source_of(strip))
        job = layers.layers_job(strip, painting=True)
        if job is None:
            layout.operator("strip_stylizer.layers_prepare", icon="RENDERLAYERS")
        else:
            draw_painting(layout, job)
        if painting.painted_images(strip):
            row = layout.row()
            row.scale_y = 1.4
            row.operator("strip_stylizer.edits_apply", icon="CHECKMARK")
        layout.operator("strip_stylizer.live_take", icon="NODETREE")
        if not strips.recipe_of(strip):  # a take has it in its own panel
            layout.operator("strip_stylizer.layers_export", icon="EXPORT")
        if layers.layers_job(strip, planes=True) is not None:
            layout.operator("strip_stylizer.layers_nodes", icon="NODE_COMPOSITING")


def draw_edits(layout: Any, recipe: dict) -> None:
    """Show what was changed by hand, each with a button that makes a take with it off or on."""
    column = layout.column(align=True)
    for number, edit in enumerate(edits.edits_of(recipe)):
        row = column.row(align=True)
        row.active = edit.enabled
        name = say(EDIT_NAMES[edit.kind].capitalize())
        row.label(text=f"{number + 1}. {name}", icon="BRUSH_DATA", translate=False)
        icon = "HIDE_OFF" if edit.enabled else "HIDE_ON"
        row.operator("strip_stylizer.edit_switch", text="", icon=icon).number = number


def draw_changes(layout: Any, source: Any) -> None:
    """Show what can be done to whole layers, a row of buttons for each."""
    header, body = layout.panel("strip_stylizer_whole_layers", default_closed=True)
    header.label(text="Change Layers")
    if body is None:
        return
    objects = targets.objects_of(properties.of(source))
    names = [(number, each.name) for number, each in enumerate(objects)]
    for number, name in (*(names or [(0, say("Object"))]), (BACKGROUND, say("Background"))):
        column = body.column(align=True)
        column.label(text=name, translate=False)
        row = column.row(align=True)
        for change, label, _ in edits.CHANGES:
            if change != "removal" or number != BACKGROUND:
                button = row.operator("strip_stylizer.layer_change", text=label)
                button.change, button.layer = change, number


def draw_live(layout: Any, strip: Any) -> None:
    """Show what can be turned of a live take: its strength, and for each layer its nodes."""
    layout.prop(strip, "blend_alpha", text="Strength", slider=True)
    for number, (name, groups) in enumerate(strips.live_layers(strip)):
        box = layout.box().column(align=True)
        box.label(text=name.replace("_", " ").capitalize(), translate=False)
        atlas = live.control(groups, "Atlas")
        if atlas is not None:
            row = box.row(align=True)
            row.prop(atlas, "image", text="Atlas")
            row.operator("strip_stylizer.live_atlas", text="", icon="FILEBROWSER").layer = number
        for control in CONTROLS:
            node = live.control(groups, control)
            if node is not None:
                box.prop(node.outputs[0], "default_value", text=control)
    row = layout.row()
    row.scale_y = 1.4
    row.operator("strip_stylizer.live_bake", icon="RENDER_ANIMATION")


def draw_painting(layout: Any, job: session.Job) -> None:
    """Show the layers that can be painted on."""
    package = layers.package_of(job)
    if package is None:
        draw_text(layout, "The layers cannot be read: prepare them again", icon="ERROR")
        layout.operator("strip_stylizer.layers_prepare", icon="RENDERLAYERS")
        return
    layout.operator("strip_stylizer.frame_paint", icon="BRUSH_DATA")
    column = layout.column(align=True)
    for layer in package.layers:
        row = column.row(align=True)
        row.label(text=layers.layer_name(job, layer.layer), translate=False)
        row.operator("strip_stylizer.atlas_edit", text="Edit Atlas").layer = layer.layer
        row.operator("strip_stylizer.atlas_import", text="", icon="IMPORT").layer = layer.layer


CLASSES = (STRIPSTYLIZER_PT_layers,)
