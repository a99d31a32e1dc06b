"""The operators that start jobs: stylize, many at once, look for the objects, a quick preview."""

from typing import Any

import bpy

from ..engine.contract.job import Stage
from ..engine.contract.settings import EMBEDDED, with_embedded_encoder
from ..engine.contract.words.choice import with_encoder
from . import folders, mattes, properties, requests, session, strips, targets
from .objects import why_no_source
from .preview import for_preview
from .requests import request
from .starting import StartOperator, begin, checked_strip, output_of, without_engine

FROM_STRIP = (("strip", "As Set on the Strip", "Use what the strip's panel says"),)


class STRIPSTYLIZER_OT_stylize(StartOperator, bpy.types.Operator):
    """Restyle an object in the active strip from a text; the result becomes a strip above it"""

    bl_idname = "strip_stylizer.stylize"
    bl_label = "Stylize Strip"
    bl_options = {"REGISTER"}

    global_text: bpy.props.StringProperty(
        name="Text", description="What the first object becomes; empty for the strip's own text"
    )
    local_text: bpy.props.StringProperty(
        name="Detail Text", description="What it looks like from close by"
    )
    background_text: bpy.props.StringProperty(
        name="Background Text",
        description="What the background becomes; empty for the strip's own text",
    )
    preset: bpy.props.EnumProperty(
        name="Preset",
        description="Settings to start from",
        items=FROM_STRIP + properties.PRESET_ITEMS,
        default="strip",
    )
    mask_source: bpy.props.EnumProperty(
        name="Object",
        description="How the first object is found",
        items=FROM_STRIP + properties.OBJECT_SOURCES,
        default="strip",
    )
    mask_path: bpy.props.StringProperty(
        name="Masks",
        description="Folder with mask images, or a movie",
        subtype="FILE_PATH",
        options=folders.RELATIVE,
    )
    mask_label: bpy.props.IntProperty(
        name="Object Number", description="Which object of labelled masks is meant", min=0
    )
    mask_inverted: bpy.props.BoolProperty(
        name="Inverted", description="The object is black in the masks, the rest white"
    )
    box: bpy.props.IntVectorProperty(
        name="Box",
        description="Frame of the strip, left edge, upper edge, width and height in pixels",
        size=5,
        min=0,
    )
    seed: bpy.props.IntProperty(
        name="Seed", description="Below zero for the strip's own seed", default=-1, min=-1
    )
    encoder: bpy.props.StringProperty(
        name="CLIP Model", description="Empty for the one in the strip's settings"
    )
    output_folder: bpy.props.StringProperty(
        name="Output Folder",
        description="Where the finished frames go, in a folder of their own; empty: as the "
        "preferences say",
        subtype="DIR_PATH",
        options=folders.RELATIVE,
    )

    def start(self, context: Any) -> list[session.Job]:
        """Write the given values to the strip and start a job with all that it says."""
        strip = checked_strip(context)
        self._write(properties.of(strip))
        return [begin(strip.id_data, strip, request(strip), output=output_of(self.output_folder))]

    def _write(self, facts: Any) -> None:
        """Let the strip remember what was asked for; only now is anything changed."""
        targets.ensure(facts)
        if self.preset != "strip":
            facts.preset = self.preset
        if self.global_text.strip():
            facts.global_text, facts.local_text = self.global_text, self.local_text
        elif self.local_text.strip():
            facts.local_text = self.local_text
        background = targets.background_of(facts)
        if self.background_text.strip() and background is not None:
            background.global_text, background.local_text = self.background_text, ""
        if self.mask_source != "strip":
            facts.object_source = self.mask_source
        if self.mask_path:
            first = targets.objects_of(facts)[0]
            first.mask_folder, first.mask_label = self.mask_path, self.mask_label
            first.mask_inverted = self.mask_inverted
        if self.properties.is_property_set("box"):
            facts.box_frame, facts.box_x, facts.box_y = self.box[:3]
            facts.box_width, facts.box_height = self.box[3:]
        if self.seed >= 0:
            facts.settings.seed = self.seed
        if self.encoder == EMBEDDED:
            suited = with_embedded_encoder(properties.read_settings(facts.settings))
            properties.write_settings(facts.settings, suited)
        elif self.encoder:
            facts.settings.stylization.encoder = self.encoder


class STRIPSTYLIZER_OT_stylize_selected(StartOperator, bpy.types.Operator):
    """Start one job for each selected strip that has a text, one after the other"""

    bl_idname = "strip_stylizer.stylize_selected"
    bl_label = "Stylize Selected Strips"
    bl_options = {"REGISTER"}

    @classmethod
    def why_disabled(cls, context: Any) -> str:
        """Nothing may be selected that can be stylized."""
        if any(cls.chosen_strips(context)):
            return without_engine()
        return without_engine() or "Select strips whose text says what their object becomes"

    @staticmethod
    def chosen_strips(context: Any) -> list[Any]:
        """Return the selected strips that ask for something."""
        scene = strips.sequencer_scene(context)
        found = [s for s in strips.all_strips(scene) if s.select] if scene else []
        usable = [s for s in found if not why_no_source(s)]
        return [strip for strip in usable if requests.draft_of(strip).targets]

    def start(self, context: Any) -> list[session.Job]:
        """Check all of them, then start."""
        chosen = self.chosen_strips(context)
        for strip in chosen:
            requests.check_strip(strip)
            request(strip)
        return [begin(s.id_data, s, request(s), output=output_of("")) for s in chosen]


class STRIPSTYLIZER_OT_preview(StartOperator, bpy.types.Operator):
    """Restyle a few frames around the current one quickly, to judge the texts"""

    bl_idname = "strip_stylizer.preview"
    bl_label = "Preview Style"
    bl_options = {"REGISTER"}

    def start(self, context: Any) -> list[session.Job]:
        """Start a small job whose picture is shown in the panel."""
        strip = checked_strip(context)
        draft, footage = request(strip), session.footage_of(strip.id_data, strip)
        if footage is None or mattes.wanted_renderings(strip):
            raise strips.Unusable(
                "The strip or its mask must be rendered first: stylize it with the preset Draft"
            )
        frame = strips.sequencer_scene(context).frame_current - strips.start(strip)
        small, footage = for_preview(draft, footage, frame)
        small = with_encoder(small, folders.weights())
        requests.check_words(small)
        spec = requests.complete(small, footage)
        return [session.add(strip.id_data, strip, spec, draft=draft, kind=session.Kind.PREVIEW)]


class STRIPSTYLIZER_OT_show_mask(StartOperator, bpy.types.Operator):
    """Look for the objects only, and show in the preview where they were found"""

    bl_idname = "strip_stylizer.show_mask"
    bl_label = "Show Mask"
    bl_options = {"REGISTER"}

    def start(self, context: Any) -> list[session.Job]:
        """Start a job that ends when the objects are found."""
        strip = checked_strip(context)
        draft = request(strip, Stage.MASKS)
        context.window_manager.strip_stylizer_show_mask = True
        return [begin(strip.id_data, strip, draft, kind=session.Kind.MASKS)]


CLASSES = (
    STRIPSTYLIZER_OT_stylize,
    STRIPSTYLIZER_OT_stylize_selected,
    STRIPSTYLIZER_OT_preview,
    STRIPSTYLIZER_OT_show_mask,
)
