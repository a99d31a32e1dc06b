"""Try many texts on one strip: the layers are separated once, each text is a take of its own.

    blender -b edit.blend --addons bl_ext.user_default.strip_stylizer \\
        --python examples/many_texts.py -- STRIP result.blend "a gold swan" "a swan of ice"

The takes lie above the strip, the last one is seen; the arrows in the panel step through them.
"""

import sys
from pathlib import Path

import bpy


def main(name: str, blend: str, *texts: str) -> int:
    """Make a take of the strip ``name`` for each text; returns how many there are."""
    editor = bpy.context.scene.sequence_editor
    strips = editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all
    made = 0
    for text in texts:
        editor.active_strip = strips[name]
        try:
            bpy.ops.strip_stylizer.stylize(global_text=text, wait=True)
        except RuntimeError as error:
            print(f"{text}: {error}")  # the others may still succeed
        else:
            made += 1
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(blend).absolute()))
    return made


if __name__ == "__main__":
    print(main(*sys.argv[sys.argv.index("--") + 1 :]), "takes")
