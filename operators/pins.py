"""Setting pins over the preview: the same spot of the object, where it is on several frames."""

import dataclasses
from typing import Any

import bpy

from ..engine.contract.job import JobSpec, Stage
from . import drawing, layers, marks, properties, requests, session, starting, strips, targets
from .objects import ChosenOperator, target_for_drawing

NEAR = 12  # pixels of the screen in which a pin is taken hold of


class STRIPSTYLIZER_OT_pins_set(drawing.PreviewModal, bpy.types.Operator):
    """Show the same spot of the object on several frames: the texture follows it; Esc leaves"""

    bl_idname = "strip_stylizer.pins_set"
    bl_label = "Set Pins"
    bl_options = {"REGISTER", "UNDO"}
    hint = (
        "click: new pin, on another frame drag it to where the spot is      X: remove      "
        "C: checkerboard      Ctrl Z: undo      arrows: frame      Enter: done      Esc: leave"
    )

    def begin(self, strip: Any) -> None:
        """Begin with the pins that are there."""
        super().begin(strip)
        target = target_for_drawing(properties.of(strip))
        self.pins = targets.spots_of(target)
        self.before: list[list[targets.Spots]] = []  # for undo
        self.held: int | None = None
        self.mouse = (0.0, 0.0)

    def follow(self, context: Any, event: Any, strip: Any) -> set[str]:
        """Follow the mouse and the keys."""
        if event.value == "PRESS" and (end := self.end_on_key(context, event, strip)):
            return end
        if event.type == "MOUSEMOVE":
            self.mouse = self.pixel(event)
            if self.held is not None and self.frame is not None:
                self.pins[self.held][self.frame] = self.mouse
        elif event.type == "LEFTMOUSE" and event.value == "PRESS":
            if not self.inside(event):
                return {"PASS_THROUGH"}
            self.mouse, self.frame = self.pixel(event), marks.current_frame(context, strip)
            if self.frame is not None:
                self._take_hold(self.frame)
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE":
            self.held = None
        elif event.type in {"X", "DEL"} and event.value == "PRESS":
            self._remove(marks.current_frame(context, strip))
        elif event.type == "C" and event.value == "PRESS":
            manager = context.window_manager
            manager.strip_stylizer_show_checks = not manager.strip_stylizer_show_checks
        elif event.type == "Z" and event.value == "PRESS" and event.ctrl:
            self.pins, self.held = self.before.pop() if self.before else self.pins, None
        elif event.type in drawing.PASS_ON_AND_WHEEL:
            return {"PASS_THROUGH"}
        self.redraw()
        return {"RUNNING_MODAL"}

    def keep(self, target: Any) -> None:
        """Store the pins."""
        targets.write_pins(target, self.pins)

    def _take_hold(self, frame: int) -> None:
        """Take hold of the pin beneath the mouse, or set a new one there."""
        self._remember()
        self.held = self._nearest(frame)
        if self.held is None:
            self.held = len(self.pins)
            self.pins.append({})
        self.pins[self.held][frame] = self.mouse

    def _remove(self, frame: int | None) -> None:
        """Remove the pin beneath the mouse from this frame; one of other frames as a whole."""
        number = None if frame is None else self._nearest(frame)
        if number is None:
            return
        self._remember()
        self.held = None
        spots = self.pins[number]
        spots.pop(frame) if frame in spots else spots.clear()
        self.pins = [each for each in self.pins if each]

    def _remember(self) -> None:
        self.before.append([dict(spots) for spots in self.pins])

    def _nearest(self, frame: int) -> int | None:
        """Return the number of the pin that is drawn beneath the mouse, None where none is."""
        reach = NEAR / marks.zoom(self.place[1], self.lies)
        places = [marks.spot_at(spots, frame) for spots in self.pins]
        far = [max(abs(x - self.mouse[0]), abs(y - self.mouse[1])) for x, y in places]
        nearest = min(range(len(far)), key=far.__getitem__, default=None)
        return nearest if nearest is not None and far[nearest] <= reach else None

    def draw_overlay(self) -> None:
        """Draw the pins: filled where they are set on this frame, else where they may be."""
        region, strip = bpy.context.region, self.strip()
        if strip is None or region.as_pointer() != self.place[1].as_pointer():
            return
        frame = marks.current_frame(bpy.context, strip)
        if frame is not None:
            marks.draw_pins(region, self.lies, self.pins, frame)


class STRIPSTYLIZER_OT_checks_show(starting.StartOperator, bpy.types.Operator):
    """Show a checkerboard on the objects over the preview: where it slides, a texture will, too"""

    bl_idname = "strip_stylizer.checks_show"
    bl_label = "Show Checkerboard"
    bl_options = {"REGISTER"}

    def start(self, context: Any) -> list[session.Job]:
        """Start a job that ends when the layers are there, and corrected by the pins."""
        strip = starting.checked_strip(context)
        draft = requests.request(strip, Stage.DECOMPOSITION)
        context.window_manager.strip_stylizer_show_checks = True
        return [starting.begin(strip.id_data, strip, draft, kind=session.Kind.CHECKS)]


def has_old_pins(job: session.Job, strip: Any) -> bool:
    """Was the checkerboard of a job made with other pins than a strip has now?"""
    assert job.spec is not None, "a finished job has its request"
    return [each.pins for each in job.spec.objects] != targets.pins_of(properties.of(strip))


class STRIPSTYLIZER_OT_pin_remove(ChosenOperator, bpy.types.Operator):
    """Remove a pin of the chosen object"""

    bl_idname = "strip_stylizer.pin_remove"
    bl_label = "Remove Pin"
    bl_options = {"REGISTER", "UNDO"}

    number: bpy.props.IntProperty(name="Number", description="Which pin, from 0", min=0)

    def execute(self, context: Any) -> set[str]:
        """Remove it."""
        pins = targets.active_of(properties.of(strips.active_strip(context))).pins
        if self.number >= len(pins):
            self.report({"ERROR"}, f"There are {len(pins)} pins: choose one of them.")
            return {"CANCELLED"}
        pins.remove(self.number)
        return {"FINISHED"}


class STRIPSTYLIZER_OT_pins_follow(layers.LayersOperator, bpy.types.Operator):
    """Make this take once more with the pins of its source: nothing is trained again"""

    bl_idname = "strip_stylizer.pins_follow"
    bl_label = "Follow Pins"
    bl_options = {"REGISTER"}

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be no take, or no pins that it does not have yet."""
        strip = strips.active_strip(context)
        if strip is None or not properties.of(strip).result_of:
            return "Select a stylized strip"
        if reason := super().why_disabled(context):
            return reason
        job = session.job_of(strip)
        assert job is not None and job.spec is not None  # else there is a reason
        wanted = targets.pins_of(properties.of(layers.source_of(strip)))
        if wanted == [each.pins for each in job.spec.objects]:
            return "Set pins on the source strip first: this take has them already"
        return ""

    def start(self, context: Any) -> list[session.Job]:
        """Start the job of the take."""
        strip = strips.active_strip(context)
        source = layers.source_of(strip)
        wanted = targets.pins_of(properties.of(source))

        def pin(spec: JobSpec) -> JobSpec:
            if len(spec.objects) != len(wanted):
                count = len(spec.objects)
                raise strips.Unusable(f"The take has {count} objects, its source {len(wanted)}")
            pinned = tuple(
                dataclasses.replace(each, pins=pins)
                for each, pins in zip(spec.objects, wanted, strict=True)
            )
            return dataclasses.replace(spec, objects=pinned, layers=None, until=None)

        return [layers.start_from(strip, pin, output=starting.output_of(""))]


CLASSES = (
    STRIPSTYLIZER_OT_pins_set,
    STRIPSTYLIZER_OT_checks_show,
    STRIPSTYLIZER_OT_pin_remove,
    STRIPSTYLIZER_OT_pins_follow,
)
