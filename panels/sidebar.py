"""The tab in the sequencer's sidebar: the source strip. Draws, changes nothing.

It is kept short: in Blender's own layout of a window of 1080 lines the button *Stylize* and the job
below it are seen without scrolling. What is seldom changed lies behind the preset's arrow.
"""

from pathlib import Path
from typing import Any

import bpy

from ..engine.contract.settings import EMBEDDED
from ..operators import farm, objects, outlook, properties, requests, session, strips
from ..operators.languages import say
from . import job_view, object_view
from .words import draw_text

THUMBNAIL_SCALE = 2.0
LABEL_PART = 0.29  # of the width right of the arrow, so that fields begin below each other
START_PART = 0.62  # of the width, for the button Stylize beside Preview


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
            object_view.draw_objects(layout, strip, facts)
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
    footage = strips.facts_of(strip)
    row = layout.row()
    icon = thumbnail_of(strip)
    if icon:
        row.template_icon(icon_value=icon, scale=THUMBNAIL_SCALE)
    column = row.column(align=True)
    column.label(text=footage.name, icon="NONE" if icon else "SEQUENCE", translate=False)
    words = "{frames} frames, {width} x {height}"
    size = {"frames": footage.frames, "width": footage.width, "height": footage.height}
    column.label(text=f"{say(words, **size)}{source_label(facts)}", translate=False)


def source_label(facts: Any) -> str:
    """Return how the strip is read, where that was chosen."""
    if facts.source == "automatic":
        return ""
    return f", {say(next(name for value, name, _ in properties.SOURCES if value == facts.source))}"


def thumbnail_of(strip: Any) -> int:
    """Return the icon of the strip's media, 0 where there is none."""
    if bpy.app.background or strip.type not in ("MOVIE", "IMAGE"):
        return 0
    if strip.type == "MOVIE":
        return session.thumbnail(bpy.path.abspath(strip.filepath), movie=True)
    path = Path(bpy.path.abspath(strip.directory)) / strip.elements[0].filename
    return session.thumbnail(str(path), movie=False)


def draw_quality(layout: Any, facts: Any) -> None:
    """Show the preset; behind its arrow encoder, seed, strength, candidates, how the strip is read.

    An encoder that the texts made necessary is shown always.
    """
    header, body = layout.panel("strip_stylizer_quality", default_closed=True)
    split = header.split(factor=LABEL_PART)
    split.label(text="Changed" if properties.differs_from_preset(facts) else "Preset")
    split.prop(facts, "preset", text="")
    if body is not None:
        draw_details(body, facts)
    choice = requests.encoder_of(facts)
    needed = choice.encoder not in (facts.settings.stylization.encoder, EMBEDDED)
    if body is not None or needed:
        below = (layout if body is None else body).column()
        below.active = False
        draw_text(below, say(choice.reason.words, **choice.reason.values))
    render = facts.settings.render
    if bpy.app.version < (4, 5) and render.format == "prores" and render.foreground_only:
        draw_text(
            layout, "Soft edges of ProRes are too dark in this Blender: choose FFV1", icon="INFO"
        )


def draw_details(body: Any, facts: Any) -> None:
    """Show what is chosen now and then."""
    column = body.column()
    column.use_property_split, column.use_property_decorate = True, False
    row = column.row(align=True)
    row.prop(facts.settings, "seed")
    row.operator("strip_stylizer.seed_roll", text="", icon="FILE_REFRESH")
    column.prop(facts.settings.render, "strength", slider=True)
    if hasattr(facts.settings.stylization, "candidates"):
        column.prop(facts.settings.stylization, "candidates")
    column.prop(facts, "source")


def draw_start(layout: Any, strip: Any) -> None:
    """Show what a job needs, and the buttons that start one."""
    draw_text(layout, outlook.sentence(strip), icon="TIME")
    split = layout.split(factor=START_PART, align=True)
    split.scale_y = 1.4
    split.operator("strip_stylizer.stylize", text="Stylize", icon="BRUSH_DATA")
    split.operator("strip_stylizer.preview", text="Preview", icon="IMAGE_DATA")
    if farm.address():
        layout.operator("strip_stylizer.farm_send", icon="NETWORK_DRIVE")


CLASSES = (*object_view.CLASSES, STRIPSTYLIZER_PT_main)
