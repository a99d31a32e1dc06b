"""What holds of every request, setting, event and name, tried on many that are drawn at random."""

import dataclasses
import json
import math
import re
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.client.status import JobReader
from engine.contract import events, files
from engine.contract.codec import (
    FARTHEST,
    Refusal,
    event_from_json,
    event_to_json,
    from_json,
    job_from_json,
    set_from_text,
    to_json,
)
from engine.contract.job import PROTOCOL, JobSpec, MaskKind
from engine.contract.settings import Settings
from engine.contract.settings_table import walk
from engine.contract.words.parts import unusable

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
NUMBERS = {
    bool: st.booleans(),
    int: st.integers(-(2**62), 2**62),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: TEXTS,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip
# The same examples in each run: what is new each time is `make fuzz`.
quick = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def values(hint, metadata=None):
    """Values that a field of the type ``hint`` may have."""
    metadata, origin = metadata or {}, typing.get_origin(hint)
    if metadata.get("choices"):
        return st.sampled_from(metadata["choices"])
    if origin is tuple:
        return st.lists(values(typing.get_args(hint)[0]), max_size=3).map(tuple)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(TEXTS, NUMBERS[float], max_size=3)
    if origin is not None:
        return st.one_of(*(values(item) for item in typing.get_args(hint)))
    if hint is type(None):
        return st.none()
    if dataclasses.is_dataclass(hint):
        return records(hint)
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    low, high = metadata.get("low"), metadata.get("high")
    if hint is int and low is not None:
        return st.integers(math.ceil(low), math.floor(high))
    if hint is float and low is not None:
        return st.floats(low, high)
    return NUMBERS[hint]


def records(kind):
    """Values of a dataclass within the limits that it declares."""
    hints = typing.get_type_hints(kind)
    fields = {
        item.name: values(hints[item.name], item.metadata) for item in dataclasses.fields(kind)
    }
    return st.builds(kind, **fields)


def travelled(value):
    return json.loads(json.dumps(to_json(value)))


@quick
@given(records(Settings))
def test_all_settings_survive_the_journey(value):
    assert from_json(Settings, travelled(value), "settings") == value


@quick
@given(records(JobSpec))
def test_a_request_survives_the_journey_or_is_refused_with_a_reason(spec):
    spec = dataclasses.replace(spec, protocol=PROTOCOL)
    try:
        assert job_from_json(travelled(spec)) == spec
    except Refusal as refusal:
        assert str(refusal)
        kinds = {item.mask.kind for item in spec.objects}
        shares = [texts.picture_share for texts in spec.targets]
        assert (
            not spec.targets
            or spec.edits
            or spec.sweep
            or any(item.pins for item in spec.objects)
            or not all(0 <= share <= 1 for share in shares)
            or kinds - {MaskKind.AUTOMATIC}
            or any(is_empty(item.mask.box) for item in spec.objects if item.mask.box)
            or any(is_no_stroke(stroke) for item in spec.objects for stroke in item.mask.strokes)
            or any(map(unusable, texts_of(spec)))
            or any(not Path(name).parts or ".." in re.split(r"[/\\]", name) or is_elsewhere(name)
                   for name in spec.footage.files)
        )  # fmt: skip


def is_empty(box):
    return box.frame < 0 or min(box.width, box.height) <= 0


def is_no_stroke(stroke):
    places_are_near = all(abs(place) <= FARTHEST for place in stroke.points)
    return stroke.frame < 0 or not 0 < stroke.radius <= FARTHEST or not places_are_near


def texts_of(spec):
    return [text for each in spec.targets for text in (each.global_text, each.local_text,
                                                       each.avoid)]  # fmt: skip


def is_elsewhere(name):
    return name.startswith(("/", "\\")) or name[1:2] == ":"


@quick
@given(st.sampled_from(list(events.EVENT_NAMES.values())).flatmap(records), st.floats(0, 4e9))
def test_every_event_survives_the_journey_as_one_line(event, moment):
    line = json.dumps(event_to_json(event, moment))
    assert "\n" not in line
    assert event_from_json(json.loads(line)) == event


@quick
@given(JSON)
def test_any_json_is_no_request_and_hardly_an_event(data):
    with pytest.raises(Refusal):
        job_from_json(data)
    event_from_json(data)


@quick
@given(st.sampled_from(sorted(events.EVENT_NAMES)), st.dictionaries(st.text(max_size=9), JSON))
def test_an_event_with_anything_in_it_is_read_or_ignored(name, fields):
    event_from_json({**fields, "event": name})


@quick
@given(st.data())
def test_a_setting_is_set_within_its_limits_or_refused(data):
    path, item = data.draw(st.sampled_from(sorted(limits_of().items(), key=str)))
    hint, metadata = item
    value = data.draw(values(hint, metadata))
    found = set_from_text(
        Settings(), f"{path}={value}" if hint is not float else f"{path}={value!r}"
    )
    assert at(found, path) == (value.strip() if isinstance(value, str) else value)
    try:
        found = at(set_from_text(Settings(), f"{path}={data.draw(st.text())}"), path)
    except Refusal as refusal:
        assert path in str(refusal)
        return
    low, high, choices = (metadata.get(name) for name in ("low", "high", "choices"))
    assert isinstance(found, hint)
    assert (low is None or low <= found) and (high is None or found <= high)
    assert not choices or found in choices


def limits_of(kind=Settings, before=""):
    """The types and limits of all settings, by their paths."""
    found, hints = {}, typing.get_type_hints(kind)
    for item in dataclasses.fields(kind):
        path, hint = f"{before}{item.name}", hints[item.name]
        if dataclasses.is_dataclass(hint):
            found |= limits_of(hint, f"{path}.")
        else:
            found[path] = hint, item.metadata
    return found


def at(value, path):
    for name in path.split("."):
        value = getattr(value, name)
    return value


def test_limits_are_looked_up_for_every_setting():
    assert set(limits_of()) == {path for path, *_ in walk(Settings())}


@quick
@given(st.text())
def test_a_name_lies_in_its_folder_or_is_refused(name):
    folder = Path("/jobs/one")
    try:
        path = files.inside(folder, name)
    except Refusal as refusal:
        assert str(refusal).isprintable()
        return
    assert path.parts[: len(folder.parts)] == folder.parts and ".." not in path.parts


@quick
@given(st.text())
def test_a_text_from_outside_becomes_one_line(text):
    line = files.one_line(text)
    assert line.isprintable() and len(line.splitlines()) <= 1
    assert line == text or not text.isprintable()


@settings(
    quick, suppress_health_check=[*quick.suppress_health_check, HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from(list(events.EVENT_NAMES.values())).flatmap(records), max_size=12),
    st.lists(st.binary(max_size=9), max_size=3),
    st.lists(st.integers(0, 4000), max_size=6),
)
def test_events_that_come_bit_by_bit_are_read_as_those_that_come_at_once(
    tmp_path, said, junk, places
):
    lines = [json.dumps(event_to_json(event, 1.0)).encode() for event in said]
    lines += [each.replace(b"\n", b"") for each in junk]
    data = b"".join(line + b"\n" for line in lines)
    (tmp_path / "whole").mkdir(exist_ok=True)
    (tmp_path / "whole" / "events.jsonl").write_bytes(data)
    expected = JobReader(tmp_path / "whole").read_to_end()
    reader, path = JobReader(tmp_path), tmp_path / "events.jsonl"
    path.write_bytes(b"")
    reader.read_to_end()
    done = 0
    for place in [*sorted(min(place, len(data)) for place in places), len(data)]:
        with path.open("ab") as file:
            file.write(data[done:place])
        done = max(done, place)
        status = reader.read_to_end()
        assert 0 <= status.fraction <= 1 and 0 <= status.stage_fraction <= 1
    assert reader.status == expected
