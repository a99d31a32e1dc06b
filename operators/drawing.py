"""Showing the object by hand: a box dragged, or strokes painted, over the preview."""

from typing import Any

import bpy

from ..engine.contract.job import Stroke
from . import ink, marks, placement, properties, session, strips, targets
from .objects import ObjectOperator, target_for_drawing

WHEEL = {"WHEELUPMOUSE": 1.15, "WHEELDOWNMOUSE": 1 / 1.15}
BRACKETS = {"RIGHT_BRACKET": 1.15, "LEFT_BRACKET": 1 / 1.15}
PASSED_ON = {
    "MIDDLEMOUSE", "LEFT_ARROW", "RIGHT_ARROW", "UP_ARROW", "DOWN_ARROW", "HOME", "TIMER",
    "NUMPAD_PLUS", "NUMPAD_MINUS", "TRACKPADPAN", "TRACKPADZOOM", "WINDOW_DEACTIVATE",
}  # fmt: skip
LEAST_DRAG = 3  # pixels on the screen
FIRST_RADIUS = 0.03  # of the picture's longer side


class PreviewModal(ObjectOperator):
    """What both ways share: the preview's region, coordinates, the overlay, the end."""

    hint = ""

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Find the preview and begin to listen."""
        self.place = marks.preview_region(context)
        if self.place is None:
            self.report({"ERROR"}, "Show the preview: choose Sequencer & Preview in the header.")
            return {"CANCELLED"}
        strip = strips.active_strip(context)
        self.drawn_for = strip.id_data.name, strip.name
        self.frame = marks.current_frame(context, strip)
        if self.frame is None:
            self.report({"ERROR"}, f"Go to a frame that {strip.name} shows first.")
            return {"CANCELLED"}
        self.called = self.name_of(strip)
        self.begin(strip)
        session.state.draws_by_hand = True
        kind = bpy.types.SpaceSequenceEditor
        self.handler = kind.draw_handler_add(self.draw_overlay, (), "PREVIEW", "POST_PIXEL")
        context.window.cursor_modal_set("CROSSHAIR")
        context.workspace.status_text_set(f"{self.called}: {self.hint}")
        context.window_manager.modal_handler_add(self)
        self.redraw()
        return {"RUNNING_MODAL"}

    def name_of(self, strip: Any) -> str:
        """Return what is drawn for: the chosen object's name."""
        return target_for_drawing(properties.of(strip)).name

    def modal(self, context: Any, event: Any) -> set[str]:
        """Follow mouse and keys for as long as there is something to draw on."""
        strip = self.strip()
        if strip is None:
            self.end(context)
            return {"CANCELLED"}
        return self.follow(context, event, strip)

    def strip(self) -> Any | None:
        """Return the strip that is drawn for, whichever is active by now; None where it is gone."""
        scene, name = self.drawn_for
        found = strips.all_strips(bpy.data.scenes[scene]) if scene in bpy.data.scenes else ()
        return next((strip for strip in found if strip.name == name), None)

    def execute(self, context: Any) -> set[str]:
        """Only a mouse can do this; scripts write the properties."""
        self.report({"ERROR"}, "Scripts set box or strokes on the strip's objects instead.")
        return {"CANCELLED"}

    def end(self, context: Any) -> None:
        """Leave everything as it was found."""
        bpy.types.SpaceSequenceEditor.draw_handler_remove(self.handler, "PREVIEW")
        session.state.draws_by_hand = False
        context.window.cursor_modal_restore()
        context.workspace.status_text_set(None)
        self.redraw()

    def cancel(self, context: Any) -> None:
        """Blender itself ends the operator: a file is loaded, the window closes."""
        self.end(context)

    def end_on_key(self, context: Any, event: Any, strip: Any) -> set[str] | None:
        """Leave on Esc, `keep` what was drawn on Enter and end; None on other keys."""
        if event.type in {"ESC", "RIGHTMOUSE"}:
            self.end(context)
            return {"CANCELLED"}
        if event.type not in {"RET", "NUMPAD_ENTER", "SPACE"}:
            return None
        self.keep(target_for_drawing(properties.of(strip)))
        self.end(context)
        return {"FINISHED"}

    def keep(self, target: Any) -> None:
        """Store what was drawn in the object that it was drawn for."""

    def redraw(self) -> None:
        """Let the preview draw again."""
        self.place[0].tag_redraw()

    def inside(self, event: Any) -> bool:
        """Is the mouse over the preview?"""
        region = self.place[1]
        x, y = event.mouse_x - region.x, event.mouse_y - region.y
        return 0 <= x < region.width and 0 <= y < region.height

    def pixel(self, event: Any) -> tuple[float, float]:
        """Return the pixel of the strip's picture under the mouse."""
        region = self.place[1]
        x, y = event.mouse_x - region.x, event.mouse_y - region.y
        return self.lies.to_picture(*region.view2d.region_to_view(x, y))

    def begin(self, strip: Any) -> None:
        """Remember how the picture lies."""
        self.lies = placement.of(strip)


class STRIPSTYLIZER_OT_box_draw(PreviewModal, bpy.types.Operator):
    """Drag a box around the chosen object over the preview; Esc leaves the old one"""

    bl_idname = "strip_stylizer.box_draw"
    bl_label = "Drag Box"
    bl_options = {"REGISTER", "UNDO"}
    hint = "drag a box around the object, close to its edges      Esc: leave"

    def begin(self, strip: Any) -> None:
        """No corner yet."""
        super().begin(strip)
        self.first = self.last = None

    def follow(self, context: Any, event: Any, strip: Any) -> set[str]:
        """Follow the mouse."""
        if event.type in {"ESC", "RIGHTMOUSE"} and event.value == "PRESS":
            self.end(context)
            return {"CANCELLED"}
        if event.type == "MOUSEMOVE":
            self.last = self.pixel(event)
            self.redraw()
        elif event.type == "LEFTMOUSE" and event.value == "PRESS":
            if not self.inside(event):
                return {"PASS_THROUGH"} if self.first is None else {"RUNNING_MODAL"}
            self.first = self.last = self.pixel(event)
            self.began = event.mouse_x, event.mouse_y
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE" and self.first is not None:
            return self._release(context, event, strip)
        elif event.type in PASS_ON_AND_WHEEL:
            return {"PASS_THROUGH"}
        return {"RUNNING_MODAL"}

    def _release(self, context: Any, event: Any, strip: Any) -> set[str]:
        moved = max(abs(event.mouse_x - self.began[0]), abs(event.mouse_y - self.began[1]))
        if moved < LEAST_DRAG:
            self.first = None  # a click is no box: let the user try again
            return {"RUNNING_MODAL"}
        target = target_for_drawing(properties.of(strip))
        frame = marks.current_frame(context, strip)
        box = placement.box_of(self.first, self.pixel(event), self.lies.size)
        target.object_source = "box"
        target.box_frame = self.frame if frame is None else frame
        target.box_x, target.box_y, target.box_width, target.box_height = box
        self.end(context)
        return {"FINISHED"}

    def draw_overlay(self) -> None:
        """Draw the box that would be taken."""
        if bpy.context.region.as_pointer() != self.place[1].as_pointer():
            return
        if self.first is not None and self.last is not None:
            marks.draw_box(bpy.context.region, self.lies, marks.box_corners(self.first, self.last))


class STRIPSTYLIZER_OT_strokes_paint(PreviewModal, bpy.types.Operator):
    """Paint over the chosen object in the preview; with Ctrl over what is not the object"""

    bl_idname = "strip_stylizer.strokes_paint"
    bl_label = "Paint Strokes"
    bl_options = {"REGISTER", "UNDO"}
    hint = (
        "paint the object      Ctrl or X: not the object      [ ] or wheel: size      "
        "Ctrl Z: undo      arrows: frame      Enter: done      Esc: leave"
    )

    def begin(self, strip: Any) -> None:
        """Begin with the strokes that are there."""
        super().begin(strip)
        target = target_for_drawing(properties.of(strip))
        self.strokes = [targets.read_stroke(item) for item in target.strokes]
        self.radius = FIRST_RADIUS * max(self.lies.size)
        if self.strokes:
            self.radius = self.strokes[-1].radius
        self.points: list[float] = []
        self.mouse, self.is_object, self.painting = None, True, True

    def follow(self, context: Any, event: Any, strip: Any) -> set[str]:
        """Follow the mouse and the keys."""
        if event.value == "PRESS" and (end := self.end_on_key(context, event, strip)):
            return end
        if event.type == "MOUSEMOVE":
            self.mouse = self.pixel(event)
            if self.points:
                self._extend()
        elif event.type == "LEFTMOUSE" and event.value == "PRESS":
            if not self.inside(event):
                return {"PASS_THROUGH"}
            self.frame = marks.current_frame(context, strip)
            if self.frame is not None:
                self.painting = self.is_object and not event.ctrl
                self.mouse = self.pixel(event)
                self.points = list(self.mouse)
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE":
            self._finish_stroke()
        elif event.type in {**WHEEL, **BRACKETS} and self.inside(event):
            if event.value == "PRESS":
                self.radius = max(1.0, self.radius * {**WHEEL, **BRACKETS}[event.type])
        elif event.type == "X" and event.value == "PRESS":
            self.is_object = not self.is_object
        elif event.type == "Z" and event.value == "PRESS" and event.ctrl:
            self.strokes = self.strokes[:-1]
        elif event.type in PASSED_ON:
            return {"PASS_THROUGH"}
        self.redraw()
        return {"RUNNING_MODAL"}

    def keep(self, target: Any) -> None:
        """Store the strokes, the one that is being painted as well."""
        self._finish_stroke()
        target.strokes.clear()
        for stroke in self.strokes:
            targets.add_stroke(target, stroke)
        if self.strokes:
            target.object_source = "strokes"

    def _extend(self) -> None:
        """Add the mouse's place where it moved on by a part of the brush."""
        across, along = self.mouse[0] - self.points[-2], self.mouse[1] - self.points[-1]
        if max(abs(across), abs(along)) >= max(1.0, self.radius / 4):
            self.points += self.mouse

    def _finish_stroke(self) -> None:
        if self.points and self.frame is not None:
            points = tuple(round(number, 1) for number in self.points)
            stroke = Stroke(self.frame, points, round(self.radius, 2), self.painting)
            self.strokes.append(stroke)
        self.points = []

    def draw_overlay(self) -> None:
        """Draw the strokes of this frame and the brush."""
        region = bpy.context.region
        strip = self.strip()
        if strip is None or region.as_pointer() != self.place[1].as_pointer():
            return
        frame = marks.current_frame(bpy.context, strip)
        shown = [stroke for stroke in self.strokes if stroke.frame == frame]
        if self.points:
            shown.append(Stroke(0, tuple(self.points), self.radius, self.painting))
        for stroke in shown:
            marks.draw_stroke(region, self.lies, stroke)
        if self.mouse is not None:
            centre, radius = marks.to_region(region, self.lies, self.mouse), self.radius
            ink.outline(ink.circle(centre, radius * marks.zoom(region, self.lies)))


PASS_ON_AND_WHEEL = PASSED_ON | set(WHEEL)
CLASSES = (STRIPSTYLIZER_OT_box_draw, STRIPSTYLIZER_OT_strokes_paint)
