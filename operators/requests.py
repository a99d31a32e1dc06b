"""What a strip's properties ask for, as a `JobSpec`, refused in one sentence where it cannot be."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..engine.contract import codec
from ..engine.contract.events import EngineError
from ..engine.contract.job import (
    Footage,
    FootageKind,
    JobSpec,
    MaskKind,
    ObjectMask,
    Pin,
    Stage,
    TargetObject,
    TargetTexts,
)
from ..engine.contract.settings import Settings
from ..engine.contract.words.advice import remarks_on
from ..engine.contract.words.choice import EncoderChoice, choose_encoder, with_encoder
from ..engine.contract.words.recognition import seen_as
from . import folders, mattes, properties, strips, targets

NOTHING = Footage(FootageKind.IMAGES, "")
KNOWN_DEVICES = Settings.__dataclass_fields__["device"].metadata["choices"]


def check_strip(strip: Any) -> None:
    """Raise Unusable where the strip's media are not on the disk."""
    lost = strips.missing_media(strip)
    if lost:
        raise strips.Unusable(f"{lost} is missing: relink the strip's media")


def draft_of(strip: Any, until: Stage | None = None) -> JobSpec:
    """Return what the strip's properties say, unchecked and without footage; opens no file."""
    facts = properties.of(strip)
    objects = tuple(
        TargetObject(
            targets.read_texts(item), targets.read_mask(item), item.name, targets.read_pins(item)
        )
        for item in targets.objects_of(facts)
    )
    behind = targets.background_of(facts)
    background = targets.read_texts(behind) if behind else TargetTexts()
    return with_encoder(
        JobSpec(NOTHING, objects, background, settings_of(facts), until), folders.weights()
    )


def encoder_of(facts: Any) -> EncoderChoice:
    """Return which encoder will guide the strip's next job, and why."""
    texts = [targets.read_texts(item) for item in facts.targets]
    return choose_encoder(facts.settings.stylization.encoder, texts, folders.weights())


def settings_of(facts: Any) -> Settings:
    """Return the settings; where they name no device it is the preferences'."""
    settings = properties.read_settings(facts.settings)
    preferred = folders.preference("device", "automatic")
    if settings.device == "automatic" and preferred in KNOWN_DEVICES:
        settings = dataclasses.replace(settings, device=preferred)
    return settings


def request(strip: Any, until: Stage | None = None) -> JobSpec:
    """Return what the strip's properties ask for, without footage.

    Raises Unusable where something is missing.
    """
    targets.ensure(properties.of(strip))
    draft = draft_of(strip, until)
    if draft.needs_texts and not draft.targets:
        raise strips.Unusable("Write a text that says what the object becomes")
    if not draft.needs_texts and not draft.objects:
        raise strips.Unusable("There is no object to look for: add one")
    check_objects(strip, draft)
    for texts in draft.targets:
        if texts.picture and not Path(texts.picture).is_file():
            raise strips.Unusable(f"The picture {texts.picture} is not there: choose another one")
    check_words(draft)
    return draft


def without_texts(strip: Any) -> JobSpec:
    """Return a request for the layers of a strip as they are in the footage, without footage.

    Raises Unusable where an object cannot be found as it is asked for.
    """
    targets.ensure(properties.of(strip))
    draft = draft_of(strip)
    objects = tuple(dataclasses.replace(item, texts=TargetTexts()) for item in draft.objects)
    draft = dataclasses.replace(draft, objects=objects, background=TargetTexts())
    check_objects(strip, draft)
    return draft


def check_objects(strip: Any, draft: JobSpec) -> None:
    """Raise Unusable where an object cannot be found as it is asked for."""
    objects = targets.objects_of(properties.of(strip))
    for target, item in zip(objects, draft.objects, strict=True):
        check_source(strip, target, item.mask)
        check_pins(item.pins, strip)


def check_pins(pins: Sequence[Pin], strip: Any) -> None:
    """Raise Unusable where a pin says nothing, or lies outside the strip."""
    size = strips.picture_size(strip) if pins else (0, 0)
    for number, pin in enumerate(pins, 1):
        if len(pin.frames) < 2:
            raise strips.Unusable(
                f"Pin {number} is on one frame only: show its spot on another one, or remove it"
            )
        if max(pin.frames) >= strips.length(strip):
            raise strips.Unusable(f"Pin {number} is on a frame after the strip's end: remove it")
        for x, y in zip(pin.points[::2], pin.points[1::2], strict=True):
            if not (0 <= x <= size[0] and 0 <= y <= size[1]):
                raise strips.Unusable(f"Pin {number} is outside the picture: set it again")


def check_words(draft: JobSpec) -> None:
    """Raise Unusable where the embedded encoder knows no look in a text, as the engine will."""
    for remark in remarks_on(draft):
        if remark.refuses:
            raise strips.Unusable(f"{remark.message} {remark.hint}".rstrip("."))


def check_source(strip: Any, target: Any, mask: ObjectMask) -> None:
    """Raise Unusable where the way to find an object cannot be what the user meant."""
    if target.object_source in targets.RENDERED_SOURCES:
        reason = mattes.why_not(strip, target)
        if reason:
            raise strips.Unusable(reason)
    else:
        check_mask(mask, strip)


def check_mask(mask: ObjectMask, strip: Any) -> None:
    """Raise Unusable where the mask cannot be what the user meant."""
    if mask.kind is MaskKind.FILES and not (mask.path and Path(mask.path).exists()):
        raise strips.Unusable("Choose a folder or movie with masks, or another object source")
    if mask.kind is MaskKind.NAME:
        check_name(mask.class_name)
    if mask.kind is MaskKind.DETECTOR and not mask.class_name:
        raise strips.Unusable("Write what the detector should look for, such as person or dog")
    if mask.kind is MaskKind.STROKES and not any(s.is_object for s in mask.strokes):
        raise strips.Unusable("Paint at least one stroke over the object first")
    if any(stroke.frame >= strips.length(strip) for stroke in mask.strokes):
        raise strips.Unusable("A stroke is on a frame after the strip's end: paint it again")
    if mask.kind is MaskKind.BOX and mask.box is not None:
        width, height = strips.picture_size(strip)
        across = min(mask.box.x + mask.box.width, width) - max(mask.box.x, 0)
        down = min(mask.box.y + mask.box.height, height) - max(mask.box.y, 0)
        if across < 2 or down < 2:
            raise strips.Unusable(f"The box is empty or outside the {width} x {height} picture")
        if mask.box.frame >= strips.length(strip):
            raise strips.Unusable(f"The box is on frame {mask.box.frame}, after the strip's end")


def check_name(name: str) -> None:
    """Raise Unusable where the embedded encoder cannot point at what is called so."""
    try:
        seen_as(name)
    except EngineError as error:
        raise strips.Unusable(f"{error.message} {error.hint}".rstrip(".")) from error


def check_mask_counts(draft: JobSpec, strip: Any) -> None:
    """Raise Unusable where masks cannot be matched in order with frames that Blender renders."""
    shown = strips.length(strip)
    for item in draft.objects:
        if item.mask.kind is not MaskKind.FILES or not Path(item.mask.path or "-").is_dir():
            continue
        found = len(strips.image_names(Path(item.mask.path)))
        if found != shown:
            raise strips.Unusable(
                f"The strip's {shown} frames must be rendered first, so masks are taken in order, "
                f"but the mask folder has {found} images: give one mask for each frame that is "
                "shown"
            )


def complete(draft: JobSpec, footage: Footage | None) -> JobSpec | None:
    """Return the whole request, checked as the engine will; None while there is no footage."""
    if footage is None:
        return None
    spec = dataclasses.replace(draft, footage=footage)
    return codec.job_from_json(codec.to_json(spec))
