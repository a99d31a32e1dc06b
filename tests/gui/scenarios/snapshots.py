"""A training ended early is kept as a take; another snapshot becomes a take by one click."""

import bpy

from tests.gui import scenes
from tools.gui import buttons, drive, screen


def scenario():
    """Play it."""
    timeline = screen.sequencer()
    yield from scenes.edit()
    facts = scenes.source().strip_stylizer
    facts.global_text = "slow swan of bronze"
    facts.settings.stylization.steps, facts.settings.stylization.snapshot_every = 20, 4
    with screen.inside(timeline):
        bpy.ops.strip_stylizer.stylize()
    job = scenes.jobs()[0]
    yield from drive.wait_for(lambda: job.step_to_keep >= 4, "a snapshot", seconds=60)
    yield from drive.redraw()
    screen.shot("keep", area=timeline, kind="UI")
    with screen.inside(timeline):
        bpy.ops.strip_stylizer.job_keep(job=job.id)
    yield from drive.wait_for(scenes.results, "the look that was kept", seconds=60)
    kept = scenes.part("operators.strips").recipe_of(scenes.results()[0])
    assert 4 <= kept["settings"]["render"]["snapshot"] < 20, kept["settings"]["render"]

    scenes.scene().sequence_editor.active_strip = scenes.results()[0]
    yield from drive.redraw()
    screen.shot("take", area=timeline, kind="UI")
    yield from buttons.press(timeline, "snapshot=16", across=0.7)
    yield from drive.wait_for(lambda: len(scenes.results()) == 2, "its take", seconds=60)
    yield from drive.redraw()
    screen.shot("another-snapshot", area=timeline, kind="UI")
    active = scenes.scene().sequence_editor.active_strip
    assert scenes.part("operators.strips").number_of(active) == 2


drive.play(scenario, seconds=240)
