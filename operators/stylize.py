"""The operator that starts a job for the active strip."""

import dataclasses
from pathlib import Path
from typing import Any

import bpy

from ..engine.client.status import Phase
from ..engine.contract import codec
from ..engine.contract.job import Footage, FootageKind, JobSpec, MaskKind, ObjectMask, single
from . import properties, session, strips

FROM_STRIP = (("strip", "As Set on the Strip", "Use what the strip's panel says"),)


class STRIPSTYLIZER_OT_stylize(bpy.types.Operator):
    """Restyle an object in the active strip from a text; the result becomes a strip above it"""

    bl_idname = "strip_stylizer.stylize"
    bl_label = "Stylize Strip"
    bl_options = {"REGISTER"}

    global_text: bpy.props.StringProperty(
        name="Text", description="What the object becomes; empty for the strip's own text"
    )
    local_text: bpy.props.StringProperty(
        name="Detail Text", description="What it looks like from close by"
    )
    preset: bpy.props.EnumProperty(
        name="Preset",
        description="Settings to start from",
        items=FROM_STRIP + properties.PRESET_ITEMS,
        default="strip",
    )
    mask_source: bpy.props.EnumProperty(
        name="Object",
        description="How the object is found",
        items=FROM_STRIP + properties.OBJECT_SOURCES,
        default="strip",
    )
    mask_path: bpy.props.StringProperty(
        name="Masks", description="Folder with mask images", subtype="DIR_PATH"
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
        description="Where the finished frames go, in a folder of their own; empty: the workspace",
        subtype="DIR_PATH",
    )
    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Return when the result is there; without a window it is always so",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Is there something to stylize, and something to do it with?"""
        reason = why_not(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: Any) -> set[str]:
        """Write the given values to the strip and start a job with all that it says."""
        scene, strip = strips.sequencer_scene(context), strips.active_strip(context)
        assert scene is not None and strip is not None
        try:
            check_strip(strip)
            self._write(properties.of(strip))
            draft = request(strip)
            footage = session.footage_of(scene, strip)
            if footage is None:
                check_mask_count(draft.objects[0].mask, strip)
            spec = complete(draft, footage)
            output = str(Path(bpy.path.abspath(self.output_folder)).absolute())
            output = output if self.output_folder else ""
            job = session.add(scene, strip, spec, draft=draft, output=output)
        except (strips.Unusable, codec.Refusal) as error:
            self.report({"ERROR"}, f"{error}.")
            return {"CANCELLED"}
        except OSError as error:
            self.report({"ERROR"}, f"The workspace cannot be written: {error}.")
            return {"CANCELLED"}
        bpy.ops.ed.undo_push(message="Stylize Strip")
        if not (self.wait or bpy.app.background):
            return {"FINISHED"}
        return self._wait(job)

    def _wait(self, job: session.Job) -> set[str]:
        session.wait(job)
        if job.status.phase is Phase.FINISHED and job.arrived:
            return {"FINISHED"}
        self.report({"ERROR"}, job.sentence)
        return {"CANCELLED"}

    def _write(self, facts: Any) -> None:
        """Let the strip remember what was asked for; only now is anything changed."""
        if self.preset != "strip":
            facts.preset = self.preset
        if self.global_text.strip():
            facts.global_text, facts.local_text = self.global_text, self.local_text
        elif self.local_text.strip():
            facts.local_text = self.local_text
        if self.mask_source != "strip":
            facts.object_source = self.mask_source
        if self.mask_path:
            facts.mask_folder = self.mask_path
        if self.properties.is_property_set("box"):
            facts.box_frame, facts.box_x, facts.box_y = self.box[:3]
            facts.box_width, facts.box_height = self.box[3:]
        if self.seed >= 0:
            facts.settings.seed = self.seed
        if self.encoder:
            facts.settings.stylization.encoder = self.encoder


def why_not(context: Any) -> str:
    """Say why nothing can be stylized now and what to do about it; or ''."""
    if strips.sequencer_scene(context) is None:
        return "Choose a scene in the sequencer's header first"
    reason = strips.why_unusable(strips.active_strip(context))
    if reason:
        return reason
    if session.engine() != "ready":
        return "Install the engine in the panel or in the preferences"
    return ""


def check_strip(strip: Any) -> None:
    """Raise Unusable where the strip's media are not on the disk."""
    lost = strips.missing_media(strip)
    if lost:
        raise strips.Unusable(f"{lost} is missing: relink the strip's media")


def request(strip: Any) -> JobSpec:
    """Return what the strip's properties ask for, without footage.

    Raises Unusable where something is missing.
    """
    facts = properties.of(strip)
    texts, mask = properties.read_texts(facts), properties.read_mask(facts)
    if not texts.global_text:
        raise strips.Unusable("Write a text that says what the object becomes")
    check_mask(mask, strip)
    nothing = Footage(FootageKind.IMAGES, "")
    return single(nothing, texts, mask, properties.read_settings(facts.settings))


def check_mask(mask: ObjectMask, strip: Any) -> None:
    """Raise Unusable where the object source cannot be what the user meant."""
    if mask.kind is MaskKind.FILES and not (mask.path and Path(mask.path).is_dir()):
        raise strips.Unusable("Choose a folder with mask images, or another object source")
    if mask.kind is MaskKind.BOX and mask.box is not None:
        width, height = strips.media_size(strip)
        across = min(mask.box.x + mask.box.width, width) - max(mask.box.x, 0)
        down = min(mask.box.y + mask.box.height, height) - max(mask.box.y, 0)
        if across < 2 or down < 2:
            raise strips.Unusable(f"The box is empty or outside the {width} x {height} picture")
        if mask.box.frame >= strips.length(strip):
            raise strips.Unusable(f"The box is on frame {mask.box.frame}, after the strip's end")


def check_mask_count(mask: ObjectMask, strip: Any) -> None:
    """Raise Unusable where masks cannot be matched in order with frames that Blender renders."""
    if mask.kind is not MaskKind.FILES:
        return
    found, shown = len(strips.image_names(Path(mask.path))), strips.length(strip)
    if found != shown:
        raise strips.Unusable(
            f"The strip's {shown} frames must be rendered first, so masks are taken in order, but "
            f"the mask folder has {found} images: give one mask for each frame that is shown"
        )


def complete(draft: JobSpec, footage: Footage | None) -> JobSpec | None:
    """Return the whole request, checked as the engine will; None while there is no footage."""
    if footage is None:
        return None
    spec = dataclasses.replace(draft, footage=footage)
    return codec.job_from_json(codec.to_json(spec))


CLASSES = (STRIPSTYLIZER_OT_stylize,)
