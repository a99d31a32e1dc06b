"""Blender is quit while a job runs: the engine goes on and the next Blender brings in its result.

Where the preferences say so it stops instead, and the job can be resumed. This Blender is the
next one; it starts the one that is quit.
"""

import os
import subprocess
from pathlib import Path

import bpy

from tests.gui import scenes
from tools.gui import drive, screen

HOME = Path(os.environ["HOME"])


def another_blender(name, keep_running):
    """Yield until another Blender has started a job and was quit; returns the file it saved."""
    path = HOME / f"{name}.blend"
    script = Path(__file__).with_name("_leaves.py")
    line = [bpy.app.binary_path, "--app-template", "Video_Editing", "--gpu-backend", "opengl"]
    start = Path(drive.__file__).with_name("start.py")
    line += ["--python", str(start), "--", str(script), str(path), keep_running]
    with (HOME / f"{name}.log").open("w") as log:
        other = subprocess.Popen(line, stdout=log, stderr=subprocess.STDOUT)
    yield from drive.wait_for(lambda: other.poll() is not None, "Blender to quit", seconds=150)
    assert other.returncode == 0, (HOME / f"{name}.log").read_text()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    yield from drive.wait_for(scenes.jobs, "the job after loading", seconds=20)


def scenario():
    """Play it."""
    yield from another_blender("goes-on", "on")
    job = scenes.jobs()[0]
    assert not job.status.ended and job.process is None, job.status
    before = job.fraction
    yield from drive.wait_for(lambda: job.fraction > before, "the engine to go on", seconds=30)
    screen.shot("quitting-goes-on")
    yield from drive.wait_for(scenes.results, "the result", seconds=90)

    yield from another_blender("stops", "off")
    job = scenes.jobs()[0]
    yield from drive.wait_for(lambda: job.status.ended, "the engine to stop", seconds=40)
    assert job.status.phase.value == "cancelled", job.status
    assert not scenes.results()
    with screen.inside(screen.sequencer()):
        bpy.ops.strip_stylizer.job_resume(job=job.id)
    yield from drive.wait_for(scenes.results, "the result after all", seconds=120)
    screen.shot("quitting-resumed")


drive.play(scenario, seconds=280)
