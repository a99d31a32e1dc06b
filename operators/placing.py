"""Dragging a picture over the preview: a box first, then its corners one by one."""

from typing import Any

import bpy

from . import drawing, folders, ink, layers, marks, strips

ALL = 4
NEAR = 14  # pixels of the screen in which a corner is taken hold of


class STRIPSTYLIZER_OT_picture_drag(drawing.PreviewModal, bpy.types.Operator):
    """Drag a picture over the preview, and its corners where they belong; Esc leaves"""

    bl_idname = "strip_stylizer.picture_drag"
    bl_label = "Drag Picture"
    bl_options = {"REGISTER"}
    hint = (
        "drag a box, then its corners, or the middle of it      arrows: frame      "
        "Enter: done      Esc: leave"
    )

    filepath: bpy.props.StringProperty(
        name="Picture", subtype="FILE_PATH", options=folders.RELATIVE
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Are there layers to lay it on?"""
        return layers.LayersOperator.poll.__func__(cls, context)

    def name_of(self, strip: Any) -> str:
        """Return what is dragged."""
        return bpy.path.basename(self.filepath)

    def begin(self, strip: Any) -> None:
        """No corner yet."""
        super().begin(strip)
        self.corners: list[tuple[float, float]] = []
        self.held: int | None = None  # of the corners; `ALL` for the whole picture
        self.grip, self.is_box = (0.0, 0.0), False

    def follow(self, context: Any, event: Any, strip: Any) -> set[str]:
        """Follow the mouse and the keys."""
        if event.type in {"ESC", "RIGHTMOUSE"} and event.value == "PRESS":
            self.end(context)
            return {"CANCELLED"}
        if event.type in {"RET", "NUMPAD_ENTER", "SPACE"} and event.value == "PRESS":
            return self._finish(context, strip)
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            if not self.inside(event):
                return {"PASS_THROUGH"}
            self._take_hold(event)
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE":
            self._let_go()
        elif event.type == "MOUSEMOVE" and self.held is not None:
            self._move(self.pixel(event))
        elif event.type in drawing.PASS_ON_AND_WHEEL:
            return {"PASS_THROUGH"}
        self.redraw()
        return {"RUNNING_MODAL"}

    def _take_hold(self, event: Any) -> None:
        self.grip = self.pixel(event)
        if not self.corners:
            self.corners, self.held, self.is_box = [self.grip] * 4, 2, True
            return
        self.is_box = False
        reach = NEAR / marks.zoom(self.place[1], self.lies)
        distances = [max(abs(x - self.grip[0]), abs(y - self.grip[1])) for x, y in self.corners]
        nearest = min(range(4), key=lambda number: distances[number])
        self.held = nearest if distances[nearest] <= reach else ALL

    def _move(self, to: tuple[float, float]) -> None:
        if self.is_box:
            self.corners = marks.box_corners(self.corners[0], to)
        elif self.held == ALL:
            across, down = to[0] - self.grip[0], to[1] - self.grip[1]
            self.corners = [(x + across, y + down) for x, y in self.corners]
            self.grip = to
        elif self.held is not None:
            self.corners[self.held] = to

    def _let_go(self) -> None:
        if self.held is None:
            return
        self.held = None
        if not self.is_box:
            return
        xs, ys = zip(*self.corners, strict=True)
        left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        least = drawing.LEAST_DRAG / marks.zoom(self.place[1], self.lies)
        is_large = right - left >= least and bottom - top >= least
        self.corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        self.corners = self.corners if is_large else []  # a click is no box: try again

    def _finish(self, context: Any, strip: Any) -> set[str]:
        frame = layers.frame_of(strip, strips.sequencer_scene(context).frame_current)
        if frame is None or not self.corners:
            return {"RUNNING_MODAL"}
        self.end(context)
        numbers = [number for corner in self.corners for number in corner]
        try:
            return bpy.ops.strip_stylizer.picture_place(
                filepath=self.filepath, frame=frame, corners=numbers
            )
        except RuntimeError as error:  # what the operator reported
            self.report({"ERROR"}, str(error).removeprefix("Error: ").strip())
            return {"CANCELLED"}

    def draw_overlay(self) -> None:
        """Draw the picture's outline and its corners; the first one is the upper left."""
        region = bpy.context.region
        if region.as_pointer() != self.place[1].as_pointer() or not self.corners:
            return
        marks.draw_box(region, self.lies, self.corners)
        for number, corner in enumerate(self.corners):
            centre = marks.to_region(region, self.lies, corner)
            ink.outline(ink.circle(centre, NEAR / (1 if number == 0 else 2)))


CLASSES = (STRIPSTYLIZER_OT_picture_drag,)
