"""The engine waits while Blender renders, says so, and goes on afterwards."""

import json
import os

import bpy

from tests.gui import scenes
from tools.gui import buttons, drive, screen


def events(job):
    """Return the kinds of what the engine has said."""
    lines = job.folder.events.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["event"] for line in lines]


def scenario():
    """Play it."""
    timeline = screen.sequencer()
    yield from scenes.edit()
    yield from scenes.write_texts("slow swan of bronze")
    yield from buttons.press(timeline, "strip_stylizer.stylize()")
    yield from drive.wait_for(scenes.jobs, "the job", seconds=20)
    job = scenes.jobs()[0]
    yield from drive.wait_for(lambda: job.fraction > 0.05, "progress", seconds=30)

    here = scenes.scene()
    here.render.filepath = os.environ["HOME"] + "/rendered/"
    here.frame_end = scenes.FRAMES
    bpy.context.preferences.view.render_display_type = "NONE"
    render = scenes.HeldRender()
    with screen.inside(timeline):
        bpy.ops.render.render("INVOKE_DEFAULT", animation=True)
    rendering = lambda: bpy.app.is_job_running("RENDER")  # noqa: E731
    yield from drive.wait_for(lambda: job.status.paused, "the engine to wait", seconds=30)
    assert rendering() and job.paused_by == "render"
    assert job.label == "Waiting While Blender Renders"
    stood = job.fraction
    screen.shot("rendering-waits", area=timeline, kind="UI")
    yield 2.0
    assert rendering() and job.fraction == stood, "the engine worked while Blender rendered"
    render.let_go = True
    yield from drive.wait_for(lambda: not rendering(), "the render's end", seconds=120)
    assert job.fraction == stood, "the engine worked while Blender rendered"
    yield from drive.wait_for(lambda: job.fraction > stood, "the engine to go on", seconds=20)
    yield from drive.wait_for(scenes.results, "the result", seconds=60)
    said = events(job)
    assert said.count("paused") == said.count("resumed") == 1


drive.play(scenario, seconds=240)
