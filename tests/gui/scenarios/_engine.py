"""The real engine restyles footage that Blender rendered, and waits while Blender renders.

Argument: a folder of frames; after it a text and a detail text, where others are wanted. One area
with picture, timeline and sidebar, as people cut. Seconds go to ``engine.json`` beside the
pictures: wall, and what the engine's process has computed.
"""

import json
import os
import sys
import time
from pathlib import Path

import bpy

from tests.blender import barcodes
from tests.gui import scenes
from tools.gui import buttons, drive, screen

FOOTAGE, *TEXTS = sys.argv[sys.argv.index("--") + 2 :]
TEXTS = TEXTS or ["duck with tiger fur", "tiger fur"]
PREVIEW_GROWS = 190
TICKS = os.sysconf("SC_CLK_TCK")


class Clock:
    """Seconds since a button was pressed, by name of what was seen then."""

    def __init__(self, job):
        self.began, self.job, self.seen = time.monotonic(), job, {}

    def note(self, name):
        """Remember when something was seen first."""
        self.seen.setdefault(name, [round(time.monotonic() - self.began, 1), self.computed()])

    def computed(self):
        """Return the processor seconds of the engine."""
        try:
            facts = Path(f"/proc/{self.job().process.pid}/stat").read_text()
        except (OSError, AttributeError, IndexError):
            return 0.0
        user, system = facts.rpartition(")")[2].split()[11:13]
        return round((int(user) + int(system)) / TICKS, 1)


def job():
    """Return the job."""
    return scenes.jobs()[0]


def footage():
    """Add the footage to the edit, large as it is; returns how many frames it has."""
    folder = Path(FOOTAGE)
    count = len(list(folder.iterdir()))
    here = scenes.scene()
    here.sequence_editor_create()
    strip = barcodes.image_strip(here, folder, count=count)
    strip.name = "Duck"
    here.render.resolution_x = strip.elements[0].orig_width
    here.render.resolution_y = strip.elements[0].orig_height
    here.frame_end, here.frame_current = count, 1 + count // 2
    here.view_settings.view_transform = "Standard"
    here.sequence_editor.active_strip = strip
    bpy.ops.ed.undo_push(message="Footage")
    return count


def area():
    """Return the one sequencer."""
    return next(one for one in screen.window().screen.areas if one.type == "SEQUENCE_EDITOR")


def arrange():
    """Fill the window with one sequencer that shows picture, timeline and sidebar."""
    with screen.inside(screen.sequencer()):
        bpy.ops.screen.screen_full_area(use_hide_panels=False)
    yield 0.5
    area().spaces.active.view_type = "SEQUENCER_PREVIEW"
    area().spaces.active.show_region_toolbar = False
    area().spaces.active.timeline_overlay.show_strip_source = False
    yield 0.5
    edge = screen.region(area(), "PREVIEW")
    place = edge.x + edge.width // 2, edge.y
    yield from drive.drag(place, (place[0], place[1] - PREVIEW_GROWS))
    yield from drive.open_sidebar(area())
    with screen.inside(area(), "WINDOW"):
        bpy.ops.sequencer.view_all()
    with screen.inside(area(), "PREVIEW"):
        bpy.ops.sequencer.view_all_preview()
    yield from drive.redraw()


def watch(clock):
    """Follow the job until the first stylized picture, with a screenshot of each new kind."""
    shown, end = set(), time.monotonic() + 600
    fractions = set()
    while "frame" not in job().status.previews:
        assert time.monotonic() < end, job().status
        assert not job().status.ended, job().status
        fractions.add(round(job().fraction, 2))
        for name in set(job().status.previews) & {"mask", "reconstruction"} - shown:
            clock.note(name)
            shown.add(name)
            assert job().icons, "a preview came and the panel shows none"
            yield from drive.redraw()
            screen.shot(f"engine-2-{name}")
        yield 0.1
    clock.note("stylized frame")
    yield 0.5
    assert {"frame", "atlas"} <= set(job().icons)
    assert len(fractions) > 5, f"progress stood at {fractions}"
    screen.shot("engine-3-stylized")
    screen.shot("engine-3-sidebar", area=area(), kind="UI", scale=200)


def render_meanwhile():
    """Render the edit as F12 does; the engine waits for that long."""
    here = scenes.scene()
    here.render.filepath = os.environ["HOME"] + "/rendered/"
    bpy.context.preferences.view.render_display_type = "NONE"
    assert not job().status.ended
    render = scenes.HeldRender()
    with screen.inside(area()):
        bpy.ops.render.render("INVOKE_DEFAULT", animation=True)
    yield from drive.wait_for(lambda: bpy.app.is_job_running("RENDER"), "the render", seconds=20)
    yield from drive.wait_for(lambda: job().paused_by == "render", "the pause", seconds=20)
    assert job().label == "Waiting While Blender Renders"
    render.let_go = True
    yield from drive.wait_for(
        lambda: not bpy.app.is_job_running("RENDER"), "the render's end", seconds=120
    )
    yield from drive.wait_for(lambda: not job().paused_by, "the engine to go on", seconds=20)


def scenario():
    """Play it."""
    count = footage()
    yield from arrange()
    for name, text in zip(("global_text", "local_text"), TEXTS, strict=True):
        place = yield from buttons.find_field(area(), scenes.source().strip_stylizer, name)
        yield from drive.fill(place, text)
    screen.shot("engine-1-texts")
    button = yield from buttons.find(area(), "strip_stylizer.stylize()")
    clock = Clock(job)
    yield from drive.click(button)
    yield from drive.wait_for(scenes.jobs, "the job", seconds=20)
    clock.note("job")
    yield from watch(clock)
    yield from render_meanwhile()
    yield from drive.wait_for(lambda: job().status.ended, "the end", seconds=600)
    clock.note("end")
    assert job().status.phase.value == "finished", job().status
    yield from drive.wait_for(scenes.results, "the result", seconds=20)
    clock.note("result")
    result, source = scenes.results()[0], scenes.source()
    assert result.frame_final_duration == count and result.channel > source.channel
    size = result.elements[0].orig_width, result.elements[0].orig_height
    assert size == (source.elements[0].orig_width, source.elements[0].orig_height)
    report = {"seconds": clock.seen, "stages": job().status.stage_seconds}
    (screen.pictures() / "engine.json").write_text(json.dumps(report, indent=1))
    yield 1.0
    yield from drive.redraw()
    screen.shot("engine-4-result")


drive.play(scenario, seconds=1300)
