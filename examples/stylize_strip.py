"""Stylize a movie or a folder of images from a script, and save the edit.

    blender -b --factory-startup --addons bl_ext.user_default.strip_stylizer \\
        --python examples/stylize_strip.py -- CLIP "a duck made of gold" result.blend

Without a window the operator returns when the result is there; where the job fails it raises
RuntimeError with the reason.
"""

import re
import sys
from pathlib import Path

import bpy

IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


def image_names(folder):
    """Return the names of the images in a folder, 2.png before 10.png.

    Raises RuntimeError where there is none.
    """
    paths = [path for path in folder.iterdir() if path.suffix.lower() in IMAGES]
    names = [path.name for path in paths if not path.name.startswith(".")]
    if not names:
        raise RuntimeError(f"{folder} holds no image: give a folder with the frames of a shot.")
    return sorted(names, key=numbers_in)


def numbers_in(name):
    """Return a name's parts for sorting, digits as numbers."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def add_strip(scene, clip):
    """Add a movie or a folder of images as the active strip; the edit follows its size and rate.

    Raises RuntimeError where there is nothing to add.
    """
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    if clip.is_dir():
        names = image_names(clip)
        strip = strips.new_image(clip.name, str(clip / names[0]), 1, 1)
        for name in names[1:]:
            strip.elements.append(name)
    else:
        strip = strips.new_movie(clip.stem, str(clip), 1, 1)
        if strip.fps <= 0:
            raise RuntimeError(f"{clip} is not there or is no movie that Blender reads.")
        scene.render.fps = max(1, round(strip.fps))
        scene.render.fps_base = scene.render.fps / strip.fps
    media = strip.elements[0]
    scene.render.resolution_x, scene.render.resolution_y = media.orig_width, media.orig_height
    scene.render.resolution_percentage = 100
    scene.frame_start, scene.frame_end = 1, strip.frame_final_duration
    scene.view_settings.view_transform = "Standard"
    editor.active_strip = strip
    return strip


def main(clip: str, text: str, blend: str) -> None:
    """Add the clip, restyle what moves in it, and save."""
    strip = add_strip(bpy.context.scene, Path(clip).absolute())

    # Every setting of the panel is a property of the strip.
    strip.strip_stylizer.preset = "draft"
    strip.strip_stylizer.settings.render.strength = 0.9

    bpy.ops.strip_stylizer.stylize(global_text=text, seed=1, wait=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(blend).absolute()))


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
