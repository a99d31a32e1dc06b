"""The tab in the sequencer's sidebar. Reads properties and the session; draws, changes nothing."""

from typing import Any

import bpy

from ..operators import properties, session, strips

WARNINGS_SHOWN = 2
LINE_LENGTH = 46


class SidebarPanel:
    """Where all panels of this extension are."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Stylize"


class STRIPSTYLIZER_PT_main(SidebarPanel, bpy.types.Panel):
    """Text, object and quality of the active strip, and its job"""

    bl_idname = "STRIPSTYLIZER_PT_main"
    bl_label = "Stylize"

    def draw(self, context: Any) -> None:
        """Show what fits the active strip: how to get an engine, a source, or a result."""
        layout = self.layout
        if session.engine() != "ready":
            draw_engine(layout)
        if strips.sequencer_scene(context) is None:
            layout.label(text="Choose a scene in the header", icon="INFO")
            return
        strip = strips.active_strip(context)
        if strip is not None and properties.of(strip).result_of:
            draw_result(layout, strip)
            return
        reason = strips.why_unusable(strip)
        if reason:
            draw_text(layout, reason, icon="INFO")
            return
        draw_source(layout, strip)
        job = session.job_of(strip)
        if job is not None:
            draw_job(layout, job)


class STRIPSTYLIZER_PT_jobs(SidebarPanel, bpy.types.Panel):
    """All jobs of this session and of this file"""

    bl_idname = "STRIPSTYLIZER_PT_jobs"
    bl_label = "Jobs"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is there anything to list?"""
        return bool(session.state.jobs)

    def draw(self, context: Any) -> None:
        """Show one box for each job, the last one first."""
        for job in session.newest_first():
            box = self.layout.box()
            box.label(text=f"{job.place.strip}: {job.text}", translate=False)
            draw_progress(box, job)


# --- parts ---------------------------------------------------------------------------------------


def draw_engine(layout: Any) -> None:
    """Show how to get an engine, or how far its installation is."""
    setup = session.state.setup
    if setup is not None and not setup.ended:
        row = layout.row(align=True)
        row.progress(text=setup.label, factor=setup.fraction)
        row.operator("strip_stylizer.engine_cancel", text="", icon="X")
        return
    layout.label(text=f"Engine: {session.engine()}")
    if setup is not None and setup.error:
        draw_text(layout, setup.error, icon="ERROR")
    if session.engine() == "ready":
        return
    if not bpy.app.online_access:
        draw_text(layout, "Blender is offline: the download needs online access", icon="INTERNET")
    layout.operator("strip_stylizer.engine_install", icon="IMPORT")
    layout.operator("strip_stylizer.engine_choose", icon="FILE_FOLDER")


def draw_source(layout: Any, strip: Any) -> None:
    """Show what is asked for, and the button."""
    facts, of_strip = properties.of(strip), strips.facts_of(strip)
    layout.label(text=of_strip.name, icon="SEQUENCE", translate=False)
    layout.label(text=f"{of_strip.frames} frames, {of_strip.width} x {of_strip.height}")
    column = layout.column()
    column.prop(facts, "global_text", text="", placeholder="Text: what the object becomes")
    column.prop(facts, "local_text", text="", placeholder="Detail text, seen from close by")
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(facts, "object_source")
    draw_object(column, facts)
    column.prop(facts, "preset")
    if properties.differs_from_preset(facts):
        column.label(text="Changed settings", icon="DOT")
    column.prop(facts.settings, "seed")
    row = layout.row()
    row.scale_y = 1.4
    row.operator("strip_stylizer.stylize", text="Stylize", icon="BRUSH_DATA")


def draw_object(column: Any, facts: Any) -> None:
    """Show what the chosen object source needs."""
    if facts.object_source == "box":
        column.prop(facts, "box_frame")
        for group in (("box_x", "box_y"), ("box_width", "box_height")):
            part = column.column(align=True)
            for name in group:
                part.prop(facts, name)
    if facts.object_source == "files":
        column.prop(facts, "mask_folder")


def draw_job(layout: Any, job: session.Job) -> None:
    """Show a job: its picture, how far it is, and what can be done with it."""
    box = layout.box()
    if job.icon:
        box.template_icon(icon_value=job.icon, scale=8.0)
    draw_progress(box, job)
    for message, hint in job.status.warnings[-WARNINGS_SHOWN:]:
        draw_text(box, f"{message} {hint}", icon="INFO")
    if job.status.device:
        box.label(text=f"Device: {job.status.device}", translate=False)


def draw_progress(box: Any, job: session.Job) -> None:
    """Show a bar with a cross while the job runs, and how it ended afterwards."""
    if not job.status.ended:
        row = box.row(align=True)
        row.progress(text=job.label, factor=job.fraction)
        action(row, "job_cancel", job, text="", icon="X")
    elif job.arrived and not job.note:
        box.label(text=f"{job.status.frames} frames finished", icon="CHECKMARK")
        draw_buttons(box, job)
    elif job.status.frames:
        draw_text(box, job.note or "The result is being placed", icon="INFO")
        draw_buttons(box, job)
    else:
        draw_text(box, job.sentence, icon="ERROR")
        row = box.row(align=True)
        action(row, "job_resume", job, text="Retry", icon="FILE_REFRESH")
        action(row, "job_log", job, text="Log", icon="TEXT")
        action(row, "job_remove", job, text="", icon="X")


def draw_buttons(layout: Any, job: session.Job) -> None:
    """Show what can be done with a finished job."""
    if strips.find_result(job.id) is None:
        action(layout, "import_result", job, icon="IMPORT")
    row = layout.row(align=True)
    row.operator("strip_stylizer.compare", text="Compare", icon="HIDE_OFF")
    action(row, "reveal", job, text="Reveal", icon="FILE_FOLDER")
    action(row, "job_remove", job, text="", icon="X")


def draw_result(layout: Any, strip: Any) -> None:
    """Show what a stylized strip was made from."""
    recipe = strips.recipe_of(strip)
    layout.label(text="Stylized Strip", icon="BRUSH_DATA")
    draw_text(layout, recipe.get("global_text", ""))
    if recipe.get("local_text"):
        draw_text(layout, recipe["local_text"])
    layout.label(text=f"Source: {recipe.get('strip', 'unknown')}", translate=False)
    layout.operator("strip_stylizer.compare", icon="HIDE_OFF")
    layout.operator("strip_stylizer.reuse_settings", icon="COPYDOWN")
    job = session.job_of(strip)
    if job is not None:
        action(layout, "reveal", job, icon="FILE_FOLDER")


def action(layout: Any, name: str, job: session.Job, *, icon: str, text: str | None = None) -> None:
    """Show the button of an operator on ``job``."""
    label = {} if text is None else {"text": text}
    layout.operator(f"strip_stylizer.{name}", icon=icon, **label).job = job.id


def draw_text(layout: Any, text: str, *, icon: str = "NONE") -> None:
    """Show a sentence on as many lines as it needs."""
    column = layout.column(align=True)
    for number, line in enumerate(lines_of(text)):
        sign = icon if number == 0 else ("NONE" if icon == "NONE" else "BLANK1")
        column.label(text=line, icon=sign, translate=False)


def lines_of(text: str) -> list[str]:
    """Break a text into lines for the sidebar."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= LINE_LENGTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


CLASSES = (STRIPSTYLIZER_PT_main, STRIPSTYLIZER_PT_jobs)
