"""The part of the panel *Stylize* about objects: their list, what they become, how they are found.

Draws, changes nothing.
"""

from typing import Any

import bpy

from ..engine.contract.settings import EMBEDDED
from ..engine.contract.words.advice import remarks_on_texts
from ..operators import objects, pins, requests, session, strips, targets
from ..operators.languages import say
from .words import draw_text, fits

LABEL_PART = 0.355  # of the width, for the label before a field
ROWS, ROWS_WITH_ARROWS, ROWS_AT_MOST = 2, 4, 6


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
    has_order = len(facts.targets) > 2  # the background's place is always the last
    row = layout.row()
    rows = {"rows": ROWS_WITH_ARROWS if has_order else ROWS, "maxrows": ROWS_AT_MOST}
    kind = STRIPSTYLIZER_UL_targets.bl_idname
    row.template_list(kind, "", facts, "targets", facts, "active_target", **rows)
    column = row.column(align=True)
    column.operator("strip_stylizer.object_add", text="", icon="ADD")
    column.operator("strip_stylizer.object_remove", text="", icon="REMOVE")
    if has_order:
        column.separator()
        for step, icon in ((-1, "TRIA_UP"), (1, "TRIA_DOWN")):
            column.operator("strip_stylizer.object_move", text="", icon=icon).step = step
    target = targets.active_of(facts)
    if target is not None:
        draw_texts(layout, target)
        if requests.encoder_of(facts).encoder == EMBEDDED:
            draw_remarks(layout, target)
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
    if not fits(text):
        below = column.column(align=True)
        below.active = False
        draw_text(below, text)


def draw_remarks(layout: Any, target: Any) -> None:
    """Show what the embedded encoder cannot read in the texts, and near words."""
    for remark in remarks_on_texts(targets.read_texts(target)):
        icon = "ERROR" if remark.refuses else "INFO"
        draw_text(layout, say(remark.message.words, **remark.message.values), icon=icon)
        below = layout.column(align=True)
        below.active = False
        draw_text(below, say(remark.hints[0].words, **remark.hints[0].values))


def draw_mask(layout: Any, strip: Any, target: Any) -> None:
    """Show how the chosen object is found."""
    column = layout.column()
    split = column.split(factor=LABEL_PART)
    split.label(text="Found By")
    row = split.row(align=True)
    row.prop(target, "object_source", text="")
    # Blender's own word for a button "Mask" is a verb in other languages.
    row.operator("strip_stylizer.show_mask", text=say("Mask"), icon="MOD_MASK", translate=False)
    if session.last_finished(strip, session.Kind.MASKS) is not None:
        draw_eye(row, "strip_stylizer_show_mask")
    column.use_property_split, column.use_property_decorate = True, False
    DRAW_SOURCE.get(target.object_source, draw_nothing)(column, strip, target)
    draw_pins(layout, strip, target)


def draw_eye(row: Any, name: str) -> None:
    """Show the button that hides what lies over the preview, or shows it again."""
    manager = bpy.context.window_manager
    icon = "HIDE_OFF" if getattr(manager, name) else "HIDE_ON"
    row.prop(manager, name, text="", icon=icon, toggle=True)


def draw_pins(layout: Any, strip: Any, target: Any) -> None:
    """Show the pins of the chosen object, how to set and how to remove them."""
    header, body = layout.panel("strip_stylizer_pins", default_closed=True)
    header.label(text=say("Pins: {count}", count=len(target.pins)), translate=False)
    if body is None:
        return
    body.operator("strip_stylizer.pins_set", icon="PINNED")
    row, checks = body.row(align=True), session.last_finished(strip, session.Kind.CHECKS)
    row.operator("strip_stylizer.checks_show", icon="TEXTURE")
    if checks is not None:
        draw_eye(row, "strip_stylizer_show_checks")
        if pins.has_old_pins(checks, strip):
            body.label(text="The checkerboard is of other pins: show it again", icon="INFO")
    number = 0
    for place, item in enumerate(target.pins):
        row, frames = body.row(align=True), ", ".join(map(str, targets.read_spots(item)))
        if frames:
            number += 1
            words = say("Pin {number}, frames: {frames}", number=number, frames=frames)
            row.label(text=words, translate=False)
        else:
            row.label(text="Cannot be read, left out: remove it", icon="ERROR")
        row.operator("strip_stylizer.pin_remove", text="", icon="X").number = place


def draw_nothing(column: Any, strip: Any, target: Any) -> None:
    """The engine finds the object by itself."""


def draw_box(column: Any, strip: Any, target: Any) -> None:
    """Show the box, and how to drag it."""
    column.operator("strip_stylizer.box_draw", icon="SELECT_SET")
    header, body = column.panel("strip_stylizer_box", default_closed=True)
    names = ("box_frame", "box_width", "box_height", "box_x", "box_y")
    words = "Numbers"
    if target.box_width and target.box_height:
        words = "Frame {box_frame}: {box_width} x {box_height} at {box_x}, {box_y}"
    values = {name: getattr(target, name) for name in names}
    header.label(text=say(words, **values), translate=False)
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


def draw_files(column: Any, strip: Any, target: Any) -> None:
    """Let the user choose masks, which object of theirs is meant, and turn them round."""
    column.prop(target, "mask_folder")
    column.prop(target, "mask_label")
    column.prop(target, "mask_inverted")


DRAW_SOURCE = {
    "box": draw_box,
    "strokes": draw_strokes,
    "mask": lambda column, strip, target: column.prop(target, "mask"),
    "strip": draw_strip_source,
    "files": draw_files,
    "name": lambda column, strip, target: column.prop(target, "object_name"),
    "detector": lambda column, strip, target: column.prop(target, "class_name"),
}


CLASSES = (STRIPSTYLIZER_UL_targets,)
