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
    isolate(scene, order["strip"])
    prepare(scene, *order["size"])
    folder = Path(order["folder"])
    for index in range(order["length"]):
        scene.frame_set(order["start"] + index)
        part = folder.with_name("next.png")
        scene.render.filepath = str(part)
        bpy.ops.render.render(write_still=True, scene=scene.name)
        part.rename(folder / f"shown-{index:05d}.png")


def isolate(scene: bpy.types.Scene, name: str) -> None:
    """Mute all strips but one and take everything off it but its timing."""
    editor = scene.sequence_editor
    scene.animation_data_clear()
    for strip in editor.strips if hasattr(editor, "strips") else editor.sequences:
        strip.mute = strip.name != name
        if strip.name == name:
            bare(strip)
            editor.channels[strip.channel].mute = False


def bare(strip: bpy.types.bpy_struct) -> None:
    """Show the strip's media as it is."""
    strip.blend_type, strip.blend_alpha = "REPLACE", 1.0
    strip.color_saturation = strip.color_multiply = 1.0
    strip.use_flip_x = strip.use_flip_y = False
    for modifier in list(strip.modifiers):
        strip.modifiers.remove(modifier)
    placed, crop = strip.transform, strip.crop
    placed.offset_x = placed.offset_y = placed.rotation = 0.0
    placed.scale_x = placed.scale_y = 1.0
    crop.min_x = crop.max_x = crop.min_y = crop.max_y = 0


def prepare(scene: bpy.types.Scene, width: int, height: int) -> None:
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
    render.image_settings.color_mode, render.image_settings.color_depth = "RGB", "8"


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
