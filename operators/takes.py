"""Operators on takes: step, compare with the source, use the recipe again, make the next one."""

import dataclasses
import json
from typing import Any

import bpy

from ..engine.contract import codec
from . import edits, properties, requests, session, starting, strips, targets
from .explaining import ExplainedOperator
from .objects import ObjectOperator


class TakeOperator(ExplainedOperator):
    """What operators on a stylized strip share."""

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """No stylized strip may be active whose source is there."""
        strip = strips.active_strip(context)
        if strip is not None and strips.recipe_of(strip) and strips.source_of(strip):
            return ""
        return "Select a stylized strip whose source is in this file"


class FamilyOperator(ExplainedOperator):
    """What operators on a source and all of its takes share."""

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """Neither a stylized strip nor its source may be active."""
        strip = strips.active_strip(context)
        is_there = strip is not None and strips.results_of(strip)
        return "" if is_there else "Select a stylized strip or its source"


class STRIPSTYLIZER_OT_take_step(FamilyOperator, bpy.types.Operator):
    """Show the next or the previous take of the same source strip"""

    bl_idname = "strip_stylizer.take_step"
    bl_label = "Switch Take"
    bl_options = {"REGISTER", "UNDO"}

    step: bpy.props.IntProperty(
        name="Step", description="1 for the next take, -1 for the previous one", default=1
    )

    def execute(self, context: Any) -> set[str]:
        """Show it, and let it be the active strip where a take was."""
        strip = strips.active_strip(context)
        shown = strips.step_take(strip, self.step)
        if shown is not None and properties.of(strip).result_of:
            strips.activate_instead(shown, strip)
        return {"FINISHED"}


class STRIPSTYLIZER_OT_compare(FamilyOperator, bpy.types.Operator):
    """Hide or show the stylized strips of the active strip, to see what was before"""

    bl_idname = "strip_stylizer.compare"
    bl_label = "Compare with Source"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        """Mute the take that is seen, or show the one that was seen last."""
        strips.compare(strips.active_strip(context))
        return {"FINISHED"}


class STRIPSTYLIZER_OT_reuse_settings(TakeOperator, bpy.types.Operator):
    """Copy objects, texts and settings from this stylized strip to its source"""

    bl_idname = "strip_stylizer.reuse_settings"
    bl_label = "Reuse Settings"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        """Write the recipe to the source's properties."""
        strip = strips.active_strip(context)
        try:
            write_recipe(properties.of(strips.source_of(strip)), strips.recipe_of(strip))
        except codec.Refusal as error:
            self.report({"ERROR"}, f"The take is of another version: {error}.")
            return {"CANCELLED"}
        return {"FINISHED"}


class STRIPSTYLIZER_OT_copy_recipe(ExplainedOperator, bpy.types.Operator):
    """Copy what this strip was made from to the clipboard, as JSON"""

    bl_idname = "strip_stylizer.copy_recipe"
    bl_label = "Copy Recipe"
    bl_options = {"REGISTER"}

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """No stylized strip may be active."""
        strip = strips.active_strip(context)
        is_there = strip is not None and strips.recipe_of(strip)
        return "" if is_there else "Select a stylized strip"

    def execute(self, context: Any) -> set[str]:
        """Fill the clipboard."""
        recipe = strips.recipe_of(strips.active_strip(context))
        context.window_manager.clipboard = json.dumps(recipe, indent=1, ensure_ascii=False)
        self.report({"INFO"}, "The recipe is in the clipboard")
        return {"FINISHED"}


class STRIPSTYLIZER_OT_paste_recipe(ObjectOperator, bpy.types.Operator):
    """Let the active strip ask for what a copied recipe says"""

    bl_idname = "strip_stylizer.paste_recipe"
    bl_label = "Paste Recipe"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        """Read the clipboard."""
        try:
            recipe = json.loads(context.window_manager.clipboard)
            write_recipe(properties.of(strips.active_strip(context)), recipe)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            words = "The clipboard holds no recipe: press Copy Recipe on a stylized strip first"
            self.report({"ERROR"}, f"{words} ({error}).")
            return {"CANCELLED"}
        return {"FINISHED"}


class STRIPSTYLIZER_OT_new_take(starting.StartOperator, TakeOperator, bpy.types.Operator):
    """Make another take of the same layers with the same texts and the next seed"""

    bl_idname = "strip_stylizer.new_take"
    bl_label = "New Take"
    bl_options = {"REGISTER"}

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """There may be no engine, or no take with its source."""
        return starting.without_engine() or super(starting.StartOperator, cls).why_disabled(context)

    def start(self, context: Any) -> list[session.Job]:
        """Write the recipe to the source, with the next seed that no take has, and start."""
        take = strips.active_strip(context)
        source, recipe = strips.source_of(take), strips.recipe_of(take)
        requests.check_strip(source)
        facts = properties.of(source)
        write_recipe(facts, recipe)
        facts.settings.decomposition.seed = properties.read_settings(facts.settings).layers_seed
        facts.settings.seed = next_seed(source)
        facts.settings.render.candidate = 0  # the order of the new candidates is not known yet
        draft = dataclasses.replace(requests.request(source), edits=edits.edits_of(recipe))
        output = starting.output_of("")
        job = starting.begin(source.id_data, source, draft, output=output)
        job.asked_from = properties.of(take).result_of
        return [job]


class STRIPSTYLIZER_OT_take_as_source(TakeOperator, bpy.types.Operator):
    """Put this take's frames into the timeline as a source strip, to be restyled in turn"""

    bl_idname = "strip_stylizer.take_as_source"
    bl_label = "Use as Source"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        """Add the strip, with the objects of the take's own source but without their texts."""
        take = strips.active_strip(context)
        source = strips.source_of(take)
        try:
            copy = strips.copy_as_source(take)
        except strips.Unusable as error:
            self.report({"ERROR"}, f"{error}.")
            return {"CANCELLED"}
        facts, own = properties.of(source), starting.recipe_of(properties.of(source))
        objects = starting.without_texts(own)
        targets.restore_all(properties.of(copy), objects["objects"], objects["background"])
        properties.of(copy).preset = facts.preset
        if any(each.object_source == "files" for each in targets.objects_of(properties.of(copy))):
            # Its frames have other numbers than those that the masks are named after.
            properties.of(copy).source = "displayed"
        strips.show_take(take)
        strips.activate_instead(copy, take)
        return {"FINISHED"}


CLASSES = (
    STRIPSTYLIZER_OT_take_as_source,
    STRIPSTYLIZER_OT_take_step,
    STRIPSTYLIZER_OT_compare,
    STRIPSTYLIZER_OT_reuse_settings,
    STRIPSTYLIZER_OT_copy_recipe,
    STRIPSTYLIZER_OT_paste_recipe,
    STRIPSTYLIZER_OT_new_take,
)


def write_recipe(facts: Any, recipe: dict) -> None:
    """Let a strip ask for what a recipe says.

    Raises Refusal where its settings are not this version's.
    """
    settings = properties.settings_from(recipe["settings"])
    if recipe.get("objects") or recipe.get("background"):
        targets.restore_all(facts, recipe.get("objects", []), recipe.get("background", {}))
    else:
        facts.global_text, facts.local_text = recipe["global_text"], recipe["local_text"]
    if recipe.get("preset") in [item[0] for item in properties.PRESET_ITEMS]:
        facts.preset = recipe["preset"]
    properties.write_settings(facts.settings, settings)


def next_seed(source: Any) -> int:
    """Return the first seed after those of all takes of a source."""
    takes = (strips.recipe_of(take) for take in strips.results_of(source))
    return max((recipe.get("settings", {}).get("seed", 0) for recipe in takes), default=0) + 1
