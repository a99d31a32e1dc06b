"""Requests and events travel as JSON and come back equal, or are refused with the path."""

import json
from dataclasses import replace

import pytest

from engine.contract import events
from engine.contract.codec import (
    Refusal,
    event_from_json,
    event_to_json,
    from_json,
    job_from_json,
    set_from_text,
    to_json,
)
from engine.contract.job import (
    Box,
    Footage,
    FootageKind,
    MaskKind,
    ObjectMask,
    Stage,
    TargetTexts,
    single,
)
from engine.contract.settings import (
    PRESET_NAMES,
    PRESETS,
    Settings,
    preset,
    replace_setting,
    with_embedded_encoder,
)
from engine.contract.settings_table import markdown, walk


def job(**changes):
    spec = single(
        Footage(FootageKind.IMAGES, "/footage", ("a.png", "b.png"), (1, 0), 25.0),
        TargetTexts("Swan with cactus skin", "cactus skin"),
        ObjectMask(MaskKind.BOX, box=Box(3, 1.0, 2.0, 30.0, 40.0)),
        preset("draft"),
    )
    return replace(spec, **changes)


def travelled(value):
    return json.loads(json.dumps(to_json(value)))


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_job_survives_the_journey(name):
    spec = job(settings=preset(name))
    assert job_from_json(travelled(spec)) == spec


def test_missing_fields_take_their_defaults():
    data = {
        "footage": {"kind": "movie", "path": "/m.mp4"},
        "objects": [{"texts": {"global_text": "x"}}],
    }
    spec = job_from_json(data)
    assert spec.settings == Settings()
    assert spec.targets[0].local == "x"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("settings", "decomposition", "grid", "steps"), -1, "-1 is not between 0 and 100000"),
        (("settings", "seed"), 1.5, "expected a whole number"),
        (("settings", "seed"), True, "expected a whole number"),
        (("settings", "stylization", "atlas"), "mosaic", "not one of network, texture"),
        (("settings", "stylization", "learning_rate"), float("nan"), "not a number"),
        (("settings", "stylisation"), {}, "there is no such field"),
        (("footage", "kind"), "tape", "not one of movie, images"),
        (("footage", "indices"), 3, "expected a list"),
        (("objects", 0, "mask", "box"), None, "box: is missing"),
        (("objects", 0, "mask", "label"), -1, "-1 is no object's number"),
        (("objects", 0, "pins"), [{"frames": [3], "points": [1, 2]}], "two frames or more"),
        (("objects", 0, "pins"), [{"frames": [3, 3], "points": [1, 2, 3, 4]}], "once on each"),
        (("objects", 0, "pins"), [{"frames": [-1, 3], "points": [1, 2, 3, 4]}], "-1 is no frame"),
        (("objects", 0, "pins"), [{"frames": [0, 3], "points": [1, 2]}], "2 numbers are not x"),
        (("objects", 0, "pins"), [{"frames": [0, 3], "points": [1, 2, 3, 9e9]}], "farther out"),
        (("objects", 0, "texts"), {}, "no object and no background has a text"),
        (("protocol",), 99, "99 is not 2"),
        (("objects", 0, "texts", "global_text"), "|", "'|' holds no words between its bars"),
        (("objects", 0, "texts", "global_text"), " | |", "holds no words"),
        (("objects", 0, "texts", "local_text"), "gold: 0 | fur: 0", "no part a weight of 0.001"),
        (("objects", 0, "texts", "global_text"), "gold: " + 44 * "9" + " | fur", "more than 1000"),
        (("objects", 0, "texts", "avoid"), ": 2 | gold", "a weight without words"),
        (("objects", 0, "texts", "global_text"), "gold\0fur", "is not a text to work with"),
        (("footage", "path"), "/clip\udcff.mp4", "is not a text to work with"),
    ],
)
def test_a_bad_request_is_refused_with_its_path(path, value, said):
    data = travelled(job())
    place = data
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(Refusal, match=said) as refusal:
        job_from_json(data)
    assert str(refusal.value).startswith("job")


def test_a_missing_field_is_named():
    with pytest.raises(Refusal, match=r"job\.footage: is missing"):
        job_from_json({"background": {"global_text": "x"}})


@pytest.mark.parametrize(
    "event",
    [
        events.Hello("0.1.0", 1, 42),
        events.DeviceChosen("cpu", "processor", 0),
        events.StageStarted(Stage.MASKS),
        events.Progress(Stage.RENDER, 1, 2, {"flow": 0.5}, 3.0),
        events.Preview("frame", "preview/frame.png"),
        events.Warned("mind the gap", "step over it"),
        events.StageFinished(Stage.FLOW, 1.5, True),
        events.Finished(24, 60.0),
        events.Failed(events.Fault.DISK_FULL, "full", "free some"),
        events.Cancelled(True),
    ],
)
def test_an_event_survives_the_journey(event):
    line = json.loads(json.dumps(event_to_json(event, 12.5)))
    assert line["time"] == 12.5
    assert event_from_json(line) == event


def test_unknown_events_and_fields_are_ignored():
    assert event_from_json({"event": "sang", "time": 0}) is None
    assert event_from_json(["no event"]) is None
    known = event_to_json(events.Finished(3, 1.0), 0)
    assert event_from_json({**known, "mood": "proud"}) == events.Finished(3, 1.0)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("seed", "expected path=value"),
        ("sead=1", "there is no such setting"),
        ("render=1", "group of settings"),
        ("render.strength=2", "is not between 0.0 and 1.0"),
        ("render.foreground_only=maybe", "expected true or false"),
    ],
)
def test_a_bad_assignment_is_refused(assignment, said):
    with pytest.raises(Refusal, match=said):
        set_from_text(Settings(), assignment)


def test_an_assignment_changes_one_setting():
    assert set_from_text(Settings(), "render.strength = 0.5").render.strength == 0.5
    assert set_from_text(Settings(), "render.foreground_only=true").render.foreground_only


def test_presets_only_name_settings_within_their_limits():
    for name in PRESET_NAMES:
        assert from_json(Settings, to_json(preset(name)), "settings") == preset(name)
        for path, value in PRESETS[name].items():
            assert replace_setting(preset(name), path, value) == preset(name)


def test_every_setting_says_what_it_does():
    for path, item, value in walk(Settings()):
        assert item.metadata["label"], path
        assert item.metadata["help"] and not item.metadata["help"].endswith("."), path
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        assert (item.metadata["low"] is not None) == numeric, path
        assert f"`{path}`" in markdown()


def test_the_embedded_encoder_brings_what_suits_it():
    draft = replace_setting(preset("draft").stylization, "encoder", "embedded")
    assert with_embedded_encoder(preset("standard")).stylization == draft
    assert with_embedded_encoder(preset("draft")).stylization == draft
    mine = replace_setting(preset("fine"), "stylization.steps", 77)
    assert with_embedded_encoder(mine).stylization == replace(draft, steps=77)
    assert with_embedded_encoder(mine).frames == mine.frames


def test_the_papers_form_only_changes_its_encoder():
    paper = preset("paper")
    changed = with_embedded_encoder(paper)
    assert changed == replace_setting(paper, "stylization.encoder", "embedded")
