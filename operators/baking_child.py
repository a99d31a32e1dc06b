"""Runs inside the second Blender: renders one strip alone, every frame at the media's own size.

Called with one argument after ``--``, the order as JSON. Knows nothing of this extension.
"""

import json
import os
import sys
import traceback
from pathlib import Path

import bpy


def main(order: dict) -> None:
    """Render the frames that ``order`` asks for as shown-00000.png and so on.

    Masks that are named by number are thus not taken for masks of these numbers.
    """
    bpy.ops.wm.open_mainfile(filepath=order["blend"], load_ui=False)
    scene = bpy.data.scenes[order["scene"]]
    for window in bpy.context.window_manager.windows:
        window.scene = scene  # a scene strip of the window's own scene would stay empty
    if order.get("below"):
        size = None if order["displayed"] else order["size"]
        isolate_live(scene, order["strip"], order["below"], bare_size=size)
    else:
        isolate(scene, order["strip"], displayed=order["displayed"])
    prepare(scene, *order["size"], order["depth"])
    if order.get("matte"):
        if not order["displayed"]:
            fit(strip_named(scene.sequence_editor, order["strip"]), *order["size"])
        scene.render.image_settings.color_mode = "BW"
    folder = Path(order["folder"])
    for index in range(order["length"]):
        scene.frame_set(order["start"] + index)
        part = folder.with_name("next.png")
        scene.render.filepath = str(part)
        bpy.ops.render.render(write_still=True, scene=scene.name)
        part.rename(folder / f"shown-{index:05d}.png")


def isolate(scene: bpy.types.Scene, name: str, *, displayed: bool) -> None:
    """Show one strip alone: with all that was done to it, or its bare media.

    The meta strips that hold it become windows that change nothing. An adjustment needs what
    lies below it.
    """
    forget_animation(scene, name, everything=not displayed)
    holder = scene.sequence_editor
    for strip in [*metas_around(holder, name), strip_named(holder, name)]:
        for other in strips_of(holder):
            below = strip.type == "ADJUSTMENT" and other.channel < strip.channel
            other.mute = other.mute if below else other != strip
        holder.channels[strip.channel].mute = False
        if strip.name != name or not displayed:
            bare(strip)
        if strip.name != name:
            strip.use_reverse_frames = False
            strip.frame_offset_start = strip.frame_offset_end = 0
        strip.blend_type, strip.blend_alpha = "REPLACE", 1.0
        holder = strip


def isolate_live(
    scene: bpy.types.Scene, name: str, source: str, *, bare_size: tuple[int, int] | None
) -> None:
    """Show a live take over its source, both as they are placed or both bare, of that size.

    A live take is a meta strip beside its source; how strong it is may be animated.
    """
    holder = scene.sequence_editor
    live, below = strip_named(holder, name), strip_named(holder, source)
    if bare_size is None:
        forget_animation(scene, source, everything=False)
    else:
        keep_animation_of(scene, live.path_from_id() + ".blend_alpha")
    for strip in [*metas_around(holder, name), live]:
        for other in strips_of(holder):
            other.mute = other not in (strip, below)
        holder.channels[strip.channel].mute = holder.channels[below.channel].mute = False
        if strip != live:
            bare(strip)
            strip.blend_type, strip.blend_alpha = "REPLACE", 1.0
            holder = strip
    if bare_size is not None:
        bare(below)
        bare(live)
        for picture in strips_of(live):
            bare(picture, modifiers=True)
            fit(picture, *bare_size)
    below.blend_type, below.blend_alpha = "REPLACE", 1.0
    live.blend_type = "ALPHA_OVER"


def keep_animation_of(scene: bpy.types.Scene, path: str) -> None:
    """Stop all of a scene's animation but that of one property."""
    data = scene.animation_data
    for curves in curves_of(data) if data is not None and data.action is not None else ():
        for curve in list(curves):
            if curve.data_path != path:
                curves.remove(curve)


def strips_of(holder: bpy.types.bpy_struct) -> bpy.types.bpy_prop_collection:
    """Return the strips of a sequence editor or of a meta strip."""
    return holder.strips if hasattr(holder, "strips") else holder.sequences


def metas_around(holder: bpy.types.bpy_struct, name: str) -> list:
    """Return the meta strips that hold the strip ``name``, from the outermost on."""
    for strip in strips_of(holder):
        if strip.type == "META" and strip_named(strip, name) is not None:
            return [strip, *metas_around(strip, name)]
    return []


def strip_named(holder: bpy.types.bpy_struct, name: str) -> bpy.types.bpy_struct | None:
    """Return the strip ``name`` however deep it lies in ``holder``, None where it is not there."""
    for strip in strips_of(holder):
        if strip.name == name:
            return strip
        found = strip_named(strip, name) if strip.type == "META" else None
        if found is not None:
            return found
    return None


def forget_animation(scene: bpy.types.Scene, name: str, *, everything: bool) -> None:
    """Stop what would undo the isolation: animated muting, opacity, and whole metas."""
    data = scene.animation_data
    if everything:
        scene.animation_data_clear()
    elif data is not None and data.action is not None:
        editor = scene.sequence_editor
        paths = [meta.path_from_id() for meta in metas_around(editor, name)]
        paths.append(strip_named(editor, name).path_from_id() + ".blend_alpha")
        for curves in curves_of(data):
            for curve in list(curves):
                if curve.data_path.endswith(".mute") or curve.data_path.startswith(tuple(paths)):
                    curves.remove(curve)


def curves_of(data: bpy.types.AnimData) -> list:
    """Return the collections of F-curves of the action; Blender 5.0 has one for each slot."""
    if hasattr(data.action, "fcurves"):
        return [data.action.fcurves]
    strips = [strip for layer in data.action.layers for strip in layer.strips]
    return [bag.fcurves for strip in strips for bag in strip.channelbags]


def bare(strip: bpy.types.bpy_struct, *, modifiers: bool = False) -> None:
    """Show the strip's picture as it is, or as its ``modifiers`` make it."""
    strip.color_saturation = strip.color_multiply = 1.0
    strip.use_flip_x = strip.use_flip_y = False
    for modifier in strip.modifiers:
        modifier.mute = (
            not modifiers
        )  # removing one crashes Blender 5.0 where no window shows a sequencer
    placed, crop = strip.transform, strip.crop
    placed.offset_x = placed.offset_y = placed.rotation = 0.0
    placed.scale_x = placed.scale_y = 1.0
    crop.min_x = crop.max_x = crop.min_y = crop.max_y = 0


def fit(strip: bpy.types.bpy_struct, width: int, height: int) -> None:
    """Let bare media of another size cover the whole picture."""
    elements = getattr(strip, "elements", ())
    if len(elements) and elements[0].orig_width and not strip.transform.rotation:
        strip.transform.scale_x = width / elements[0].orig_width
        strip.transform.scale_y = height / elements[0].orig_height


def prepare(scene: bpy.types.Scene, width: int, height: int, depth: str) -> None:
    """Set the scene to write the sequencer's colours unchanged, as PNG."""
    render, view = scene.render, scene.view_settings
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    render.use_sequencer, render.use_compositing = True, False
    render.use_border = render.use_multiview = render.use_stamp = False
    render.use_file_extension, render.dither_intensity = True, 0.0
    for name in [item.identifier for item in render.bl_rna.properties]:
        if name.startswith("use_stamp_"):
            setattr(render, name, False)  # dates in the files would make each rendering another
    scene.display_settings.display_device = "sRGB"
    view.view_transform, view.look = "Standard", "None"
    view.exposure, view.gamma, view.use_curve_mapping = 0.0, 1.0, False
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "IMAGE"
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode, render.image_settings.color_depth = "RGBA", depth


def run(order: Path) -> int:
    """Render and return the exit status; what went wrong goes to the log."""
    try:
        main(json.loads(order.read_text(encoding="utf-8")))
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    status = run(Path(sys.argv[-1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # some versions of the bpy module hang when the interpreter ends
