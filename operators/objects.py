"""Operators on the list of a strip's objects, and the dialogs for their texts."""

from typing import Any

import bpy

from . import properties, strips, targets
from .explaining import ExplainedOperator

TEXT_WIDTH = 640
TEXTS = ("global_text", "local_text", "avoid")
ADVICE_LABELS = {
    "global_text": "The whole, as one would describe a photo: Swan with cactus skin",
    "local_text": "Its surface from close by: cactus skin",
    "avoid": "What it should not look like; may stay empty",
}
TAKES_LINES = "textbox" in bpy.types.UILayout.bl_rna.functions  # from Blender 5.2 on


class ObjectOperator(ExplainedOperator):
    """What operators on the list share: a strip that someone can ask something of."""

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """No source strip may be active."""
        return why_no_source(strips.active_strip(context))


def why_no_source(strip: Any | None) -> str:
    """Say why nothing can be asked of this strip and what to do about it; or ''."""
    reason = strips.why_unusable(strip)
    if not reason and properties.of(strip).result_of:
        return "Select a source strip, not a stylized one"
    return reason


def chosen_target(context: Any) -> Any:
    """Return the chosen entry of the active strip's list, which is filled where it is empty."""
    facts = properties.of(strips.active_strip(context))
    targets.ensure(facts)
    return targets.active_of(facts)


def target_for_drawing(facts: Any) -> Any:
    """Return the chosen object; the first one where the background is chosen."""
    targets.ensure(facts)
    target = targets.active_of(facts)
    if target is None or target.is_background:
        objects = targets.objects_of(facts)
        target = objects[0] if objects else targets.add_object(facts)
    return target


class ChosenOperator(ObjectOperator):
    """What operators on the chosen object share."""

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """The background may be chosen, or nothing."""
        if reason := super().why_disabled(context):
            return reason
        target = targets.active_of(properties.of(strips.active_strip(context)))
        if target is None or target.is_background:
            return "Choose an object in the list: the background is always last"
        return ""


class STRIPSTYLIZER_OT_object_add(ObjectOperator, bpy.types.Operator):
    """Add an object behind the others and in front of the background"""

    bl_idname = "strip_stylizer.object_add"
    bl_label = "Add Object"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        """Add it."""
        targets.add_object(properties.of(strips.active_strip(context)))
        return {"FINISHED"}


class STRIPSTYLIZER_OT_object_remove(ChosenOperator, bpy.types.Operator):
    """Remove the chosen object with its texts, box and strokes"""

    bl_idname = "strip_stylizer.object_remove"
    bl_label = "Remove Object"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        """Remove it."""
        facts = properties.of(strips.active_strip(context))
        facts.targets.remove(facts.active_target)
        facts.active_target = max(0, min(facts.active_target, len(facts.targets) - 2))
        return {"FINISHED"}


class STRIPSTYLIZER_OT_object_move(ChosenOperator, bpy.types.Operator):
    """Move the chosen object to the front or to the back; the first hides the others"""

    bl_idname = "strip_stylizer.object_move"
    bl_label = "Move Object"
    bl_options = {"REGISTER", "UNDO"}

    step: bpy.props.IntProperty(
        name="Step", description="-1 towards the front, 1 towards the back", default=-1
    )

    def execute(self, context: Any) -> set[str]:
        """Change places with a neighbour."""
        facts = properties.of(strips.active_strip(context))
        place = facts.active_target + self.step
        if not 0 <= place < len(targets.objects_of(facts)):
            self.report({"INFO"}, "The object cannot go further")
            return {"CANCELLED"}
        facts.targets.move(facts.active_target, place)
        facts.active_target = place
        return {"FINISHED"}


def _take_from_text(self: Any, context: Any) -> None:
    """Fill the fields from the paragraphs of a text of the text editor."""
    text = bpy.data.texts.get(self.text)
    if text is not None:
        paragraphs = [targets.in_one_line(part) for part in text.as_string().split("\n\n")]
        for name, words in zip(TEXTS, filter(None, paragraphs), strict=False):
            setattr(self, name, words)


class STRIPSTYLIZER_OT_object_texts(ObjectOperator, bpy.types.Operator):
    """Write the texts of the chosen object in a wide dialog"""

    bl_idname = "strip_stylizer.object_texts"
    bl_label = "Edit Texts"
    bl_options = {"REGISTER", "UNDO"}

    global_text: bpy.props.StringProperty(name="Text", description="What it becomes")
    local_text: bpy.props.StringProperty(
        name="Detail Text", description="What it looks like from close by"
    )
    avoid: bpy.props.StringProperty(name="Avoid", description="What it should not look like")
    text: bpy.props.StringProperty(
        name="From Text Editor",
        description="A text whose first three paragraphs are text, detail text and avoid",
        update=_take_from_text,
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Begin with what is there."""
        target = chosen_target(context)
        for name in TEXTS:
            setattr(self, name, getattr(target, name))
        return context.window_manager.invoke_props_dialog(self, width=TEXT_WIDTH)

    def draw(self, context: Any) -> None:
        """Show wide fields with a line of advice above each."""
        for name, words in ADVICE_LABELS.items():
            column = self.layout.column()
            column.label(text=words)
            if TAKES_LINES:
                column.textbox(self, name, initial_visible_lines=3)
            else:
                column.prop(self, name, text="")
        if len(bpy.data.texts):
            self.layout.prop_search(self, "text", bpy.data, "texts")

    def execute(self, context: Any) -> set[str]:
        """Write them back."""
        target = chosen_target(context)
        for name in TEXTS:
            setattr(target, name, getattr(self, name))
        return {"FINISHED"}


class STRIPSTYLIZER_OT_strokes_clear(ChosenOperator, bpy.types.Operator):
    """Remove the strokes of the chosen object"""

    bl_idname = "strip_stylizer.strokes_clear"
    bl_label = "Clear Strokes"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        """Remove them."""
        targets.active_of(properties.of(strips.active_strip(context))).strokes.clear()
        return {"FINISHED"}


class STRIPSTYLIZER_OT_seed_roll(ObjectOperator, bpy.types.Operator):
    """Take the next seed, for another look of the same texts"""

    bl_idname = "strip_stylizer.seed_roll"
    bl_label = "Take Next Seed"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        """Count on."""
        properties.of(strips.active_strip(context)).settings.seed += 1
        return {"FINISHED"}


CLASSES = (
    STRIPSTYLIZER_OT_object_add,
    STRIPSTYLIZER_OT_object_remove,
    STRIPSTYLIZER_OT_object_move,
    STRIPSTYLIZER_OT_object_texts,
    STRIPSTYLIZER_OT_strokes_clear,
    STRIPSTYLIZER_OT_seed_roll,
)


def ensure_soon(strip: Any) -> None:
    """Give a strip its list when drawing is over: drawing itself may not change anything."""
    scene, name = strip.id_data.name, strip.name

    def ensure() -> None:
        owner = bpy.data.scenes.get(scene)
        found = [s for s in strips.all_strips(owner) if s.name == name] if owner else []
        for each in found:
            targets.ensure(properties.of(each))
        strips.redraw()

    bpy.app.timers.register(ensure, first_interval=0.0)
