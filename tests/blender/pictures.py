"""What Blender's own sequencer shows, as numbers, and the strips of every kind."""

from pathlib import Path

import bpy
import numpy as np
from barcodes import prepare_render, top

INPUTS = ("input1", "input2") if bpy.app.version >= (4, 5) else ("seq1", "seq2")


def pixels(path: Path) -> np.ndarray:
    """Read an image as Blender codes it: float [H, W, 4], the first row on top."""
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    width, height = image.size
    values = np.array(image.pixels[:], np.float32).reshape(height, width, 4)[::-1]
    bpy.data.images.remove(image)
    return values


def shown(scene, frame: int, folder: Path, *, depth: str = "8") -> np.ndarray:
    """Render one frame of the sequencer, with alpha and with the scene's own view."""
    view = scene.view_settings.view_transform
    prepare_render(scene)
    scene.view_settings.view_transform = view
    settings = scene.render.image_settings
    settings.color_mode, settings.color_depth = "RGBA", depth
    scene.frame_set(frame)
    scene.render.filepath = str(folder / f"shown{frame}.png")
    bpy.ops.render.render(write_still=True, scene=scene.name)
    return pixels(Path(scene.render.filepath))


def baked(part, scene, strip, folder: Path) -> list[np.ndarray]:
    """Let the second Blender render the strip, and read its frames."""
    baking = part("operators.baking")
    folder.mkdir(exist_ok=True)
    job = baking.start(scene, strip, folder)
    job.process.wait(timeout=60)
    footage = baking.finish(job, folder)
    return [pixels(Path(footage.path) / name) for name in footage.files]


def effect(owner, kind: str, channel: int, first: int, count: int, inputs=()):
    """Add an effect strip under this version's names."""
    span = {"length": count} if bpy.app.version >= (5, 0) else {"frame_end": first + count}
    span |= dict(zip(INPUTS, inputs, strict=False))
    strips = owner.strips if hasattr(owner, "strips") else owner.sequences
    return strips.new_effect(kind.lower(), kind, channel, first, **span)


def meta_of(scene, *inner, channel: int = 1):
    """Put strips into a new meta strip that reaches as far as they do."""
    meta = top(scene).new_meta("meta", channel, 1)
    for strip in inner:
        strip.move_to_meta(meta)
    inner[0].frame_final_duration = inner[0].frame_final_duration  # lets Blender measure the meta
    meta.frame_offset_start = meta.frame_offset_end = 0
    return meta
