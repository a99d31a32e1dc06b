"""What the scenarios have in common: an edit with a strip in it, and looking at what became of it.

Runs inside Blender. Nothing here keeps a strip: undo and loading a file make old ones invalid.
"""

import os
import sys
import time
from pathlib import Path

import bpy

from tests.blender import barcodes
from tools.gui import buttons, drive, screen

EXTENSION = "bl_ext.user_default.strip_stylizer"
FRAMES = 24


def scene():
    """Return the scene that the sequencer shows."""
    return getattr(bpy.context.workspace, "sequencer_scene", None) or bpy.context.scene


def strips():
    """Return the strips of the edit."""
    return list(barcodes.top(scene()))


def source():
    """Return the strip that was filmed."""
    return next(strip for strip in strips() if not strip.strip_stylizer.result_of)


def target():
    """Return the first object of the strip."""
    return source().strip_stylizer.targets[0]


def placed(pixel):
    """Return the place in the preview where a pixel of the picture is seen."""
    preview = screen.region(screen.sequencer("PREVIEW"), "PREVIEW")
    across, along = pixel[0] - barcodes.WIDTH / 2, barcodes.HEIGHT / 2 - pixel[1]
    x, y = preview.view2d.view_to_region(across, along, clip=False)
    return preview.x + x, preview.y + y


def results():
    """Return the strips that the extension made."""
    return [strip for strip in strips() if strip.strip_stylizer.result_of]


def part(name):
    """Return a module of the extension."""
    return sys.modules[f"{EXTENSION}.{name}"]


def jobs():
    """Return the jobs that this Blender knows, the newest first."""
    return part("operators.session").newest_first()


def edit():
    """Yield until the timeline is large, has one active strip, and shows the tab."""
    frames = Path(os.environ["HOME"]) / "footage"
    barcodes.write_frames(frames, FRAMES)
    here = scene()
    here.sequence_editor_create()
    here.render.resolution_x, here.render.resolution_y = barcodes.WIDTH, barcodes.HEIGHT
    here.sequence_editor.active_strip = barcodes.image_strip(here, frames, count=FRAMES)
    bpy.ops.ed.undo_push(message="Footage")
    timeline = screen.sequencer()
    yield from drive.grow(timeline, 640)
    with screen.inside(timeline):
        bpy.ops.sequencer.view_all()
    yield from drive.open_sidebar(timeline)


class HeldRender:
    """The next render stays at its first frame until it is let go: it might end unseen."""

    def __init__(self):
        self.let_go = False
        bpy.app.handlers.render_pre.append(self.wait)

    def wait(self, *_):
        """Runs in the thread that renders; the window goes on."""
        end = time.monotonic() + 90
        while not self.let_go and time.monotonic() < end:
            time.sleep(0.02)


def write_texts(text, detail=""):
    """Type the texts of the first object into the panel."""
    timeline = screen.sequencer()
    place = yield from buttons.find_field(timeline, source().strip_stylizer, "global_text")
    yield from drive.fill(place, text)
    if detail:
        place = yield from buttons.find_field(timeline, source().strip_stylizer, "local_text")
        yield from drive.fill(place, detail)
