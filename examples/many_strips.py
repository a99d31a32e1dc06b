"""Stylize every strip of an edit that asks for it, one after the other, and save the edit.

    blender -b edit.blend --addons bl_ext.user_default.strip_stylizer \\
        --python examples/many_strips.py -- result.blend

A strip asks for it by its texts: those written in the panel, or in TEXTS below by its name.
"""

import sys
from pathlib import Path

import bpy

TEXTS = {"Swan": "a swan made of bronze", "Boat": "a boat of stained glass"}


def all_strips(scene):
    """Return the strips of a scene under the name of this Blender."""
    editor = scene.sequence_editor
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def main(blend: str, texts: dict[str, str] | None = None) -> list[str]:
    """Stylize all strips with texts; returns the names of the new strips."""
    scene = bpy.context.scene
    before = {strip.name for strip in all_strips(scene)}
    for strip in all_strips(scene):
        facts = strip.strip_stylizer
        if strip.name in (texts or TEXTS):
            facts.global_text = (texts or TEXTS)[strip.name]
        strip.select = bool(facts.global_text) and not facts.result_of

    # One job each; they wait for one another, and this waits for all of them.
    bpy.ops.strip_stylizer.stylize_selected(wait=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(blend).absolute()))
    return sorted({strip.name for strip in all_strips(scene)} - before)


if __name__ == "__main__":
    print(main(sys.argv[sys.argv.index("--") + 1]))
