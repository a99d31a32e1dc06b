"""Runs inside one Blender: writes a picture in every format that this Blender writes.

PYTHON_OF_BPY benchmarks/media/written_by_blender.py PICTURE FOLDER

Give ``FOLDER`` to ``--more`` of `benchmarks.media`.
"""

import itertools
import os
import sys
from pathlib import Path

import bpy

FRAMES = 4
IMAGES = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "TARGA", "TARGA_RAW", "OPEN_EXR", "HDR",
          "JPEG2000", "DPX", "CINEON", "IRIS")  # fmt: skip


def identifiers(owner: bpy.types.bpy_struct, name: str) -> list[str]:
    """Return the values of a choice."""
    return [item.identifier for item in owner.bl_rna.properties[name].enum_items]


def chosen(owner: bpy.types.bpy_struct, **values: str) -> bool:
    """Set choices; returns whether this Blender has them all together."""
    try:
        for name, value in values.items():
            setattr(owner, name, value)
    except TypeError:
        return False
    return all(getattr(owner, name) == value for name, value in values.items())


def prepare(picture: Path) -> bpy.types.Scene:
    """Return a scene that shows the picture at its size."""
    scene = bpy.context.scene
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_image("picture", str(picture), 1, 1, fit_method="ORIGINAL")
    strip.frame_final_duration = FRAMES
    element, render = strip.elements[0], scene.render
    render.resolution_x, render.resolution_y = element.orig_width, element.orig_height
    render.resolution_percentage = 100
    scene.frame_start, scene.frame_end = 1, FRAMES
    scene.view_settings.view_transform = "Standard"
    return scene


def render(**how: bool | str) -> None:
    """Render, and go on where the choices do not go together after all."""
    try:
        bpy.ops.render.render(**how)
    except RuntimeError as error:
        print(error)


def write_images(scene: bpy.types.Scene, folder: Path) -> None:
    """Write one file of each format, channels and depth."""
    settings = scene.render.image_settings
    kinds = itertools.product(IMAGES, ("BW", "RGB", "RGBA"), ("8", "10", "12", "16", "32"))
    for file_format, mode, depth in kinds:
        if hasattr(settings, "media_type"):
            settings.media_type = "IMAGE"
        if chosen(settings, file_format=file_format, color_mode=mode, color_depth=depth):
            scene.render.filepath = str(folder / f"blender_{file_format}_{mode}_{depth}")
            render(write_still=True, scene=scene.name)


def write_movies(scene: bpy.types.Scene, folder: Path) -> None:
    """Write one movie of each container and codec, with and without alpha."""
    settings, coding = scene.render.image_settings, scene.render.ffmpeg
    if hasattr(settings, "media_type"):
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    kinds = itertools.product(identifiers(coding, "format"), identifiers(coding, "codec"))
    for (container, codec), mode in itertools.product(kinds, ("RGB", "RGBA")):
        if codec == "NONE" or not chosen(coding, format=container, codec=codec):
            continue
        if not chosen(settings, color_mode=mode):
            continue
        scene.render.filepath = str(folder / f"blender_{container}_{codec}_{mode}_")
        render(animation=True, scene=scene.name)


if __name__ == "__main__":
    target = Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    shown = prepare(Path(sys.argv[1]).absolute())
    write_images(shown, target)
    write_movies(shown, target)
    for file in target.iterdir():
        if not file.stat().st_size:
            file.unlink()  # what could not be coded
    sys.stdout.flush()
    os._exit(0)  # some versions of the bpy module hang when the interpreter ends
