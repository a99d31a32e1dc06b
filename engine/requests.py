"""From the options of the command line to a request. No torch, so that a refusal comes at once."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from pathlib import Path

from .contract import codec
from .contract.events import EngineError, Fault
from .contract.job import (
    ANY,
    BACKGROUND,
    Blend,
    Box,
    Edit,
    EditKind,
    Footage,
    JobSpec,
    MaskKind,
    ObjectMask,
    Pin,
    Stroke,
    Sweep,
    TargetObject,
    TargetTexts,
    single,
)
from .contract.settings import EMBEDDED, Settings, preset, with_embedded_encoder

MOST_FRAMES = 1_000_000


def from_options(options: argparse.Namespace) -> JobSpec:
    """Return the request that the options of the verb `stylize` make.

    Raises EngineError (BAD_JOB) with a sentence where they make none.
    """
    try:
        footage, chosen = _footage(options), _settings(options)
        background = TargetTexts(options.background_text, options.background_local_text)
        spec = JobSpec(footage, _objects(options), background, chosen)
        return codec.job_from_json(codec.to_json(spec))
    except codec.Refusal as refusal:
        raise EngineError(
            Fault.BAD_JOB, f"{refusal}.", "`python -m engine settings` lists what can be set."
        ) from refusal
    except OSError as error:
        name = error.filename or options.footage
        message = f"{name} cannot be looked at: {error.strerror}."
        raise EngineError(Fault.BAD_JOB, message, "Give the name of a file that exists.") from error


def for_evaluation(options: argparse.Namespace, texts: TargetTexts) -> JobSpec:
    """Return the request of the verb `evaluate`, with ``texts`` that its variants replace.

    Raises EngineError (BAD_JOB) with a sentence where there is none.
    """
    try:
        return single(_footage(options), texts, _mask(options), _settings(options))
    except codec.Refusal as refusal:
        raise EngineError(
            Fault.BAD_JOB, f"{refusal}.", "`python -m engine settings` lists what can be set."
        ) from refusal


def with_edit(spec: JobSpec, options: argparse.Namespace) -> JobSpec:
    """Return ``spec`` with what the options of ``layers apply`` describe.

    A change by hand becomes the last one; pins take the place of those that the object had.

    Raises EngineError (BAD_JOB) with a sentence where they describe none.
    """
    try:
        spec = dataclasses.replace(spec, until=None, layers=None)
        if options.pins:
            spec = dataclasses.replace(spec, objects=_pinned_objects(spec, options))
        else:
            edits = () if options.plain else (*spec.edits, _edit(spec, options))
            spec = dataclasses.replace(spec, edits=edits)
        return codec.job_from_json(codec.to_json(spec))
    except codec.Refusal as refusal:
        hint = "`python -m engine layers apply --help` lists what can be given."
        raise EngineError(Fault.BAD_JOB, f"{refusal}.", hint) from refusal


def with_sweep(spec: JobSpec, options: argparse.Namespace) -> JobSpec:
    """Return ``spec`` as a sweep over what the options of the verb `sweep` name.

    Raises EngineError (BAD_JOB) with a sentence where they name none.
    """
    try:
        form = "numbers with commas between them"
        count = options.strengths.count(",") + 1
        strengths = tuple(_numbers(options.strengths, ",", count, "--strengths", form))
        texts = tuple(text.strip() for text in options.texts)
        settings = codec.set_from_text(spec.settings, f"stylization.candidates={options.seeds}")
        spec = dataclasses.replace(
            spec, settings=settings, until=None, edits=(), layers=None,
            sweep=Sweep(texts, strengths),
        )  # fmt: skip
        return codec.job_from_json(codec.to_json(spec))
    except codec.Refusal as refusal:
        hint = "`python -m engine sweep --help` lists what can be given."
        raise EngineError(Fault.BAD_JOB, f"{refusal}.", hint) from refusal


def _pinned_objects(spec: JobSpec, options: argparse.Namespace) -> tuple[TargetObject, ...]:
    layer, count = options.layer or 0, len(spec.objects)
    if not 0 <= layer < count:
        raise codec.Refusal(f"--layer {layer}: only objects are pinned, and the job has {count}")
    pins = tuple(_pin(text) for text in options.pins)
    objects = [*spec.objects]
    objects[layer] = dataclasses.replace(objects[layer], pins=pins)
    return tuple(objects)


def _edit(spec: JobSpec, options: argparse.Namespace) -> Edit:
    kinds = {
        EditKind.ATLAS: options.atlas,
        EditKind.PICTURE: options.picture,
        EditKind.FRAME: options.painted,
    }
    kind, path = next((item for item in kinds.items() if item[1]), (None, None))
    if kind is None or path is None:
        return _edit_without_picture(spec, options)
    corners = ()
    if options.corners:
        form = "eight numbers with commas between them"
        corners = tuple(_numbers(options.corners, ",", 8, "--corners", form))
    first = ANY
    if kind is EditKind.ATLAS:
        first = 0 if spec.objects else BACKGROUND
    return Edit(
        kind=kind,
        path=str(path.absolute()),
        before=str(options.before.absolute()) if options.before else "",
        layer=first if options.layer is None else options.layer,
        frame=options.frame,
        corners=corners,
        blend=Blend(options.blend),
        opacity=options.opacity,
        stylized=options.stylized,
    )


def _edit_without_picture(spec: JobSpec, options: argparse.Namespace) -> Edit:
    layer = options.layer
    if layer is None:
        layer = ANY if options.matte else 0 if spec.objects else BACKGROUND
    if options.grade:
        form = "three numbers with commas between them"
        factor = tuple(_numbers(options.grade, ",", 3, "--grade", form))
        return Edit(EditKind.GRADE, layer=layer, factor=factor, saturation=options.saturation)
    if options.blur is not None:
        return Edit(EditKind.BLUR, layer=layer, radius=options.blur)
    return Edit(EditKind.REMOVAL if options.remove else EditKind.MATTE, layer=layer)


def _footage(options: argparse.Namespace) -> Footage:
    from .video.frames import footage_from_path

    footage = footage_from_path(options.footage.absolute())
    if options.frames:
        footage = dataclasses.replace(footage, indices=_range(options.frames))
    return footage


def _settings(options: argparse.Namespace) -> Settings:
    chosen = preset(options.preset)
    if options.encoder == EMBEDDED:
        chosen = with_embedded_encoder(chosen)
    for assignment in options.assignments:
        chosen = codec.set_from_text(chosen, assignment)
    if options.encoder:
        encoder = _absolute_weights(options.encoder)
        chosen = codec.set_from_text(chosen, f"stylization.encoder={encoder}")
    for path, name in (("flow.raft", chosen.flow.raft), ("masks.detector", chosen.masks.detector)):
        chosen = codec.set_from_text(chosen, f"{path}={_absolute_weights(name)}")
    return chosen


def _objects(options: argparse.Namespace) -> tuple[TargetObject, ...]:
    """Return the object of the options themselves, then those of the files, front to back."""
    picture = str(options.picture.absolute()) if options.picture else ""
    texts = TargetTexts(
        options.global_text, options.local_text, options.avoid, picture, options.picture_share
    )
    others = tuple(object_from_file(path) for path in options.objects)
    found = (options.masks, options.box, options.auto, options.detect)
    named = (
        any(found)
        or options.object_name is not None
        or bool(options.strokes or options.not_strokes)
    )
    bare = texts.empty and (others or options.background_text or options.background_local_text)
    if bare and not (named or options.pins):
        return others
    pins = tuple(_pin(text) for text in options.pins)
    return (TargetObject(texts, _mask(options), pins=pins), *others)


def object_from_file(path: Path) -> TargetObject:
    """Read one object: a JSON object like an entry of ``objects`` in job.json.

    Paths in it are relative to its own folder. Raises Refusal where it cannot be read.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise codec.Refusal(f"--object {path}: cannot be read: {error}") from error
    found = codec.from_json(TargetObject, data, f"--object {path}")
    folder = path.absolute().parent
    texts, mask = found.texts, found.mask
    if texts.picture:
        texts = dataclasses.replace(texts, picture=str(folder / texts.picture))
    if mask.path:
        mask = dataclasses.replace(mask, path=str(folder / mask.path))
    return dataclasses.replace(found, texts=texts, mask=mask)


def _absolute_weights(encoder: str) -> str:
    """Let a weights file or folder be found from wherever the job is run."""
    if Path(encoder).is_dir() and encoder != EMBEDDED:
        return str(Path(encoder).absolute())
    model, colon, weights = encoder.partition(":")
    file = Path(weights)
    return f"{model}:{file.absolute()}" if colon and file.is_file() else encoder


def _mask(options: argparse.Namespace) -> ObjectMask:
    """Return how the object is found; strokes correct another way, or are one by themselves."""
    strokes = (
        *(_stroke(text, "--stroke") for text in options.strokes),
        *(
            dataclasses.replace(_stroke(text, "--not-stroke"), is_object=False)
            for text in options.not_strokes
        ),
    )
    if options.masks:
        path, label = codec.mask_source(options.masks)
        return ObjectMask(
            MaskKind.FILES, path, label=label, inverted=options.invert_masks, strokes=strokes
        )
    if options.invert_masks:
        raise codec.Refusal("--invert-masks: is about --masks, which is missing")
    if options.box:
        form = "FRAME,X,Y,WIDTH,HEIGHT, such as 0,40,30,120,90"
        numbers = _numbers(options.box, ",", 5, "--box", form)
        box = Box(_whole(numbers[0], options.box, "--box", form), *numbers[1:])
        return ObjectMask(MaskKind.BOX, box=box, strokes=strokes)
    if options.object_name is not None:
        return ObjectMask(MaskKind.NAME, class_name=options.object_name, strokes=strokes)
    if options.detect:
        return ObjectMask(MaskKind.DETECTOR, class_name=options.detect, strokes=strokes)
    alone = bool(options.strokes) and not options.auto
    return ObjectMask(MaskKind.STROKES if alone else MaskKind.AUTOMATIC, strokes=strokes)


def _stroke(text: str, option: str) -> Stroke:
    form = "FRAME:X,Y,X,Y,...:RADIUS, such as 0:40,30,90,35:8"
    frame, *rest = text.split(":")
    if len(rest) != 2 or not frame.isdigit():
        raise codec.Refusal(f"{option} {text}: expected {form}")
    count = 2 * ((rest[0].count(",") + 2) // 2)
    points = _numbers(rest[0], ",", count, option, form)
    (radius,) = _numbers(rest[1], ":", 1, option, form)
    return Stroke(int(frame), tuple(points), radius)


def _pin(text: str) -> Pin:
    form = "FRAME:X,Y FRAME:X,Y ..., such as '0:100,50 12:120,55'"
    frames, points = [], []
    for part in text.split():
        frame, colon, point = part.partition(":")
        if not (colon and frame.isascii() and frame.isdigit()):
            raise codec.Refusal(f"--pin {text}: expected {form}")
        frames.append(int(frame))
        points += _numbers(point, ",", 2, "--pin", form)
    return Pin(tuple(frames), tuple(points))


def _range(text: str) -> tuple[int, ...]:
    form = "FIRST:LAST, such as 0:35"
    first, last = (
        _whole(n, text, "--frames", form) for n in _numbers(text, ":", 2, "--frames", form)
    )
    if not 0 <= first < last:
        raise codec.Refusal(f"--frames {text}: is not a range of at least two frames")
    if last - first >= MOST_FRAMES:
        raise codec.Refusal(f"--frames {text}: is more than {MOST_FRAMES} frames")
    return tuple(range(first, last + 1))


def _whole(number: float, text: str, option: str, form: str) -> int:
    if not number.is_integer():
        raise codec.Refusal(f"{option} {text}: expected {form}")
    return int(number)


def _numbers(text: str, separator: str, count: int, option: str, form: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(separator)]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise codec.Refusal(f"{option} {text}: expected {form}")
    return numbers
