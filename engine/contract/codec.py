"""Dataclasses to JSON and back, with refusals that name the path. Standard library only.

The types that a contract may use: bool, int, float, str, enums, None, tuples, mappings of
numbers, and dataclasses of these.
"""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from .events import EVENT_NAMES, Event
from .files import Refusal, inside
from .job import (
    ANY,
    BACKGROUND,
    PROTOCOL,
    Edit,
    EditKind,
    JobSpec,
    MaskKind,
    ObjectMask,
    Pin,
    Sweep,
    TargetTexts,
)
from .settings import Settings, replace_setting
from .words.parts import unusable

Record = TypeVar("Record")
MOST_BLUR = 500  # px
MOST_CELLS = 1000  # of a sweep
MOST = 2**63  # whole numbers stay below it
FARTHEST = 1e6  # px from a picture's corner that a stroke may be


def to_json(value: Any) -> Any:
    """Return ``value`` as dicts, lists, strings and numbers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_json(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    return value


def from_json(kind: type[Record], data: Any, path: str) -> Record:
    """Build a ``kind`` from decoded JSON; raises Refusal with the path of what is wrong.

    Missing fields take their defaults; unknown ones are refused, so that a request cannot be
    misspelt.
    """
    if not isinstance(data, dict):
        raise Refusal(f"{path}: expected an object, not {_quote(data)}")
    hints, items = _declarations(kind)
    for name in data:
        if name not in items:
            raise Refusal(f"{path}.{name}: there is no such field")
    values = {}
    for name, item in items.items():
        if name in data:
            values[name] = _value(hints[name], data[name], f"{path}.{name}", item.metadata)
        elif item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
            raise Refusal(f"{path}.{name}: is missing")
    return kind(**values)


@cache
def _declarations(kind: Any) -> tuple[dict[str, Any], dict[str, dataclasses.Field]]:
    return typing.get_type_hints(kind), {item.name: item for item in dataclasses.fields(kind)}


def job_from_json(data: Any) -> JobSpec:
    """Read a request; raises Refusal where it cannot be served."""
    spec = from_json(JobSpec, data, "job")
    if spec.protocol != PROTOCOL:
        raise Refusal(f"job.protocol: {spec.protocol} is not {PROTOCOL}, this engine's")
    if spec.sweep is not None:
        _check_sweep(spec, spec.sweep)
    if spec.needs_texts and not spec.targets:
        raise Refusal("job: no object and no background has a text, a picture or an edit")
    for name in spec.footage.files:
        inside(Path(), name)
    for number, target in enumerate(spec.objects):
        _check_mask(target.mask, f"job.objects[{number}].mask")
        for place, pin in enumerate(target.pins):
            _check_pin(pin, f"job.objects[{number}].pins[{place}]")
    for texts in spec.targets:
        _check_texts(texts)
    for number, edit in enumerate(spec.edits):
        _check_edit(edit, len(spec.objects), f"job.edits[{number}]")
    return spec


def _check_sweep(spec: JobSpec, sweep: Sweep) -> None:
    if spec.until is not None or spec.edits or spec.layers is not None:
        raise Refusal("job.sweep: goes with no edits, no layers and no earlier end")
    for name, values in (("texts", sweep.texts), ("strengths", sweep.strengths)):
        if not values or len(set(values)) < len(values):
            raise Refusal(f"job.sweep.{name}: at least one is needed, and each only once")
    if not all(text.strip() for text in sweep.texts):
        raise Refusal("job.sweep.texts: one of them is empty")
    for strength in sweep.strengths:
        if not 0 <= strength <= 1:
            raise Refusal(f"job.sweep.strengths: {strength} is not between 0 and 1")
    count = len(sweep.texts) * len(sweep.strengths) * spec.settings.stylization.candidates
    if count > MOST_CELLS:
        raise Refusal(f"job.sweep: {count} cells are more than {MOST_CELLS}")


def _check_texts(texts: TargetTexts) -> None:
    if not 0 <= texts.picture_share <= 1:
        raise Refusal(f"job: picture_share {texts.picture_share} is not between 0 and 1")
    for name in ("global_text", "local_text", "avoid"):
        text = getattr(texts, name)
        if reason := unusable(text):
            raise Refusal(f"job: {name} {_quote(text)} {reason}")


def _check_edit(edit: Edit, objects: int, path: str) -> None:
    if edit.kind.has_picture and not edit.path:
        raise Refusal(f"{path}.path: is missing")
    if edit.kind is EditKind.ATLAS and not edit.before:
        raise Refusal(f"{path}.before: is missing, but an atlas is compared with what it was")
    of_one = (EditKind.ATLAS, EditKind.GRADE, EditKind.BLUR)
    first = BACKGROUND if edit.kind in of_one else 0 if edit.kind is EditKind.REMOVAL else ANY
    if edit.layer not in range(first, objects):
        raise Refusal(f"{path}.layer: {edit.layer} is not between {first} and {objects - 1}")
    if edit.kind is EditKind.PICTURE and len(edit.corners) != 8:
        raise Refusal(f"{path}.corners: {len(edit.corners)} numbers are not four corners")
    if edit.frame < 0 or not 0 <= edit.opacity <= 1:
        raise Refusal(f"{path}: frame {edit.frame} or opacity {edit.opacity} is out of range")
    if len(edit.factor) != 3 or min(*edit.factor, edit.saturation) < 0:
        raise Refusal(f"{path}: factor and saturation are three numbers and one, from 0 on")
    if not 0 <= edit.radius <= MOST_BLUR or (edit.kind is EditKind.BLUR and not edit.radius):
        raise Refusal(f"{path}.radius: {edit.radius} px is not above 0 and at most {MOST_BLUR}")


def _check_mask(mask: ObjectMask, path: str) -> None:
    lacks = {
        MaskKind.FILES: ("path", not mask.path, "files"),
        MaskKind.BOX: ("box", mask.box is None, "a box"),
        MaskKind.STROKES: ("strokes", not any(s.is_object for s in mask.strokes), "strokes"),
        MaskKind.DETECTOR: ("class_name", not mask.class_name.strip(), "a detector"),
    }
    if mask.box is not None and (mask.box.frame < 0 or min(mask.box.width, mask.box.height) <= 0):
        raise Refusal(f"{path}.box: has no frame or no extent: width and height are above 0")
    for number, stroke in enumerate(mask.strokes):
        if stroke.frame < 0 or not 0 < stroke.radius <= FARTHEST:
            raise Refusal(f"{path}.strokes[{number}]: has no frame or no radius above 0")
        if any(abs(place) > FARTHEST for place in stroke.points):
            raise Refusal(f"{path}.strokes[{number}]: is farther out than any picture")
    if mask.label < 0:
        raise Refusal(f"{path}.label: {mask.label} is no object's number")
    name, missing, source = lacks.get(mask.kind, ("", False, ""))
    if missing:
        raise Refusal(f"{path}.{name}: is missing, but the mask comes from {source}")


def _check_pin(pin: Pin, path: str) -> None:
    if len(set(pin.frames)) < 2 or len(set(pin.frames)) < len(pin.frames):
        raise Refusal(f"{path}.frames: a pin is set on two frames or more, once on each")
    if min(pin.frames) < 0:
        raise Refusal(f"{path}.frames: {min(pin.frames)} is no frame, they are counted from 0")
    if len(pin.points) != 2 * len(pin.frames):
        count, frames = len(pin.points), len(pin.frames)
        raise Refusal(f"{path}.points: {count} numbers are not x and y for each of {frames} frames")
    if any(abs(place) > FARTHEST for place in pin.points):
        raise Refusal(f"{path}.points: a point is farther out than any picture")


def event_to_json(event: Event, time: float) -> dict[str, Any]:
    """Return one line of ``events.jsonl``; ``time`` in seconds since 1970."""
    name = next(name for name, kind in EVENT_NAMES.items() if kind is type(event))
    return {"event": name, "time": round(time, 3), **to_json(event)}


def event_from_json(data: Any) -> Event | None:
    """Read one line of ``events.jsonl``; None for what this reader does not know."""
    name = data.get("event") if isinstance(data, dict) else None
    kind = EVENT_NAMES.get(name) if isinstance(name, str) else None
    if kind is None:
        return None
    names = _declarations(kind)[1]
    try:
        return from_json(kind, {name: data[name] for name in data if name in names}, "event")
    except Refusal:
        return None


def set_from_text(settings: Settings, assignment: str) -> Settings:
    """Return ``settings`` after ``path=value`` as typed on a command line; raises Refusal."""
    path, equals, text = assignment.partition("=")
    if not equals:
        raise Refusal(f"{assignment}: expected path=value")
    hint, metadata = _declaration(path.strip())
    value = _value(hint, _parse(hint, text.strip()), f"settings.{path.strip()}", metadata)
    return replace_setting(settings, path.strip(), value)


def mask_source(text: str) -> tuple[str, int]:
    """Return path and object number of DIR or DIR:2; 0 where no number is given."""
    folder, colon, number = text.rpartition(":")
    if colon and folder and number.isascii() and number.isdigit() and not Path(text).exists():
        return str(Path(folder).absolute()), int(number)
    return str(Path(text).absolute()), 0


def _declaration(path: str) -> tuple[Any, Mapping[str, Any]]:
    kind: Any = Settings
    metadata: Mapping[str, Any] = {}
    for name in path.split("."):
        items = {}
        if dataclasses.is_dataclass(kind):
            items = {item.name: item for item in dataclasses.fields(kind)}
        if name not in items:
            raise Refusal(f"settings.{path}: there is no such setting")
        metadata = items[name].metadata
        kind = typing.get_type_hints(kind)[name]
    if dataclasses.is_dataclass(kind):
        raise Refusal(f"settings.{path}: is a group of settings, name one of them")
    return kind, metadata


def _parse(hint: Any, text: str) -> Any:
    if hint is bool:
        return {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
    if hint in (int, float):
        try:
            return int(text) if hint is int else float(text)
        except ValueError:
            return text
    return text


def _value(hint: Any, data: Any, path: str, metadata: Mapping[str, Any]) -> Any:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        if data is None:
            return None
        hint = next(item for item in typing.get_args(hint) if item is not type(None))
        return _value(hint, data, path, metadata)
    if origin is tuple:
        if not isinstance(data, list):
            raise Refusal(f"{path}: expected a list, not {_quote(data)}")
        inner = typing.get_args(hint)[0]
        return tuple(_value(inner, item, f"{path}[{i}]", {}) for i, item in enumerate(data))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(data, dict):
            raise Refusal(f"{path}: expected an object, not {_quote(data)}")
        return {str(key): _value(float, item, f"{path}.{key}", {}) for key, item in data.items()}
    if dataclasses.is_dataclass(hint):
        return from_json(hint, data, path)  # type: ignore[arg-type]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _member(hint, data, path)
    return _scalar(hint, data, path, metadata)


def _member(kind: type[Enum], data: Any, path: str) -> Enum:
    values = [member.value for member in kind]
    if data not in values:
        raise Refusal(f"{path}: {_quote(data)} is not one of {', '.join(values)}")
    return kind(data)


def _scalar(hint: type, data: Any, path: str, metadata: Mapping[str, Any]) -> Any:
    if hint is float and isinstance(data, int) and not isinstance(data, bool):
        data = float(data) if abs(data) < MOST else math.inf
    if not isinstance(data, hint) or (hint is int and isinstance(data, bool)):
        raise Refusal(f"{path}: expected {_KIND_NAMES[hint]}, not {_quote(data)}")
    if hint is float and not math.isfinite(data):
        raise Refusal(f"{path}: {data} is not a number to work with")
    if hint is int and abs(data) >= MOST:
        raise Refusal(f"{path}: {_quote(data)} is not a number to work with")
    if isinstance(data, str) and re.search("[\0\ud800-\udfff]", data):
        raise Refusal(f"{path}: {_quote(data)} is not a text to work with")
    low, high = metadata.get("low"), metadata.get("high")
    if (low is not None and data < low) or (high is not None and data > high):
        raise Refusal(f"{path}: {data} is not between {low} and {high}")
    choices = metadata.get("choices") or ()
    if choices and data not in choices:
        raise Refusal(f"{path}: {_quote(data)} is not one of {', '.join(choices)}")
    return data


_KIND_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def _quote(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 60 else text[:57] + "..."
