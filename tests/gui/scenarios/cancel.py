"""A job is cancelled with its button, says so, and goes on when it is asked to."""

from tests.gui import scenes
from tools.gui import buttons, drive, screen


def scenario():
    """Play it."""
    timeline = screen.sequencer()
    yield from scenes.edit()
    yield from scenes.write_texts("slow slow swan of bronze")
    yield from buttons.press(timeline, "strip_stylizer.stylize()")
    yield from drive.wait_for(scenes.jobs, "the job", seconds=20)
    yield from drive.wait_for(lambda: scenes.jobs()[0].fraction > 0.05, "progress", seconds=30)
    yield from buttons.press(timeline, "strip_stylizer.job_cancel", across=0.87)
    yield from drive.wait_for(lambda: scenes.jobs()[0].status.ended, "the end", seconds=30)
    assert scenes.jobs()[0].status.phase.value == "cancelled", scenes.jobs()[0].status
    yield from drive.redraw()
    screen.shot("cancelled", area=timeline, kind="UI")
    yield from buttons.press(timeline, "strip_stylizer.job_resume", across=0.2)
    yield from drive.wait_for(scenes.results, "the result", seconds=120)


drive.play(scenario, seconds=240)
