"""Only what shows a change draws again, and mere progress not more often than it can be read."""

import dataclasses

import bpy
import pytest


@pytest.fixture
def showing(part):
    return part("operators.session.showing")


@pytest.fixture
def drawn(part, monkeypatch):
    """Names of the parts of the window that were asked to draw, emptied by the test."""
    strips, asked = part("operators.strips"), []
    for name in ("redraw", "redraw_panels", "redraw_timelines", "redraw_preferences"):
        monkeypatch.setattr(strips, name, lambda name=name: asked.append(name))
    return asked


@pytest.fixture
def job(part, clip, scene, showing, drawn):
    """A job in the middle of its first stage, shown at second 100."""
    session, requests = part("operators.session"), part("operators.requests")
    status, stage = part("engine.client.status"), part("engine.contract.job").Stage.FRAMES
    part("operators.properties").of(clip).global_text = "a gold swan"
    spec = requests.complete(requests.request(clip), session.footage_of(scene, clip))
    job = session.add(scene, clip, spec, draft=spec)
    job.queued = False
    job.status = status.Status(phase=status.Phase.RUNNING, stage=stage, step=1, total=1000)
    job.status = dataclasses.replace(job.status, seconds_left=30.0)
    showing.show_changes(100.0)
    drawn.clear()
    return job


def change(job, **facts):
    job.status = dataclasses.replace(job.status, **facts)


def test_where_nothing_changes_nothing_is_drawn(job, showing, drawn):
    showing.show_changes(200.0)
    assert not drawn


def test_progress_is_shown_by_panels_and_the_bar_after_a_while(job, showing, drawn):
    change(job, step=500)
    showing.show_changes(100.9)
    assert not drawn
    showing.show_changes(101.0)
    assert drawn == ["redraw_panels", "redraw_timelines"]
    change(job, step=600)
    showing.show_changes(101.1)
    assert len(drawn) == 2


def test_a_time_that_shrinks_leaves_the_timeline_alone(job, showing, drawn):
    change(job, seconds_left=20.0)
    showing.show_changes(101.0)
    assert drawn == ["redraw_panels"]


@pytest.mark.parametrize("name", ["stage", "warnings", "paused"])
def test_what_the_panels_say_is_shown_at_once(name, job, showing, drawn, part):
    stage = part("engine.contract.job").Stage.FLOW
    change(job, **{name: {"stage": stage, "warnings": (("a", "b"),), "paused": True}[name]})
    showing.show_changes(100.1)
    assert drawn == ["redraw_panels", "redraw_timelines"]


def test_a_new_picture_is_shown_at_once(job, showing, drawn):
    job.pictures_seen += 1
    showing.show_changes(100.1)
    assert "redraw_panels" in drawn


def test_an_end_is_shown_everywhere_at_once(job, showing, drawn, part):
    change(job, phase=part("engine.client.status").Phase.FAILED)
    showing.show_changes(100.1)
    assert drawn == ["redraw"]


def test_an_installation_is_shown_in_the_preferences_too(job, showing, drawn, part, tmp_path):
    session, installing = part("operators.session"), part("operators.installing")
    step = installing.Step("Downloading packages", ["true"])
    session.state.setup = installing.Setup([step], tmp_path, tmp_path / "log")
    showing.show_changes(101.0)
    assert "redraw_preferences" in drawn
    session.state.setup.cancel()
    drawn.clear()
    showing.show_changes(101.1)
    assert drawn == ["redraw"]


def test_the_regions_that_are_asked_for_are_tagged(part, scene, in_sequencer, monkeypatch):
    regions, tagged = part("operators.strips.regions"), []

    class Region:
        def __init__(self, kind, width=100, tab="Stylize"):
            self.type, self.width, self.height = kind, width, 100
            self.active_panel_category = tab

        def tag_redraw(self):
            tagged.append((self.type, self.width, self.active_panel_category))

    shown = [Region("UI"), Region("UI", tab="Tool"), Region("UI", width=1)]
    shown += [Region("WINDOW"), Region("PREVIEW"), Region("PREVIEW", width=1)]

    class Area:
        regions = shown

    monkeypatch.setattr(regions, "_areas", lambda *kinds: [Area()])
    for function in (regions.redraw_panels, regions.redraw_timelines, regions.redraw_previews):
        function()
    assert tagged == [(kind, 100, "Stylize") for kind in ("UI", "WINDOW", "PREVIEW")]


def test_real_regions_take_the_request(part, scene, in_sequencer):
    regions = part("operators.strips.regions")
    with in_sequencer(scene):
        kinds = {region.type for region in bpy.context.area.regions}
        assert {"UI", "WINDOW", "PREVIEW"} <= kinds
        for name in ("redraw", "redraw_panels", "redraw_timelines", "redraw_previews"):
            getattr(regions, name)()
        regions.redraw_preferences()
