"""The tab in the sequencer's sidebar: the source strip. Draws, changes nothing."""

from pathlib import Path
from typing import Any

import bpy

from ..operators import objects, outlook, properties, session, strips, targets
from ..operators.languages import say
from . import job_view
from .words import draw_text, line_length

THUMBNAIL_SCALE = 3.2


class SidebarPanel:
    """Where all panels of this extension are."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Stylize"


class STRIPSTYLIZER_PT_main(SidebarPanel, bpy.types.Panel):
    """Objects, texts and quality of the active strip, and its job"""

    bl_idname = "STRIPSTYLIZER_PT_main"
    bl_label = "Stylize"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """A stylized strip has a panel of its own."""
        strip = strips.active_strip(context)
        return strip is None or not properties.of(strip).result_of

    def draw(self, context: Any) -> None:
        """Show what fits the active strip: how to get an engine, or a source."""
        layout = self.layout
        if session.engine() != "ready":
            draw_engine(layout)
        if strips.sequencer_scene(context) is None:
            layout.label(text="Choose a scene in the header", icon="INFO")
            return
        strip = strips.active_strip(context)
        reason = strips.why_unusable(strip)
        if reason:
            draw_text(layout, reason, icon="INFO")
            return
        facts = properties.of(strip)
        draw_facts(layout, strip, facts)
        if len(facts.targets):
            draw_objects(layout, strip, facts)
        else:
            objects.ensure_soon(strip)
        draw_quality(layout, facts)
        draw_start(layout, strip)
        job = session.current_job(strip)
        if job is not None:
            job_view.draw_job(layout, job)


# --- parts ---------------------------------------------------------------------------------------


def draw_engine(layout: Any) -> None:
    """Show how to get an engine, or how far its installation is."""
    setup = session.state.setup
    if setup is not None and not setup.ended:
        row = layout.row(align=True)
        row.progress(text=setup.label, factor=setup.fraction)
        row.operator("strip_stylizer.engine_cancel", text="", icon="X")
        return
    layout.label(text=say("Engine: {state}", state=session.engine()), translate=False)
    if setup is not None and setup.error:
        draw_text(layout, setup.error, icon="ERROR")
    if session.engine() == "ready":
        return
    if not bpy.app.online_access:
        draw_text(layout, "Blender is offline: the download needs online access", icon="INTERNET")
    layout.operator("strip_stylizer.engine_install", icon="IMPORT")
    layout.operator("strip_stylizer.engine_choose", icon="FILE_FOLDER")


def draw_facts(layout: Any, strip: Any, facts: Any) -> None:
    """Show a thumbnail, the strip's name and size, and how it is read."""
    told = strips.facts_of(strip)
    row = layout.row()
    icon = thumbnail_of(strip)
    if icon:
        row.template_icon(icon_value=icon, scale=THUMBNAIL_SCALE)
    column = row.column(align=True)
    column.label(text=told.name, icon="NONE" if icon else "SEQUENCE", translate=False)
    words = "{frames} frames, {width} x {height}"
    size = {"frames": told.frames, "width": told.width, "height": told.height}
    column.label(text=say(words, **size), translate=False)
    column.prop(facts, "source")


def thumbnail_of(strip: Any) -> int:
    """Return the icon of the strip's media, 0 where there is none."""
    if bpy.app.background or strip.type not in ("MOVIE", "IMAGE"):
        return 0
    if strip.type == "MOVIE":
        return session.thumbnail(bpy.path.abspath(strip.filepath), movie=True)
    path = Path(bpy.path.abspath(strip.directory)) / strip.elements[0].filename
    return session.thumbnail(str(path), movie=False)


class STRIPSTYLIZER_UL_targets(bpy.types.UIList):
    """The objects of a strip from front to back, and its background"""

    bl_idname = "STRIPSTYLIZER_UL_targets"

    def draw_item(
        self,
        context: Any,
        layout: Any,
        data: Any,
        item: Any,
        icon: Any,
        active_data: Any,
        active_name: Any,
    ) -> None:
        """Show name and text of one entry."""
        split = layout.split(factor=0.36)
        sign = "IMAGE_BACKGROUND" if item.is_background else "OUTLINER_OB_META"
        if item.is_background:
            split.label(text="Background", icon=sign)
        else:
            split.prop(item, "name", text="", emboss=False, icon=sign)
        text = targets.in_one_line(item.global_text) or targets.in_one_line(item.local_text)
        row = split.row()
        row.active = bool(text or item.picture)
        instead = say("Picture") if item.picture else say("Stays as It Is")
        row.label(text=text or instead, translate=False)


def draw_objects(layout: Any, strip: Any, facts: Any) -> None:
    """Show the list of objects, and the chosen one below it."""
    row = layout.row()
    kind = STRIPSTYLIZER_UL_targets.bl_idname
    rows = {"rows": 4, "maxrows": 6}
    row.template_list(kind, "", facts, "targets", facts, "active_target", **rows)
    column = row.column(align=True)
    column.operator("strip_stylizer.object_add", text="", icon="ADD")
    column.operator("strip_stylizer.object_remove", text="", icon="REMOVE")
    column.separator()
    for step, icon in ((-1, "TRIA_UP"), (1, "TRIA_DOWN")):
        column.operator("strip_stylizer.object_move", text="", icon=icon).step = step
    target = targets.active_of(facts)
    if target is not None:
        draw_texts(layout, target)
        if not target.is_background:
            draw_mask(layout, strip, target)


def draw_texts(layout: Any, target: Any) -> None:
    """Show what the chosen entry becomes."""
    becomes = "Text: what the object becomes"
    if target.is_background:
        becomes = "Text: what the background becomes"
    row = layout.row(align=True)
    column = row.column(align=True)
    draw_field(column, target, "global_text", becomes, lines=2)
    draw_field(column, target, "local_text", "Detail text: its surface from close by", lines=1)
    row.operator("strip_stylizer.object_texts", text="", icon="GREASEPENCIL")
    header, body = layout.panel("strip_stylizer_more", default_closed=True)
    header.label(text="Avoid and Picture")
    if body is not None:
        body.prop(target, "avoid", text="", placeholder="Avoid: what it should not look like")
        body.prop(target, "picture", text="")
        if target.picture:
            body.prop(target, "picture_share", slider=True)


def draw_field(column: Any, target: Any, name: str, words: str, *, lines: int) -> None:
    """Show the field of a text: with several lines where Blender has that, else wrapped below."""
    if objects.TAKES_LINES:
        column.textbox(target, name, initial_visible_lines=lines, placeholder=words)
        return
    column.prop(target, name, text="", placeholder=words)
    text = getattr(target, name)
    if len(text) > line_length():
        below = column.column(align=True)
        below.active = False
        draw_text(below, text)


def draw_mask(layout: Any, strip: Any, target: Any) -> None:
    """Show how the chosen object is found."""
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(target, "object_source")
    DRAW_SOURCE.get(target.object_source, draw_nothing)(column, strip, target)
    row = layout.row(align=True)
    row.operator("strip_stylizer.show_mask", icon="MOD_MASK")
    if session.masks_of(strip) is not None:
        manager = bpy.context.window_manager
        shown = manager.strip_stylizer_show_mask
        icon = "HIDE_OFF" if shown else "HIDE_ON"
        row.prop(manager, "strip_stylizer_show_mask", text="", icon=icon, toggle=True)


def draw_nothing(column: Any, strip: Any, target: Any) -> None:
    """The engine finds the object by itself."""


def draw_box(column: Any, strip: Any, target: Any) -> None:
    """Show the box, and how to drag it."""
    column.operator("strip_stylizer.box_draw", icon="SELECT_SET")
    if target.box_width and target.box_height:
        names = ("box_frame", "box_width", "box_height", "box_x", "box_y")
        words = "Frame {box_frame}: {box_width} x {box_height} at {box_x}, {box_y}"
        values = {name: getattr(target, name) for name in names}
        column.label(text=say(words, **values), translate=False)
    header, body = column.panel("strip_stylizer_box", default_closed=True)
    header.label(text="Numbers")
    if body is not None:
        body.prop(target, "box_frame")
        for group in (("box_x", "box_y"), ("box_width", "box_height")):
            part = body.column(align=True)
            for name in group:
                part.prop(target, name)


def draw_strokes(column: Any, strip: Any, target: Any) -> None:
    """Show how many strokes there are, and how to paint."""
    row = column.row(align=True)
    row.operator("strip_stylizer.strokes_paint", icon="BRUSH_DATA")
    if len(target.strokes):
        row.operator("strip_stylizer.strokes_clear", text="", icon="X")
        frames = len({item.frame for item in target.strokes})
        values = {"count": len(target.strokes), "frames": frames}
        column.label(text=say("Strokes: {count}, frames: {frames}", **values), translate=False)


def draw_strip_source(column: Any, strip: Any, target: Any) -> None:
    """Let the user choose a strip."""
    column.prop_search(target, "matte", *strips.searchable(strip.id_data))


DRAW_SOURCE = {
    "box": draw_box,
    "strokes": draw_strokes,
    "mask": lambda column, strip, target: column.prop(target, "mask"),
    "strip": draw_strip_source,
    "files": lambda column, strip, target: column.prop(target, "mask_folder"),
    "detector": lambda column, strip, target: column.prop(target, "class_name"),
}


def draw_quality(layout: Any, facts: Any) -> None:
    """Show preset, seed, strength and how many looks are made."""
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(facts, "preset")
    row = column.row(align=True)
    row.prop(facts.settings, "seed")
    row.operator("strip_stylizer.seed_roll", text="", icon="FILE_REFRESH")
    column.prop(facts.settings.render, "strength", slider=True)
    if hasattr(facts.settings.stylization, "candidates"):
        column.prop(facts.settings.stylization, "candidates")
    if properties.differs_from_preset(facts):
        column.label(text="Changed settings", icon="DOT")
    render = facts.settings.render
    if bpy.app.version < (4, 5) and render.format == "prores" and render.foreground_only:
        draw_text(
            column, "Soft edges of ProRes are too dark in this Blender: choose FFV1", icon="INFO"
        )


def draw_start(layout: Any, strip: Any) -> None:
    """Show what a job needs, and the buttons that start one."""
    column = layout.column(align=True)
    for number, line in enumerate(outlook.lines(strip)):
        column.label(text=line, icon="BLANK1" if number else "TIME", translate=False)
    column = layout.column(align=True)
    row = column.row()
    row.scale_y = 1.5
    row.operator("strip_stylizer.stylize", text="Stylize", icon="BRUSH_DATA")
    column.operator("strip_stylizer.preview", text="Preview", icon="IMAGE_DATA")


CLASSES = (STRIPSTYLIZER_UL_targets, STRIPSTYLIZER_PT_main)
